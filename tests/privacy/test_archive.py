"""The archive of an athlete: complete, readable, for the right people, for a time."""

import csv
import io
import json
import math
import os
import re
import zipfile
from datetime import timedelta

import numpy as np
import pandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from django_q.models import OrmQ

from accounts.models import Action, AuditEntry
from athletes import decisions
from athletes.frames import load
from athletes.frames.format import FramesError, match_key
from athletes.frames.unpacking import unpack
from athletes.models import DataType, Movement, MovementCurves, SessionMetric
from biomechanics.definitions import METRICS
from privacy import records, selectors
from privacy.archives import (
    ORPHAN_AGE,
    RUN_PATIENCE,
    make_archive,
    prune_archives,
    request_archive,
)
from privacy.models import Archive, ArchiveState
from tests import factories
from tests.privacy.conftest import ORG_ID, SESSION_ID, store_raw

pytestmark = pytest.mark.django_db


@pytest.fixture
def coach():
    return factories.make_user()


def made(player, user):
    archive = request_archive(player=player, user=user)
    make_archive(archive.pk)
    archive.refresh_from_db()
    return archive


@pytest.fixture
def opened(athlete, coach):
    archive = made(athlete, coach)
    with default_storage.open(archive.file_name) as file:
        return zipfile.ZipFile(io.BytesIO(file.read()))


def rows_of(opened, name):
    return list(csv.DictReader(io.StringIO(opened.read(name).decode())))


def parquet(opened, kind):
    (name,) = [n for n in opened.namelist() if n.endswith(f"/{kind}.parquet")]
    return pq.read_table(pa.BufferReader(opened.read(name)))


# --- What is in it ----------------------------------------------------------------


def numbers_in(value):
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int | float):
        yield float(value)
    elif isinstance(value, dict):
        for item in value.values():
            yield from numbers_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from numbers_in(item)


def test_it_holds_every_stored_number_of_every_table(athlete, opened):
    checked = 0
    for kind in records.athlete_tables():
        stored = json.loads(opened.read(f"records/{kind.table}.json"))
        wanted = list(kind.rows(athlete.pk).values(*kind.fields()))
        assert len(stored) == len(wanted), kind.table
        for found, row in zip(stored, wanted, strict=True):
            assert set(found) == set(row)
            assert list(numbers_in(found)) == list(numbers_in(row))
            checked += len(list(numbers_in(row)))
    assert checked > 100


def test_every_model_that_goes_with_an_athlete_is_known():
    tables = {kind.table for kind in records.athlete_tables()}
    assert {
        "players",
        "sessions",
        "movements",
        "biomechanics_data",
        "movement_curves",
        "session_metrics",
        "athletes_note",
        "athletes_eventcorrection",
        "athletes_inclusiondecision",
        "athletes_setaside",
        "athletes_tag_players",
        "athletes_tag_sessions",
        "accounts_team_players",
        "syncing_exportjob",
        "syncing_analysisjob",
    } <= tables


def test_every_kind_of_data_is_said_in_words(athlete):
    """No table that an athlete may have rows in is left without words."""
    assert "other rows" not in {kind.what for kind in selectors.kinds_of(athlete)}


@pytest.mark.parametrize(
    ("kind", "data_type"),
    [
        ("inverse-kinematics", "inverse-kinematics"),
        ("momentum-energy", "momentum-energy"),
        ("curves", None),
    ],
)
def test_frames_are_those_that_are_stored(athlete, opened, kind, data_type):
    table = parquet(opened, kind)
    movements = list(
        Movement.objects.filter(session__player=athlete).order_by("position")
    )
    for movement in movements:
        if data_type:
            stored = load.load_columns([movement.pk], data_type)[movement.pk]
        else:
            data = MovementCurves.objects.get(movement=movement).data
            stored = unpack(bytes(data))
        mask = pa.compute.equal(
            table["archive_org_movement_id"], movement.org_movement_id
        )
        part = table.filter(mask)
        assert part["archive_frame"].to_pylist() == list(range(part.num_rows))
        assert set(part["archive_position"].to_pylist()) == {movement.position}
        for name, values in stored.items():
            found = part[name].to_numpy(zero_copy_only=False)
            np.testing.assert_array_equal(found.astype(values.dtype), values)
    assert table.num_rows == sum(40 + place for place in range(3))


def test_a_column_that_one_movement_lacks_is_empty_there(opened):
    odd = parquet(opened, "inverse-kinematics")["odd_one"].to_pylist()
    assert odd[:81] == [None] * 81
    assert odd[-1] == 1e39
    assert math.isnan(parquet(opened, "inverse-kinematics")["pelvis_rot"][3].as_py())


def test_columns_keep_the_names_of_the_file(opened):
    assert "Energy" in parquet(opened, "momentum-energy").column_names
    index = rows_of(opened, "frames/index.csv")
    (row,) = [row for row in index if row["column"] == "odd_one"]
    assert row["canonical_name"] == "odd_one"
    assert row["type"] == "double"
    assert row["movements_with_it"] == "1"
    assert row["file"] in opened.namelist()


def test_metrics_have_a_line_for_each_swing_with_unit_and_reason(opened):
    rows = rows_of(opened, "metrics.csv")
    assert len(rows) == 6
    values = [r["value"] for r in rows if r["metric"] == "peak_pelvis_omega"]
    assert [float(value) for value in values] == [600.1234, 601.1234, 602.1234]
    assert {(r["uncertainty"], r["confidence"], r["basis"]) for r in rows} == {
        ("", "good", "")
    }
    missing = [r for r in rows if r["metric"] == "bat_speed_max"]
    assert {(r["value"], r["reason"]) for r in missing} == {("", "not measured")}
    assert {r["unit"] for r in rows} == {"deg/s"}
    assert {r["session_id"] for r in rows} == {SESSION_ID}


def test_numbers_are_numbers_and_texts_stand_apart(athlete, coach):
    entries = {"bat_speed_max": 31.5, "seq_order": "P-T-A-B"}
    swing = factories.make_swing(
        entries, session=factories.make_session(player=athlete)
    )
    Movement.objects.filter(pk=swing.pk).update(method_version="2026.10")
    archive = made(athlete, coach)
    with default_storage.open(archive.file_name) as file:
        opened = zipfile.ZipFile(io.BytesIO(file.read()))
    table = pandas.read_csv(io.BytesIO(opened.read("metrics.csv")))
    assert table["value"].dtype == "float64"
    (row,) = table[table["metric"] == "seq_order"].to_dict("records")
    assert (row["text"], row["method_version"]) == ("P-T-A-B", "v2026.10")
    assert 31.5 in set(table["value"])
    swings = pandas.read_csv(io.BytesIO(opened.read("swings.csv")))
    assert "v2026.10" in set(swings["method_version"])


def test_session_numbers_events_and_decisions_are_tables(opened):
    (row,) = rows_of(opened, "session_metrics.csv")
    assert float(row["mean"]) == 633.1234567
    assert row["unit"] == METRICS["peak_pelvis_omega"].unit
    assert [r["time_s"] for r in rows_of(opened, "events.csv")] == [
        "1.2042",
        "2.2042",
        "3.2042",
    ]
    (moved,) = rows_of(opened, "event_corrections.csv")
    assert (moved["time_s"], moved["automatic_time_s"]) == ("1.0123", "1.0456")
    (decided,) = rows_of(opened, "inclusion_decisions.csv")
    assert decided["reason"] == "Zebulon tired"
    (dismissed,) = rows_of(opened, "dismissed_gaps.csv")
    assert dismissed["reason"] == "Zebulon left"


def test_setups_of_swings_and_averages_of_each_are_columns(athlete, coach):
    swings = list(athlete.sessions.get().movements.in_session_order())
    decisions.set_setups(movements=swings[:1], setup="live")
    archive = made(athlete, coach)
    with default_storage.open(archive.file_name) as file:
        opened = zipfile.ZipFile(io.BytesIO(file.read()))
    # What nobody said of a swing by itself is what was said of its session.
    assert [row["condition"] for row in rows_of(opened, "swings.csv")] == [
        "live",
        "",
        "",
    ]
    assert [row["condition"] for row in rows_of(opened, "sessions.csv")] == ["tee"]
    assert {
        (row["condition"], row["n"], round(float(row["mean"]), 4))
        for row in rows_of(opened, "session_metrics.csv")
        if row["metric"] == "peak_pelvis_omega"
    } == {("live", "1", 600.1234), ("tee", "2", 601.6234)}


def test_cells_cannot_become_formulas(opened):
    notes = rows_of(opened, "notes.csv")
    assert [n["text"] for n in notes] == [
        '\'=HYPERLINK("x") for Zebulon',
        "'+1 for Quixley",
        "Zebulon switched bats",
    ]
    assert [bool(n["session_id"]) for n in notes] == [True, True, False]
    (session,) = rows_of(opened, "sessions.csv")
    assert session["bat"].startswith("'=cmd")
    for name in opened.namelist():
        if name.endswith(".csv") and not name.startswith("definitions"):
            for row in rows_of(opened, name):
                texts = [v for v in row.values() if not re.fullmatch(r"-[\d.e-]+", v)]
                assert not [t for t in texts if t[:1] in set("=+-@\t\r\n") and t]


def test_file_names_are_safe(athlete, opened):
    for name in opened.namelist():
        assert re.fullmatch(r"[0-9A-Za-z_./-]+", name), name
        assert ".." not in name
        assert not name.startswith("/")


@pytest.mark.parametrize("evil", ["../../etc/passwd", "a/b\\c:d*?", "‮x", "…" * 90])
def test_a_hostile_session_id_makes_a_safe_folder(coach, evil):
    session = factories.make_session(session_id=evil, session_date=None)
    factories.make_frames(movement=factories.make_movement(session=session))
    archive = made(session.player, coach)
    names = zipfile.ZipFile(default_storage.path(archive.file_name)).namelist()
    (frames,) = [n for n in names if n.endswith(".parquet")]
    assert re.fullmatch(r"frames/undated_\d+_[0-9A-Za-z-]+/[a-z-]+\.parquet", frames)


def test_definitions_and_readme_are_in_it(opened):
    metrics = json.loads(opened.read("definitions/metrics.json"))
    assert {m["id"] for m in metrics} == set(METRICS)
    assert len(rows_of(opened, "definitions/metrics.csv")) == len(METRICS)
    readme = opened.read("README.txt").decode()
    assert ORG_ID in readme
    for name in set(opened.namelist()) - {"README.txt"}:
        top = name.split("/")[0] + ("/" if "/" in name else "")
        assert top in readme or name in readme, name


def test_what_the_vendor_says_of_others_is_left_out(athlete, coach):
    other = factories.make_player(first_name="Otto", last_name="Elsewhere")
    shared = factories.make_session(player=athlete)
    factories.make_session(player=other, session_id=shared.session_id)
    store_raw(
        "session_detail",
        shared.session_id,
        {
            "participant_ids": [other.reboot_player_id, athlete.reboot_player_id],
            "players": [
                {"org_player_id": other.org_player_id, "last_name": "Elsewhere"},
                {"org_player_id": athlete.org_player_id, "last_name": "Quixley"},
            ],
        },
    )
    archive = made(athlete, coach)
    with zipfile.ZipFile(default_storage.path(archive.file_name)) as opened:
        everything = b"".join(opened.read(name) for name in opened.namelist())
        payloads = json.loads(opened.read("vendor/payloads.json"))
    assert b"Quixley" in everything
    assert b"Elsewhere" not in everything
    assert other.org_player_id.encode() not in everything
    detail = [p["payload"] for p in payloads if p["vendor_id"] == shared.session_id]
    assert detail[0]["players"] == [
        {"org_player_id": athlete.org_player_id, "last_name": "Quixley"}
    ]
    assert detail[0]["participant_ids"] == [athlete.reboot_player_id]


def test_an_athlete_without_anything_has_an_archive_too(coach):
    archive = made(factories.make_player(), coach)
    assert archive.state == ArchiveState.READY


# --- Making it --------------------------------------------------------------------


def test_asking_twice_makes_one(athlete, coach, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        first = request_archive(player=athlete, user=coach)
    with django_capture_on_commit_callbacks(execute=True):
        second = request_archive(player=athlete, user=factories.make_user())
    assert first.pk == second.pk
    (task,) = [q.task for q in OrmQ.objects.all()]
    assert task["func"] == "privacy.tasks.make_archive_task"
    assert task["args"] == (first.pk,)


def test_a_lost_message_is_sent_again(
    athlete, coach, django_capture_on_commit_callbacks
):
    archive = request_archive(player=athlete, user=coach)
    Archive.objects.filter(pk=archive.pk).update(
        enqueued_at=timezone.now() - timedelta(minutes=10)
    )
    with django_capture_on_commit_callbacks(execute=True):
        prune_archives()
    assert OrmQ.objects.count() == 1


def test_a_second_call_of_the_task_changes_nothing(athlete, coach):
    archive = made(athlete, coach)
    assert make_archive(archive.pk) == "nothing to do"
    assert Archive.objects.get().finished_at == archive.finished_at


def test_a_dead_worker_s_archive_is_taken_up_but_not_for_ever(athlete, coach):
    archive = request_archive(player=athlete, user=coach)
    long_ago = timezone.now() - RUN_PATIENCE - timedelta(minutes=1)
    Archive.objects.update(state="running", started_at=timezone.now(), attempts=1)
    assert make_archive(archive.pk) == "nothing to do"
    Archive.objects.update(started_at=long_ago, attempts=3)
    assert make_archive(archive.pk) == "nothing to do"
    archive.refresh_from_db()
    assert archive.state == ArchiveState.FAILED
    assert "Every worker" in archive.error


def test_a_failure_is_told_and_leaves_no_file(athlete, coach, files):
    archive = request_archive(player=athlete, user=coach)
    frames = Movement.objects.first().biomechanics.first()
    type(frames).objects.filter(pk=frames.pk).update(frames=b"damaged")
    with pytest.raises(FramesError):
        make_archive(archive.pk)
    archive.refresh_from_db()
    assert archive.state == ArchiveState.FAILED
    assert "FramesError" in archive.error
    assert [p for p in files.rglob("*") if p.is_file()] == []


def test_expired_archives_and_files_without_a_row_go(athlete, coach, files):
    archive = made(athlete, coach)
    path = files / archive.file_name
    orphan = path.with_name("orphan.zip")
    orphan.write_bytes(b"x")
    assert prune_archives() == 0
    old = (timezone.now() - ORPHAN_AGE - timedelta(hours=1)).timestamp()
    os.utime(orphan, (old, old))
    os.utime(path, (old, old))
    assert prune_archives() == 1
    assert path.exists()
    Archive.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert prune_archives() == 1
    assert not path.exists()
    assert not Archive.objects.exists()


# --- The pages --------------------------------------------------------------------


def test_a_coach_asks_for_and_fetches_the_archive(client, athlete, coach):
    client.force_login(coach)
    response = client.post(f"/privacy/athletes/{athlete.pk}/archive/")
    assert response["Location"] == f"/privacy/athletes/{athlete.pk}/"
    archive = Archive.objects.get()
    assert client.get(f"/privacy/archives/{archive.pk}/").status_code == 404
    make_archive(archive.pk)
    response = client.get(f"/privacy/archives/{archive.pk}/")
    day = timezone.now().date().isoformat()
    assert response["Content-Disposition"] == (
        f'attachment; filename="athlete-{athlete.pk}-archive-{day}.zip"'
    )
    assert response["Cache-Control"] == "private, no-store"
    content = b"".join(response.streaming_content)
    assert zipfile.ZipFile(io.BytesIO(content)).testzip() is None
    entries = AuditEntry.objects.filter(action=Action.DATA_EXPORTED)
    steps = [(e.player_number, e.user, e.detail["step"]) for e in entries]
    assert steps == [
        (athlete.pk, coach, "downloaded"),
        (athlete.pk, coach, "requested"),
    ]


def test_an_archive_is_for_who_may_see_the_athlete_now(client, athlete, coach):
    archive = made(athlete, coach)
    outside = factories.make_user(limited_to_teams=True)
    client.force_login(outside)
    assert client.get(f"/privacy/archives/{archive.pk}/").status_code == 404
    assert client.get(f"/privacy/athletes/{athlete.pk}/").status_code == 404
    answer = client.post(f"/privacy/athletes/{athlete.pk}/archive/")
    assert answer.status_code == 404
    athlete.teams.first().members.add(outside)
    answer = client.get(f"/privacy/archives/{archive.pk}/")
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content)[:2] == b"PK"


def test_an_expired_archive_is_not_given_out(client, athlete, coach):
    archive = made(athlete, coach)
    Archive.objects.update(expires_at=timezone.now())
    client.force_login(coach)
    assert client.get(f"/privacy/archives/{archive.pk}/").status_code == 404


def test_the_page_asks_until_the_archive_is_ready(client, athlete, coach):
    client.force_login(coach)
    url = f"/privacy/athletes/{athlete.pk}/"
    htmx = {"HX-Request": "true"}
    answer = client.post(f"{url}archive/", headers=htmx)
    assert b'hx-trigger="every 2s"' in answer.content
    assert client.get(url, headers=htmx).status_code == 200
    make_archive(Archive.objects.get().pk)
    answer = client.get(url, headers=htmx)
    assert answer.status_code == 286
    assert b"hx-trigger" not in answer.content
    assert b"Download" in answer.content


# --- With pandas, as people open it ------------------------------------------------


@pytest.fixture
def unpacked(opened, tmp_path):
    """The archive as files in a folder, as after a double click."""
    folder = tmp_path / "unpacked"
    opened.extractall(folder)
    return folder


def csv_of(folder, name):
    # Empty is missing; nothing else is: "NA" may be a name.
    return pandas.read_csv(folder / name, keep_default_na=False, na_values=[""])


def test_pandas_reads_every_table(unpacked):
    names = {path.name for path in unpacked.glob("*.csv")}
    tables = {name: csv_of(unpacked, name) for name in names}
    assert {name: len(table) for name, table in tables.items()} == {
        "athlete.csv": 13,
        "sessions.csv": 1,
        "session_metrics.csv": 1,
        "swings.csv": 3,
        "metrics.csv": 6,
        "events.csv": 3,
        "event_corrections.csv": 1,
        "inclusion_decisions.csv": 1,
        "dismissed_gaps.csv": 1,
        "notes.csv": 3,
        "goals.csv": 1,
        "levels.csv": 1,
        "tags.csv": 2,
    }
    for path in (unpacked / "records").glob("*.json"):
        rows = len(json.loads(path.read_text()))
        assert len(pandas.read_json(path)) == rows, path.name


def test_pandas_finds_every_metric_of_every_swing(athlete, unpacked):
    table = csv_of(unpacked, "metrics.csv").set_index(["org_movement_id", "metric"])
    checked = 0
    for movement in Movement.objects.filter(session__player=athlete):
        for name, entry in movement.metrics.items():
            row = table.loc[(movement.org_movement_id, name)]
            if entry["value"] is None:
                assert pandas.isna(row["value"])
                assert row["reason"] == entry["reason"]
            else:
                assert row["value"] == entry["value"]
            assert row["unit"] == entry["unit"]
            checked += 1
    assert checked == len(table) == 6


def test_pandas_finds_every_mean_of_every_session(athlete, unpacked):
    table = csv_of(unpacked, "session_metrics.csv").set_index(["session_id", "metric"])
    stored = list(SessionMetric.objects.filter(session__player=athlete))
    assert len(table) == len(stored) == 1
    for row in stored:
        found = table.loc[(row.session.session_id, row.metric)]
        for name in ("n", "mean", "sd", "minimum", "maximum", "median", "cv"):
            assert found[name] == getattr(row, name), name


@pytest.mark.parametrize("kind", [*DataType.values, "curves"])
def test_pandas_finds_every_frame(athlete, unpacked, kind):
    (path,) = unpacked.glob(f"frames/*/{kind}.parquet")
    table = pandas.read_parquet(path)
    movements = Movement.objects.filter(session__player=athlete)
    values = 0
    for movement in movements:
        if kind == "curves":
            curves = MovementCurves.objects.get(movement=movement)
            stored = unpack(bytes(curves.data))
        else:
            stored = load.load_columns([movement.pk], kind)[movement.pk]
        part = table[table["archive_org_movement_id"] == movement.org_movement_id]
        originals = {match_key(name): name for name in part.columns}
        for name, column in stored.items():
            found = part[originals[match_key(name)]].to_numpy()
            np.testing.assert_array_equal(found, column, err_msg=name)
            values += len(column)
    assert values >= 246
    # Nothing in the file that is not of these swings.
    names = set(movements.values_list("org_movement_id", flat=True))
    assert set(table["archive_org_movement_id"]) == names


def test_the_athlete_of_these_tests_has_a_row_in_every_table(athlete):
    """So that archive and erasure are tried on each table that there is."""
    empty = {
        kind.table
        for kind in records.athlete_tables()
        if not kind.rows(athlete.pk).exists()
    }
    # Merged athletes have tests of their own.
    assert empty - {"athletes_athletemerge"} == set()
