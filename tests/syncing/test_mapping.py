import json
from datetime import UTC, date, datetime

import pytest

from syncing.client.types import parse_player, parse_session
from syncing.mapping import (
    HoldsSwings,
    Problem,
    holds_swings,
    is_done,
    map_player,
    map_session,
    read_day,
    read_height_ft,
    read_moment,
    read_weight_lbs,
)

TODAY = date(2026, 6, 1)


def player(attributes=None, **fields):
    raw = {
        "id": "i-1",
        "org_player_id": "p-1",
        "first_name": " Ada ",
        "last_name": "Example",
        "date_of_birth": "2004-05-06",
        "attributes": [
            {"key": key, "value": value} for key, value in (attributes or {}).items()
        ],
        **fields,
    }
    return map_player(parse_player(raw, "GET /players"), today=TODAY)


def session(**fields):
    raw = {"id": "s-1", "status": "processed", **fields}
    return parse_session(raw, "GET /sessions")


def test_player_is_mapped_whole():
    mapped = player(
        {
            "height_ft": "6.000",
            "weight_lbs": "182",
            "dom_hand_hitting": "LHA",
            "dom_hand_throwing": "RHA",
        },
        updated_at="2026-01-02T03:04:05Z",
    )
    assert mapped.fields == {
        "org_player_id": "p-1",
        "reboot_player_id": "i-1",
        "first_name": "Ada",
        "last_name": "Example",
        "date_of_birth": date(2004, 5, 6),
        "height_ft": 6.0,
        "weight_lbs": 182.0,
        "dominant_hand_hitting": "left",
        "dominant_hand_throwing": "right",
        "vendor_updated_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    }
    assert mapped.problems == ()


def test_absent_values_are_missing_and_no_problem():
    mapped = player({"height_ft": "", "weight_lbs": "n/a"}, date_of_birth=None)
    values = mapped.fields
    assert [values[n] for n in ("height_ft", "weight_lbs", "date_of_birth")] == [
        None,
        None,
        None,
    ]
    assert values["dominant_hand_hitting"] is None
    assert mapped.problems == ()


def test_malformed_values_are_missing_and_each_is_counted():
    mapped = player(
        {
            "height_ft": "tall",
            "weight_lbs": "-4",
            "dom_hand_hitting": "both-ish",
            "dom_hand_throwing": "X",
        },
        date_of_birth="06/05/2004",
        updated_at="yesterday",
    )
    assert {
        mapped.fields[name]
        for name in mapped.fields
        if name not in {"org_player_id", "reboot_player_id", "first_name", "last_name"}
    } == {None}
    assert sorted((p.name, p.code, p.text) for p in mapped.problems) == [
        ("date_of_birth", "unreadable", "06/05/2004"),
        ("dominant_hand_hitting", "unreadable", "both-ish"),
        ("dominant_hand_throwing", "unreadable", "X"),
        ("height_ft", "unreadable", "tall"),
        ("vendor_updated_at", "unreadable", "yesterday"),
        ("weight_lbs", "implausible", "-4"),
    ]
    assert set(mapped.readable) == {
        "org_player_id",
        "reboot_player_id",
        "first_name",
        "last_name",
    }


@pytest.mark.parametrize("value", [True, ["6.0"], {"feet": 6}])
def test_a_value_of_another_kind_is_unreadable_and_not_absent(value):
    for mapped in (player({"height_ft": value}), player(height_ft=value)):
        (problem,) = mapped.problems
        assert (problem.name, problem.code) == ("height_ft", "unreadable")
        assert problem.text == json.dumps(value)


def test_flat_fields_stand_in_for_absent_attributes():
    mapped = player({"height_ft": "6.1"}, height_ft="5.0", dominant_hand_hitting="SHA")
    assert mapped.fields["height_ft"] == 6.1
    assert mapped.fields["dominant_hand_hitting"] == "switch"


@pytest.mark.parametrize(
    ("text", "feet"),
    [
        ("6.000", 6.0),
        ("5.9", 5.9),
        ("6", 6.0),
        ("6 ft", 6.0),
        ("5.11", 5.11),  # decimal feet, as the vendor writes them
        ("5 11", 5 + 11 / 12),
        ("5'11\"", 5 + 11 / 12),
        ("5’ 11”", 5 + 11 / 12),
        ("5-11", 5 + 11 / 12),
        ("5 ft 11 in", 5 + 11 / 12),
        ("6 0", 6.0),
        ("5 10.5", 5 + 10.5 / 12),
    ],
)
def test_height_is_read_where_there_is_one_reading(text, feet):
    height, problem = read_height_ft(text)
    assert height == pytest.approx(feet, abs=1e-12)
    assert problem is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("511", "implausible"),
        ("71", "implausible"),
        ("180", "implausible"),
        ("0", "implausible"),
        ("-6", "implausible"),
        ("5 12", "unreadable"),
        ("5,11", "unreadable"),
        ("5 11 2", "unreadable"),
        ("180 cm", "unreadable"),
        ("1e1", "unreadable"),
        ("inf", "unreadable"),
        ("٦", "unreadable"),
    ],
)
def test_height_with_several_readings_is_missing(text, problem):
    assert read_height_ft(text) == (None, problem)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("182", (182.0, None)),
        ("182.5 lbs", (182.5, None)),
        ("82 kg", (None, "unreadable")),
        ("1820", (None, "implausible")),
        ("nan", (None, "unreadable")),
    ],
)
def test_weight(text, result):
    assert read_weight_lbs(text) == result


@pytest.mark.parametrize(
    ("text", "hand"),
    [
        ("RHA", "right"),
        ("rha", "right"),
        ("L", "left"),
        ("Switch", "switch"),
        ("B", "switch"),
        ("SHA", "switch"),
    ],
)
def test_hands(text, hand):
    assert player({"dom_hand_hitting": text}).fields["dominant_hand_hitting"] == hand


@pytest.mark.parametrize("text", ["2026-06-02", "1899-12-31"])
def test_impossible_births_are_missing(text):
    mapped = player(date_of_birth=text)
    assert mapped.fields["date_of_birth"] is None
    assert mapped.problems == (Problem("date_of_birth", "implausible", text),)


def test_names_longer_than_their_column_show_that_they_are_cut():
    assert player(first_name="x" * 200).fields["first_name"] == "x" * 200
    mapped = player(first_name="x" * 201)
    assert mapped.fields["first_name"] == "x" * 199 + "…"
    assert mapped.problems == (Problem("first_name", "too_long", "x" * 201),)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2025-12-20", date(2025, 12, 20)),
        ("2025-12-20T23:59:00Z", date(2025, 12, 20)),
        ("2025-12-20T00:30:00+09:00", date(2025, 12, 20)),
        ("2025-12-20 08:00", date(2025, 12, 20)),
        ("2025-13-20", None),
        ("20.12.2025", None),
        ("2025-12-201", None),
    ],
)
def test_days_are_never_shifted(text, day):
    assert read_day(text) == day


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-12-20T18:47:40Z", datetime(2025, 12, 20, 18, 47, 40, tzinfo=UTC)),
        ("2025-12-20T18:47:40", datetime(2025, 12, 20, 18, 47, 40, tzinfo=UTC)),
        ("2025-12-20T20:47:40+02:00", datetime(2025, 12, 20, 18, 47, 40, tzinfo=UTC)),
        ("0001-01-01T00:00:00+05:00", None),
        ("soon", None),
        (None, None),
    ],
)
def test_moments_are_in_utc(text, moment):
    assert read_moment(text) == moment


def test_session_is_mapped_whole():
    mapped = map_session(
        session(
            session_date="2025-12-20T23:30:00Z",
            session_num=3,
            status="Processed",
            session_type={"id": 1, "name": "Practice", "slug": "practice"},
            mocap_type={"id": 67, "slug": "rebootmotion"},
            updated_at="2025-12-21T01:00:00Z",
        )
    )
    assert mapped.fields == {
        "session_id": "s-1",
        "session_date": date(2025, 12, 20),
        "session_num": "3",
        "session_type_name": "practice",
        "mocap_type_name": "rebootmotion",
        "vendor_status": "processed",
        "vendor_updated_at": datetime(2025, 12, 21, 1, tzinfo=UTC),
    }
    assert mapped.problems == ()
    assert map_session(session(session_date="someday")).problems == (
        Problem("session_date", "unreadable", "someday"),
    )


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({"total_movements": {"baseball-hitting": 3}}, HoldsSwings.YES),
        ({"total_movements": {"Baseball_Hitting": "2", "x": 1}}, HoldsSwings.YES),
        ({"total_movements": {"baseball-pitching": 4}}, HoldsSwings.NO),
        (
            {"total_movements": {"baseball-pitching": 4}, "status": "processing"},
            HoldsSwings.UNKNOWN,
        ),
        ({"total_movements": {"baseball-hitting": 0}}, HoldsSwings.NO),
        (
            {"total_movements": {"baseball-hitting": 0}, "status": "pending"},
            HoldsSwings.UNKNOWN,
        ),
        ({"total_movements": {}}, HoldsSwings.UNKNOWN),
        ({"total_movements": None}, HoldsSwings.UNKNOWN),
        ({"movement_type": {"slug": "baseball-hitting"}}, HoldsSwings.YES),
        ({"movement_type": "Baseball Hitting"}, HoldsSwings.YES),
        ({"movement_type": {"name": "baseball-pitching"}}, HoldsSwings.NO),
        ({"movement_type": ""}, HoldsSwings.UNKNOWN),
        ({"movement_type": {}}, HoldsSwings.UNKNOWN),
        ({}, HoldsSwings.UNKNOWN),
    ],
)
def test_hitting_is_told_by_the_counts_first(fields, verdict):
    assert holds_swings(session(**fields)) is verdict


@pytest.mark.parametrize(
    ("status", "done"),
    [("processed", True), ("COMPLETED", True), ("processing", False), (None, False)],
)
def test_status_is_compared_without_case(status, done):
    assert is_done(session(status=status)) is done
