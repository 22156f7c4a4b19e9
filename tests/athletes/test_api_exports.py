"""Every number of every swing as one file."""

import datetime as dt
import io
import tracemalloc

import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from django.utils import timezone

from accounts.models import Action, AuditEntry
from athletes.api import metrics_table
from athletes.api.metrics_table import HEAD
from athletes.models import Movement
from biomechanics.definitions import METRICS
from privacy.erasing import erase
from tests import factories
from tests.openapi import assert_documented

pytestmark = pytest.mark.django_db


def body_of(response):
    return b"".join(response.streaming_content)


@pytest.fixture
def table(get):
    """Ask for the export as Parquet; the table and its answer."""

    def ask(**params):
        response = get("/exports/metrics", format="parquet", **params)
        return pq.read_table(io.BytesIO(body_of(response))), response

    return ask


def test_columns_are_always_the_same(table):
    empty, _ = table()
    assert empty.num_rows == 0
    assert empty.column_names[: len(HEAD)] == HEAD.names
    assert empty.column_names[len(HEAD) :] == [
        name
        for metric in METRICS
        for name in (metric, f"{metric}__uncertainty", f"{metric}__confidence")
    ]
    factories.make_swing({"attack_angle": 8.0})
    full, _ = table()
    assert full.schema.equals(empty.schema, check_metadata=False)
    field = full.schema.field("attack_angle")
    assert field.metadata == {b"unit": b"deg"}
    assert full.schema.field("attack_angle__uncertainty").metadata == {b"unit": b"deg"}


def test_a_row_says_what_a_swing_is(table):
    session = factories.make_session(condition="tee")
    events = {
        name: {"time_s": 1.0, "rule": rule, "confidence": "rule"}
        for name, rule in (("reference", "bat_peak"), ("foot_down", "ankle_settles"))
    }
    swing = factories.make_swing(
        {"attack_angle": 8.123456789, "head_drop": None},
        session=session,
        method_version="2026.10",
        events=events,
    )
    swing.metrics["attack_angle"] |= {"uncertainty": 123456.789, "flagged": True}
    swing.metrics["seq_order"] = factories.metric("P-T-A-B", "text")
    swing.save()
    found, _ = table()
    (row,) = found.to_pylist()
    told = {name: row[name] for name in HEAD.names if name != "updated_at"}
    assert told == {
        "swing_id": swing.pk,
        "player_id": session.player_id,
        "org_player_id": session.player.org_player_id,
        "session": session.pk,
        "session_id": session.session_id,
        "org_movement_id": swing.org_movement_id,
        "position": 1,
        "session_date": dt.date(2026, 3, 1),
        "side": "right",
        "setup": "tee",
        "counted": True,
        "counted_reason": None,
        "quality": "good",
        "reference_rule": "bat_peak",
        "foot_down_rule": "ankle_settles",
        "method_version": "v2026.10",
        "gone_at": None,
        "gone_because": None,
    }
    assert row["updated_at"].tzinfo is not None
    assert row["attack_angle"] == 8.12346
    assert row["attack_angle__uncertainty"] == 123457.0
    assert row["attack_angle__confidence"] == "low"
    assert (row["head_drop"], row["head_drop__confidence"]) == (None, None)
    assert row["seq_order"] == "P-T-A-B"
    assert row["bat_speed_max"] is None


@pytest.mark.both
def test_csv_holds_the_same(get, table):
    for place in range(3):
        factories.make_swing({"attack_angle": 8.1 + place}, org_movement_id="=1+1")
    response = get("/exports/metrics", metrics="attack_angle")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    text = body_of(response)
    first = text.decode().splitlines()[1]
    assert "'=1+1" in first
    assert "+00:00" in first
    read = pacsv.read_csv(io.BytesIO(text)).to_pydict()
    found, _ = table(metrics="attack_angle")
    assert read["attack_angle"] == found["attack_angle"].to_pylist() == [8.1, 9.1, 10.1]
    assert read["method_version"] == ["vtest"] * 3
    assert list(read) == found.column_names


def test_a_version_is_text_for_whoever_guesses_types(get):
    factories.make_swing(method_version="2026.10")
    read = pacsv.read_csv(io.BytesIO(body_of(get("/exports/metrics"))))
    assert read["method_version"].to_pylist() == ["v2026.10"]


def test_numbers_have_six_digits_and_the_shortest_text(table):
    values = [0.1 + 0.2, -1234567.8, 1e-12 / 3, 2 / 3, 0.0, 99999.96, 1e9 / 7]
    for value in values:
        factories.make_swing({"attack_angle": value})
    found, _ = table(metrics="attack_angle")
    assert found["attack_angle"].to_pylist() == [float(f"{v:.6g}") for v in values]


def test_filters_choose_swings(table):
    swing = factories.make_swing()
    april = factories.make_session(session_date=dt.date(2026, 4, 1))
    other = factories.make_swing(session=april)

    def swings(**params):
        return table(**params)[0]["swing_id"].to_pylist()

    assert swings() == [swing.pk, other.pk]
    assert swings(player_id=april.player_id) == [other.pk]
    assert swings(session=swing.session_id) == [swing.pk]
    assert swings(start_date="2026-03-15") == [other.pk]
    assert swings(end_date="2026-03-15") == [swing.pk]


def test_only_what_changed_comes_another_night(table):
    swings = [factories.make_swing() for _ in range(3)]
    found, response = table()
    cursor = response["Next-Cursor"]
    assert found.schema.metadata[b"next"].decode() == cursor
    assert response["Next-More"] == "false"
    assert table(cursor=cursor)[0].num_rows == 0
    Movement.objects.filter(pk=swings[1].pk).update(position=9)
    erased = swings[2].pk
    erase(player=swings[2].session.player, by=None)
    found, response = table(cursor=cursor)
    rows = found.to_pylist()
    assert [(row["swing_id"], row["gone_because"]) for row in rows] == [
        (swings[1].pk, None),
        (erased, "erased"),
    ]
    assert {name for name, value in rows[1].items() if value is not None} == {
        "swing_id",
        "gone_at",
        "gone_because",
    }
    assert table(cursor=response["Next-Cursor"])[0].num_rows == 0


def test_changes_since_a_time(table):
    factories.make_swing()
    table()
    since = timezone.now() + dt.timedelta(milliseconds=1)
    while timezone.now() < since:
        pass
    new = factories.make_swing()
    found, _ = table(updated_since=since.isoformat())
    assert found["swing_id"].to_pylist() == [new.pk]


def test_what_the_vendor_no_longer_has_says_so(table):
    factories.make_swing(missing_since=timezone.now())
    (row,) = table()[0].to_pylist()
    assert row["gone_because"] == "missing_at_vendor"
    assert row["gone_at"] is not None
    assert (row["counted"], row["counted_reason"]) == (False, "missing_at_vendor")


def test_a_team_sees_its_own(client):
    swing, _ = factories.make_swing(), factories.make_swing()
    team = factories.make_team(players=[swing.session.player])
    headers = factories.make_token(team=team)
    response = client.get("/exports/metrics", {"format": "parquet"}, headers=headers)
    found = pq.read_table(io.BytesIO(body_of(response)))
    assert found["swing_id"].to_pylist() == [swing.pk]


def test_unchanged_numbers_cost_a_304(client, get):
    swing = factories.make_swing()
    headers = factories.make_token()
    first = client.get("/exports/metrics", headers=headers)
    body_of(first)
    asked = {**headers, "If-None-Match": first["ETag"]}
    assert client.get("/exports/metrics", headers=asked).status_code == 304
    Movement.objects.filter(pk=swing.pk).update(position=9)
    assert client.get("/exports/metrics", headers=asked).status_code == 200


def test_a_download_is_in_the_audit(get):
    swing = factories.make_swing()
    get("/exports/metrics", player_id=swing.session.player_id)
    entry = AuditEntry.objects.get(action=Action.DATA_EXPORTED)
    assert entry.player_number == swing.session.player_id
    assert entry.detail == {"format": "csv", "data_type": "metrics"}


@pytest.mark.parametrize(
    "params",
    [{"limit": 5}, {"format": "json"}, {"metrics": "nothing"}, {"cursor": "nothing"}],
)
def test_wrong_parameters_are_refused(get, params):
    assert_documented(get("/exports/metrics", 422, **params), "/exports/metrics")


@pytest.mark.parametrize("count", [1, 40])
def test_an_export_costs_few_queries(get, count, django_assert_max_num_queries):
    session = factories.make_session()
    for _ in range(count):
        factories.make_swing(session=session)
    body_of(get("/exports/metrics"))
    # token, place, swings; the audit
    with django_assert_max_num_queries(8):
        body_of(get("/exports/metrics"))


@pytest.mark.mainly("sqlite")
def test_memory_stays_flat(get, monkeypatch, tmp_path):
    """Six times the swings take no more memory at once."""
    monkeypatch.setattr(metrics_table, "_AT_ONCE", 50)
    monkeypatch.setattr(metrics_table, "_ROW_GROUP", 100)
    session = factories.make_session()
    entries = {
        name: 1.0 + place
        for place, (name, item) in enumerate(METRICS.items())
        if item.unit != "text"
    }
    first = factories.make_swing(entries, session=session)
    names = [field.attname for field in Movement._meta.concrete_fields[1:]]

    def peak(swings):
        Movement.objects.exclude(pk=first.pk).delete()
        copies = []
        for place in range(1, swings):
            copies.append(Movement(**{name: getattr(first, name) for name in names}))
            copies[-1].org_movement_id = f"IMG-{place}"
        Movement.objects.bulk_create(copies)
        response = get("/exports/metrics", format="parquet")
        tracemalloc.start()
        try:
            pieces = 0
            with (tmp_path / "file").open("wb") as file:
                for piece in response.streaming_content:
                    pieces += 1
                    file.write(piece)
            return tracemalloc.get_traced_memory()[1], pieces
        finally:
            tracemalloc.stop()

    small, few = peak(200)
    large, many = peak(1_200)
    assert (few, many) == (3, 13)
    assert pq.read_metadata(tmp_path / "file").num_row_groups == 12
    read = pq.read_table(tmp_path / "file", columns=["org_movement_id", "attack_angle"])
    assert len(set(read["org_movement_id"].to_pylist())) == 1_200
    assert set(read["attack_angle"].to_pylist()) == {entries["attack_angle"]}
    assert large < 1.3 * small
