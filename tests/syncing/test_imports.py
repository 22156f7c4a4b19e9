"""Files by hand: the same reader, all or nothing."""

import datetime as dt
import gzip
import io

import pytest
import requests
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.utils import timezone
from django.utils.formats import date_format

from athletes.models import BiomechanicsData, Movement, Player, Session
from syncing.choices import JobState
from syncing.imports import GivenFile, ImportRefusedError, NewAthlete, import_files
from syncing.models import ExportJob, SyncLog
from tests.factories import make_player

pytestmark = pytest.mark.django_db


@pytest.fixture
def download(vendor):
    """Function: data type, format -> what the vendor's dashboard would hand out."""
    session = next(
        s
        for s in vendor.world.sessions
        if s.slug == "baseball-hitting"
        and vendor.world.has_data(s, s.athletes[0], s.slug)
    )
    key = {"x-api-key": vendor.app.config.api_key}

    def get(data_type="inverse-kinematics", data_format="csv"):
        body = {
            "session_id": session.id,
            "org_player_id": session.athletes[0],
            "movement_type_id": 1,
            "data_type": data_type,
            "data_format": data_format,
            "aggregate": True,
        }
        reply = requests.post(
            f"{vendor.url}/data_export", json=body, headers=key, timeout=10
        )
        return requests.get(reply.json()["download_urls"][0], timeout=10).content

    get.session, get.player = session.id, session.athletes[0]
    return get


NEW = NewAthlete("Ash", "Maple")


def known(org_player_id):
    return Player.everyone.filter(org_player_id=org_player_id).exists()


def take_in(download, *contents, **options):
    return import_files(
        [GivenFile(f"file{n}", io.BytesIO(c)) for n, c in enumerate(contents)],
        **(
            {
                "org_player_id": download.player,
                "session_id": download.session,
                "new_athlete": None if known(download.player) else NEW,
                "trigger": "command",
            }
            | options
        ),
    )


def stored():
    return list(
        BiomechanicsData.objects.order_by(
            "movement__org_movement_id", "data_type"
        ).values_list("movement__org_movement_id", "data_type", "content_sha256")
    )


@pytest.mark.both
def test_files_become_movements_with_numbers(download):
    result = take_in(
        download,
        download(),
        download("momentum-energy", "parquet"),
        download("metadata"),
    )
    movements = Movement.objects.filter(session=result.session)
    assert result.movements == movements.count() > 0
    assert result.created == BiomechanicsData.objects.count() == 2 * result.movements
    swings = movements.filter(is_swing=True)
    assert swings
    assert all(m.metrics["peak_pelvis_omega"]["value"] > 300 for m in swings)
    assert Player.objects.get().org_player_id == download.player
    states = set(ExportJob.objects.values_list("state", flat=True))
    assert states == {JobState.STORED}
    run = SyncLog.objects.get()
    assert (run.kind, run.status) == ("upload", "success")


@pytest.mark.both
def test_same_file_twice_changes_nothing(download):
    content = download()
    first = take_in(download, content)
    before = stored()
    second = take_in(download, content)
    assert (second.created, second.updated) == (0, 0)
    assert second.unchanged == first.created
    assert stored() == before


def test_csv_and_parquet_of_one_export_are_the_same(download):
    take_in(download, download(data_format="csv"))
    second = take_in(download, download(data_format="parquet"))
    assert second.created == 0
    assert second.session == Session.objects.get()


@pytest.mark.both
def test_frames_are_kept_only_together_with_the_note_that_they_are_stored(download):
    def fail_at_jobs(execute, sql, params, many, context):
        if sql.startswith(f'INSERT INTO "{ExportJob._meta.db_table}"'):
            raise OperationalError("The disk is full.")
        return execute(sql, params, many, context)

    content = download()
    with connection.execute_wrapper(fail_at_jobs), pytest.raises(OperationalError):
        take_in(download, content)
    assert (stored(), ExportJob.objects.count()) == ([], 0)
    assert SyncLog.objects.get().status == "failed"
    # The disk has room again.
    assert take_in(download, content).created == BiomechanicsData.objects.count() > 0


def test_wrong_file_refuses_all_before_anything_is_written(download):
    good = download()
    with pytest.raises(ImportRefusedError, match="file1"):
        take_in(download, good, b"<html><body>Please log in</body></html>")
    for model in (Player, Session, Movement, BiomechanicsData, SyncLog):
        assert model.objects.count() == 0


@pytest.mark.parametrize(
    "mangled",
    [
        *("{}.csv.gz", "{} (1).csv", "{}__1_.csv", "1766451097841_{}.csv"),
        *("Copy of {}.csv", "{}_2.csv", "{}.CSV.GZ"),
    ],
)
@pytest.mark.parametrize("change", [str, str.upper], ids=["as it was", "upper case"])
def test_file_of_another_athlete_is_refused_by_its_name(download, mangled, change):
    other = make_player(org_player_id="d6c7a1b0-1111-4111-8111-0123456789ab")
    name = change(
        mangled.format(
            f"20260305_session_4_rebootmotion_{other.org_player_id}"
            "_baseball-hitting_inverse-kinematics"
        )
    )

    def give(org_player_id):
        return import_files(
            [GivenFile(name, io.BytesIO(download()))],
            org_player_id=org_player_id,
            session_id=download.session,
            new_athlete=None if known(org_player_id) else NEW,
            trigger="command",
        )

    with pytest.raises(ImportRefusedError, match="a file of another athlete"):
        give(download.player)
    assert not Session.objects.exists()
    assert give(other.org_player_id).created > 0

    # A name that tells of nobody whom we know says nothing.
    Player.everyone.filter(pk=other.pk).update(org_player_id="somebody-else")
    assert give(download.player).movements > 0


def bomb():
    """What unpacks to 200 MB."""
    return gzip.compress(bytes(200_000_000), 1)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x1f\x8b",
        b"index,time\r\n0,0\r\n",
        b"\xef\xbb\xbf<?xml version='1.0'?><Error/>",
        b"org_movement_id,time,time,pelvis_rot\r\na,0,0,1\r\n",
        # Made by the test alone: every worker reads this list.
        bomb,
    ],
)
@pytest.mark.both
def test_every_wrong_file_leaves_nothing_behind(download, content):
    content = content() if callable(content) else content
    with pytest.raises(ImportRefusedError) as caught:
        take_in(download, download("momentum-energy"), content)
    assert str(caught.value).startswith("file1: ")
    for model in (Player, Session, Movement, BiomechanicsData, ExportJob, SyncLog):
        assert model.objects.count() == 0


def test_truncated_file_is_refused(download):
    with pytest.raises(ImportRefusedError):
        take_in(download, download()[:-200])
    assert Player.objects.count() == 0


def test_command_stores_and_says_what(download, tmp_path, capsys):
    path = tmp_path / "20260305_session_4_rebootmotion_x_baseball-hitting_ik.csv.gz"
    path.write_bytes(download())
    options = {
        "player": download.player,
        "session": download.session,
        "new_athlete": "Ash Maple",
    }
    call_command("import_export", str(path), **options)
    assert "new, 0 changed, 0 as before" in capsys.readouterr().out
    session = Session.objects.get()
    assert (session.session_date.isoformat(), session.session_num) == (
        "2026-03-05",
        "4",
    )


def test_date_and_number_are_taken_from_a_name_that_a_browser_changed(download):
    name = "1766451097841_20251220_session_7_rebootmotion_x_baseball-hitting_ik__1_.csv"
    given = [GivenFile(name, io.BytesIO(download()))]
    ids = {"org_player_id": download.player, "session_id": download.session}
    session = import_files(given, **ids, new_athlete=NEW, trigger="command").session
    assert (str(session.session_date), session.session_num) == ("2025-12-20", "7")


def test_files_of_two_sessions_by_their_names_are_refused(download):
    given = [
        GivenFile(
            f"2025122{day}_session_7_rebootmotion_x_baseball-hitting_ik.csv",
            io.BytesIO(download()),
        )
        for day in (0, 1)
    ]
    ids = {"org_player_id": download.player, "session_id": download.session}
    with pytest.raises(ImportRefusedError, match="different sessions"):
        import_files(given, **ids, new_athlete=NEW, trigger="command")
    assert not Session.objects.exists()


@pytest.mark.both
@pytest.mark.parametrize("typed", ["x", "22", None])
def test_an_unknown_id_begins_nobody(download, tmp_path, typed):
    path = tmp_path / "ik.csv.gz"
    path.write_bytes(download())
    options = {"player": typed or download.player[:-1], "session": download.session}
    with pytest.raises(CommandError, match="No athlete has the ID"):
        call_command("import_export", str(path), **options)
    assert not Player.everyone.exists()
    with pytest.raises(CommandError, match="a first and a last name"):
        call_command("import_export", str(path), **options, new_athlete="Ash")
    born = {"new_athlete": "Maple, Ash", "birth_date": dt.date(2009, 5, 4)}
    call_command("import_export", str(path), **options, **born)
    player = Player.objects.get()
    assert (player.full_name, player.date_of_birth) == ("Ash Maple", born["birth_date"])


def test_a_stored_athlete_is_no_new_one(download):
    take_in(download, download())
    for typed in (download.player, download.player.upper().replace("-", "")):
        with pytest.raises(ImportRefusedError, match="a stored athlete"):
            take_in(download, download(), org_player_id=typed, new_athlete=NEW)
    assert Player.everyone.count() == 1


def test_what_is_odd_is_said(download):
    take_in(download, download())
    other = make_player(org_player_id="somebody", first_name="Ash", last_name="Mapel")
    tomorrow = timezone.localdate() + dt.timedelta(days=1)
    said = take_in(
        download,
        download(),
        org_player_id=other.org_player_id,
        new_athlete=None,
        session_date=tomorrow,
    ).warnings
    assert "already stored: Ash Maple · undated" in said[0]
    assert f"{date_format(tomorrow, 'M j, Y')} is in the future" in said[1]
    said = take_in(
        download,
        download("momentum-energy"),
        org_player_id="new",
        new_athlete=NewAthlete("Ash", "Mapple2"),
        session_date=dt.date(2026, 3, 5),
    ).warnings
    assert [text for text in said if "does not look like a name" in text]


def test_command_names_a_missing_file(tmp_path):
    with pytest.raises(CommandError, match=r"absent\.csv.*Nothing was stored"):
        call_command(
            "import_export", str(tmp_path / "absent.csv"), player="a", session="b"
        )


def test_processed_metrics_bring_the_vendors_contact(download):
    metrics = download("hitting-processed-metrics")
    result = take_in(download, download())
    swings = Movement.objects.filter(session=result.session, is_swing=True)
    assert swings
    assert not swings.filter(events__contact__confidence="vendor").exists()
    take_in(download, metrics)
    assert all(m.events["contact"]["confidence"] == "vendor" for m in swings.all())
    job = ExportJob.objects.get(data_type="hitting-processed-metrics")
    assert (job.state, job.rows) == (JobState.STORED, result.movements)
    before = list(swings.values_list("analysed_at", flat=True))
    take_in(download, metrics)
    assert list(swings.values_list("analysed_at", flat=True)) == before


def test_metrics_by_the_inner_id_are_matched_to_known_movements_alone(download):
    take_in(download, download())
    known = Movement.objects.first()
    text = "movement_id,impact_event,peak_velocity_event\n{},410,400\nother,1,2\n"
    take_in(download, text.format(known.org_movement_id).encode())
    known.refresh_from_db()
    assert known.vendor_metrics["impact_event"] == 410
    assert not Movement.objects.filter(org_movement_id="other").exists()
    with pytest.raises(ImportRefusedError, match="org_movement_id"):
        take_in(download, text.format("stranger").encode())
