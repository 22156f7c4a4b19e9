"""JSON about athletes: paths, names and types that other programs rely on."""

import datetime as dt
import io

import pytest
from pyarrow import parquet as pq

from athletes.analysis import run
from athletes.models import Inclusion, Movement
from tests import factories
from tests.openapi import assert_documented

pytestmark = pytest.mark.django_db

PLAYER_KEYS = [
    "id",
    "org_player_id",
    "reboot_player_id",
    "first_name",
    "last_name",
    "date_of_birth",
    "height_ft",
    "weight_lbs",
    "dominant_hand_hitting",
    "dominant_hand_throwing",
    "created_at",
    "updated_at",
]
SESSION_KEYS = [
    "id",
    "session_id",
    "player_id",
    "session_date",
    "movement_type_id",
    "movement_type_name",
    "data_synced",
    "created_at",
    "updated_at",
    "gone_at",
    "gone_because",
    "player",
]
MOVEMENT_KEYS = [
    "id",
    "org_movement_id",
    "session",
    "session_id",
    "player_id",
    "position",
    "side",
    "setup",
    "counted",
    "counted_reason",
    "sampling_rate_hz",
    "frames",
    "angle_unit_found",
    "quality",
    "events",
    "metrics",
    "method_version",
    "updated_at",
    "gone_at",
    "gone_because",
]
EVENT_NAMES = [
    "load",
    "first_move",
    "foot_down",
    "peak_hand_speed",
    "contact",
    "reference",
]


# --- Athletes -------------------------------------------------------------------


def test_players_have_the_kept_shape(get):
    player = factories.make_player(
        date_of_birth=dt.date(2009, 5, 17), height_ft=6.5, weight_lbs=181.25
    )
    response = get("/players")
    assert_documented(response, "/players")
    body = response.json()
    assert list(body) == ["total", "players", "page", "limit", "next", "more"]
    assert (body["total"], body["page"], body["limit"]) == (1, 1, 100)
    row = body["players"][0]
    assert list(row) == PLAYER_KEYS
    assert row["id"] == player.pk
    assert row["date_of_birth"] == "2009-05-17"
    assert (row["height_ft"], row["weight_lbs"]) == (6.5, 181.25)
    created = dt.datetime.fromisoformat(row["created_at"])
    assert created == player.created_at
    assert created.utcoffset() is not None


def test_missing_values_of_a_player_are_null(get):
    player = factories.make_player(
        reboot_player_id="",
        first_name="",
        last_name="",
        height_ft=None,
        weight_lbs=None,
        dominant_hand_hitting=None,
        dominant_hand_throwing=None,
    )
    response = get(f"/players/{player.pk}")
    assert_documented(response, "/players/{id}")
    body = response.json()
    assert {name for name, value in body.items() if value is None} == {
        "reboot_player_id",
        "first_name",
        "last_name",
        "date_of_birth",
        "height_ft",
        "weight_lbs",
        "dominant_hand_hitting",
        "dominant_hand_throwing",
    }


def test_players_come_by_last_name_first_name_and_id(get):
    last = factories.make_player(last_name="Zeta", first_name="A")
    second = factories.make_player(last_name="Alpha", first_name="B")
    third = factories.make_player(last_name="Alpha", first_name="B")
    first = factories.make_player(last_name="Alpha", first_name="A")
    ids = [row["id"] for row in get("/players").json()["players"]]
    assert ids == [first.pk, second.pk, third.pk, last.pk]


@pytest.mark.parametrize(
    ("skip", "limit", "page", "count"),
    [
        (0, 2, 1, 2),
        (2, 2, 2, 2),
        (4, 2, 3, 1),
        (3, 2, 2, 2),
        (6, 2, 4, 0),
        (0, 9, 1, 5),
    ],
)
def test_page_is_counted_from_skip(get, skip, limit, page, count):
    for _ in range(5):
        factories.make_player()
    body = get("/players", skip=skip, limit=limit).json()
    assert (body["total"], body["page"], len(body["players"])) == (5, page, count)


def test_pages_hold_every_player_once(get):
    players = {factories.make_player().pk for _ in range(7)}
    seen = []
    for skip in range(0, 7, 3):
        seen += [
            row["id"] for row in get("/players", skip=skip, limit=3).json()["players"]
        ]
    assert len(seen) == 7
    assert set(seen) == players


def test_following_pages_stay_whole_while_players_come_and_go(get):
    players = [factories.make_player(last_name=f"M{n}") for n in range(6)]
    response = get("/players", limit=2)
    seen = [row["id"] for row in response.json()["players"]]
    factories.make_player(last_name="A came meanwhile")
    players[0].delete()
    while "Link" in response:
        path = response["Link"].split(">")[0].removeprefix("<")
        response = get(path)
        seen += [row["id"] for row in response.json()["players"]]
    assert seen == [player.pk or seen[0] for player in players]


def test_following_a_player_that_is_gone_says_to_begin_again(get):
    response = get("/players", status=422, after=12345)
    assert "start over" in response.json()["detail"]


@pytest.mark.parametrize(
    ("search", "found"),
    [("marta", 1), ("OKONKWO mar", 1), ("mar", 2), ("%", 0), ("nobody", 0), ("", 3)],
)
def test_search_finds_words_of_names(get, search, found):
    factories.make_player(first_name="Marta", last_name="Okonkwo")
    factories.make_player(first_name="Omar", last_name="Lind")
    factories.make_player(first_name="Ida", last_name="Berg")
    assert get("/players", search=search).json()["total"] == found


@pytest.mark.parametrize(
    "params",
    [
        {"limit": 0},
        {"limit": 1001},
        {"limit": "many"},
        {"skip": -1},
        {"skip": 10**30},
        {"search": "x" * 201},
        {"after": 0},
    ],
)
def test_bad_paging_is_refused_in_the_error_shape(get, params):
    response = get("/players", status=422, **params)
    assert_documented(response, "/players")
    fault = response.json()["detail"][0]
    assert fault["loc"] == ["query", *params]
    assert set(fault) == {"type", "loc", "msg"}


@pytest.mark.parametrize("count", [1, 3])
def test_players_cost_four_queries(get, count, django_assert_num_queries):
    for _ in range(count):
        factories.make_player()
    get("/players")
    # token, place in the order, count, rows
    with django_assert_num_queries(4):
        get("/players")


# --- Sessions -------------------------------------------------------------------


def test_session_has_the_kept_shape(get):
    session = factories.make_session(session_date=dt.date(2026, 3, 4))
    response = get(f"/sessions/{session.pk}")
    assert_documented(response, "/sessions/{id}")
    body = response.json()
    assert list(body) == SESSION_KEYS
    assert list(body["player"]) == PLAYER_KEYS
    assert body["id"] == session.pk
    assert body["session_id"] == session.session_id
    assert body["player_id"] == body["player"]["id"] == session.player_id
    assert body["session_date"] == "2026-03-04"
    assert body["movement_type_name"] == "baseball-hitting"
    assert body["data_synced"] is False


def test_sessions_of_a_player_come_newest_first(get):
    player = factories.make_player()
    days = [dt.date(2026, 1, 5), None, dt.date(2026, 3, 5), dt.date(2026, 2, 5)]
    for day in days:
        factories.make_session(player=player, session_date=day)
    factories.make_session()
    response = get(f"/players/{player.pk}/sessions")
    assert_documented(response, "/players/{id}/sessions")
    body = response.json()
    assert list(body) == ["sessions", "total", "player_id"]
    assert (body["total"], body["player_id"]) == (4, player.pk)
    assert [row["session_date"] for row in body["sessions"]] == [
        "2026-03-05",
        "2026-02-05",
        "2026-01-05",
        None,
    ]
    assert list(body["sessions"][0]) == SESSION_KEYS


@pytest.mark.parametrize(
    ("params", "days"),
    [
        ({"start_date": "2026-02-05"}, ["2026-03-05", "2026-02-05"]),
        ({"end_date": "2026-02-05"}, ["2026-02-05", "2026-01-05"]),
        ({"start_date": "2026-02-01", "end_date": "2026-02-28"}, ["2026-02-05"]),
        ({"start_date": "2026-02-28", "end_date": "2026-02-01"}, []),
        (
            {"start_date": "", "end_date": ""},
            ["2026-03-05", "2026-02-05", "2026-01-05"],
        ),
    ],
)
def test_sessions_are_chosen_by_date(get, params, days):
    player = factories.make_player()
    for month in (1, 2, 3):
        factories.make_session(player=player, session_date=dt.date(2026, month, 5))
    body = get(f"/players/{player.pk}/sessions", **params).json()
    assert [row["session_date"] for row in body["sessions"]] == days
    assert body["total"] == len(days)


def test_total_of_sessions_counts_before_the_limit(get):
    player = factories.make_player()
    for _ in range(3):
        factories.make_session(player=player)
    body = get(f"/players/{player.pk}/sessions", limit=2).json()
    assert (len(body["sessions"]), body["total"]) == (2, 3)


@pytest.mark.parametrize(
    "params",
    [
        {"start_date": "yesterday"},
        {"start_date": "0"},
        {"start_date": "1767225600"},
        {"start_date": "2026-03-05T00:00:00"},
        {"end_date": "2026-02-30"},
        {"limit": 0},
    ],
)
def test_bad_dates_are_refused(get, params):
    player = factories.make_player()
    response = get(f"/players/{player.pk}/sessions", status=422, **params)
    assert response.json()["detail"][0]["loc"][:2] == ["query", *params]


@pytest.mark.parametrize("count", [1, 3])
def test_sessions_of_a_player_cost_four_queries(get, count, django_assert_num_queries):
    player = factories.make_player()
    for _ in range(count):
        factories.make_session(player=player)
    get("/definitions")
    # token, athlete, rows, count
    with django_assert_num_queries(4):
        get(f"/players/{player.pk}/sessions")


# --- Movements ------------------------------------------------------------------


def analysed_swing(**fields):
    event = {"time_s": 1.25, "rule": "hand_peak", "confidence": "rule", "reason": None}
    return factories.make_swing(
        {"peak_pelvis_omega": 640.5, "bat_speed": None},
        **(
            {
                "events": dict.fromkeys([*EVENT_NAMES[1:], "contact"], event)
                | {"load": event | {"time_s": None, "reason": "no load was found"}},
                "quality_grade": "usable",
                "quality_reasons": [{"code": "gaps", "text": "There are gaps."}],
            }
            | fields
        ),
    )


def test_movement_has_the_shape_of_the_contract(get):
    swing = analysed_swing()
    response = get(f"/movements/{swing.pk}")
    assert_documented(response, "/movements/{id}")
    body = response.json()
    assert list(body) == MOVEMENT_KEYS
    assert body["session_id"] == swing.session.session_id
    assert body["player_id"] == swing.session.player_id
    assert (body["side"], body["sampling_rate_hz"], body["frames"]) == (
        "right",
        240.0,
        577,
    )
    assert body["quality"] == {
        "grade": "usable",
        "reasons": [{"code": "gaps", "text": "There are gaps."}],
    }
    assert list(body["events"]) == EVENT_NAMES
    assert body["events"]["foot_down"] == {
        "time_s": 1.25,
        "rule": "hand_peak",
        "confidence": "rule",
    }
    assert body["events"]["load"]["time_s"] is None
    assert body["metrics"] == {
        "peak_pelvis_omega": {
            "value": 640.5,
            "unit": "deg/s",
            "uncertainty": None,
            "confidence": "good",
            "reason": None,
            "basis": None,
        },
        "bat_speed": {
            "value": None,
            "unit": "deg/s",
            "uncertainty": None,
            "confidence": "good",
            "reason": "not measured",
            "basis": None,
        },
    }


def test_numbers_say_how_sure_they_are_and_what_they_rest_on(get):
    basis = "reference=contact bat=sweet_spot frame_rate=over_150_hz"
    doubt = "outside -20 to 45 deg: probably a tracking error"
    swing = factories.make_swing()
    swing.metrics = {
        "attack_angle": factories.metric(8.0, "deg")
        | {"uncertainty": 2.1, "basis": basis},
        "bat_speed_ref": factories.metric(90.0, "m/s", doubt)
        | {"flagged": True, "uncertainty": 0.4, "basis": basis},
    }
    swing.save()
    response = get(f"/movements/{swing.pk}")
    assert_documented(response, "/movements/{id}")
    assert response.json()["metrics"] == {
        "attack_angle": {
            "value": 8.0,
            "unit": "deg",
            "uncertainty": 2.1,
            "confidence": "good",
            "reason": None,
            "basis": basis,
        },
        "bat_speed_ref": {
            "value": 90.0,
            "unit": "m/s",
            "uncertainty": 0.4,
            "confidence": "low",
            "reason": doubt,
            "basis": basis,
        },
    }
    response = get(f"/sessions/{swing.session_id}/metrics")
    assert_documented(response, "/sessions/{id}/metrics")
    (row,) = response.json()["metrics"]["bat_speed_ref"]["values"]
    assert (row["uncertainty"], row["confidence"], row["basis"]) == (0.4, "low", basis)


def test_session_metrics_count_attack_angles_inside_a_range(get):
    session = factories.make_session()
    for value, flagged in ((5.0, False), (20.0, False), (20.1, False), (9.0, True)):
        swing = factories.make_swing(session=session)
        swing.metrics = {
            "attack_angle": factories.metric(value, "deg")
            | {"basis": "reference=bat_impact", "flagged": flagged}
        }
        swing.save()
    response = get(f"/sessions/{session.pk}/metrics")
    assert_documented(response, "/sessions/{id}/metrics")
    assert response.json()["attack_angle_shares"] == [
        {
            "side": "right",
            "basis": "reference=bat_impact",
            "low": 5.0,
            "high": 20.0,
            "unit": "deg",
            "inside": 2,
            "n": 3,
            "left_out": 1,
        }
    ]


def test_movement_that_is_not_analysed_has_nulls(get):
    movement = factories.make_movement()
    response = get(f"/movements/{movement.pk}")
    assert_documented(response, "/movements/{id}")
    body = response.json()
    assert body["quality"] == {"grade": None, "reasons": []}
    assert body["events"]["reference"] == {
        "time_s": None,
        "rule": None,
        "confidence": None,
    }
    assert (body["metrics"], body["method_version"]) == ({}, None)


def test_movements_of_a_session_come_in_its_order(get):
    session = factories.make_session()
    second = analysed_swing(session=session, position=2)
    first = analysed_swing(session=session, position=1)
    analysed_swing()
    response = get(f"/sessions/{session.pk}/movements")
    assert_documented(response, "/sessions/{id}/movements")
    body = response.json()
    assert list(body) == ["movements", "total"]
    assert body["total"] == 2
    assert [row["id"] for row in body["movements"]] == [first.pk, second.pk]
    assert list(body["movements"][0]) == MOVEMENT_KEYS


def test_session_metrics_hold_spread_and_values(get):
    session = factories.make_session()
    first = factories.make_swing({"peak_pelvis_omega": 600.0}, session=session)
    out = factories.make_swing(
        {"peak_pelvis_omega": 900.0}, session=session, inclusion=Inclusion.EXCLUDED
    )
    none = factories.make_swing({"peak_pelvis_omega": None}, session=session)
    factories.make_session_metric(
        session=session,
        mean=600.0,
        sd=None,
        n=1,
        basis="reference=hand_peak hands=hands",
    )
    factories.make_session_metric(
        session=session, mean=650.0, n=4, basis="reference=bat_peak"
    )
    response = get(f"/sessions/{session.pk}/metrics")
    assert_documented(response, "/sessions/{id}/metrics")
    body = response.json()
    assert body["session_id"] == session.session_id
    metric = body["metrics"]["peak_pelvis_omega"]
    assert (metric["mean"], metric["sd"], metric["n"]) == (650.0, 20.0, 4)
    assert (metric["unit"], metric["event_rule"]) == ("deg/s", "bat_peak")
    assert metric["basis"] == "reference=bat_peak"
    assert [
        (other["mean"], other["sd"], other["event_rule"], other["basis"])
        for other in metric["other_rules"]
    ] == [(600.0, None, "hand_peak", "reference=hand_peak hands=hands")]
    assert [
        (row["movement_id"], row["value"], row["counted"]) for row in metric["values"]
    ] == [(first.pk, 600.0, True), (out.pk, 900.0, False), (none.pk, None, True)]
    assert metric["values"][2]["reason"] == "not measured"


def test_averages_have_six_significant_digits(get):
    session = factories.make_session()
    for value in (600.1234567, 650.7654321, 651.1111111):
        factories.make_swing({"peak_pelvis_omega": value}, session=session)
    factories.make_session_metric(
        session=session, mean=634.00000001, sd=29.3478261, median=650.7654321
    )
    answer = get(f"/sessions/{session.pk}/metrics").json()
    metric = answer["metrics"]["peak_pelvis_omega"]
    assert (metric["mean"], metric["sd"], metric["median"]) == (634.0, 29.3478, 650.765)
    (side,) = metric["sides"]
    names = ("mean", "sd", "minimum", "maximum", "median")
    assert [side[name] for name in names] == [634.0, 29.3385, 600.123, 651.111, 650.765]


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(
    ("path", "queries"),
    # token, session, then the rows; metrics and swings
    [("movements", 3), ("metrics", 4)],
)
def test_parts_of_a_session_cost_few_queries(
    get, count, path, queries, django_assert_num_queries
):
    session = factories.make_synced_session(swings=count)
    factories.make_session_metric(session=session)
    get("/definitions")
    with django_assert_num_queries(queries):
        get(f"/sessions/{session.pk}/{path}")


def test_definitions_name_each_metric(get):
    response = get("/definitions")
    assert_documented(response, "/definitions")
    by_id = {item["id"]: item for item in response.json()["metrics"]}
    assert by_id["peak_pelvis_omega"]["unit"] == "deg/s"
    assert by_id["peak_pelvis_omega"]["usual"] == [250, 930]
    assert by_id["peak_pelvis_omega"]["plausible"] == [180, 1050]


def test_a_definition_is_words_and_what_its_values_rest_on(get):
    for item in get("/definitions").json()["metrics"]:
        for words in (item["plain"], item["formula"]):
            assert words in item["definition"]
    session = factories.make_session()
    factories.store_simulated(session, factories.simulated_movements()[:1])
    run.analyze_session(session.pk)
    by_id = {item["id"]: item for item in get("/definitions").json()["metrics"]}
    swing = session.movements.get()
    metrics = get(f"/movements/{swing.pk}").json()["metrics"]
    assert metrics.keys() <= by_id.keys()
    for name, metric in metrics.items():
        found = [part.partition("=")[0] for part in (metric["basis"] or "").split()]
        assert set(found) <= set(by_id[name]["basis"]), name
    retired = {name for name, item in by_id.items() if item["retired"]}
    assert {by_id[name]["retired"] for name in retired} == {
        metrics[name]["reason"].partition(": ")[2] for name in retired
    }


def test_definitions_name_each_curve_of_the_files(get):
    session = factories.make_session()
    factories.store_simulated(session, factories.simulated_movements()[:1])
    run.analyze_session(session.pk)
    answer = get(f"/sessions/{session.pk}/data", data_type="curves")
    schema = pq.read_schema(io.BytesIO(b"".join(answer.streaming_content)))
    units = {
        field.name: field.metadata[b"unit"].decode()
        for field in list(schema)[5:]
        if field.name != "time"
    }
    told = {one["id"]: one for one in get("/definitions").json()["curves"]}
    assert len(units) > 20
    assert units == {name: told[name]["unit"] for name in units}
    assert all(one["definition"] for one in told.values())


@pytest.mark.parametrize(
    "path", ["sessions/{}/metrics", "sessions/{}/movements", "definitions"]
)
def test_a_parameter_that_a_path_does_not_know_is_told(get, path):
    session = factories.make_session()
    answer = get(f"/{path.format(session.pk)}", 422, colums="pelvis_rot")
    assert answer.json() == {"detail": "colums: unknown parameter."}


@pytest.mark.parametrize("path", ["movements/{}", "movements/{}/data"])
def test_a_parameter_that_a_path_of_a_movement_does_not_know_is_told(get, path):
    movement = factories.make_frames().movement
    get(f"/{path.format(movement.pk)}")
    answer = get(f"/{path.format(movement.pk)}", 422, colums="pelvis_rot")
    assert answer.json() == {"detail": "colums: unknown parameter."}


def test_a_height_has_six_digits(get):
    player = factories.make_player(height_ft=6 + 1 / 12, weight_lbs=500 / 3)
    factories.make_session(player=player)
    alone = get(f"/players/{player.pk}").json()
    (listed,) = get("/players").json()["players"]
    (session,) = get(f"/players/{player.pk}/sessions").json()["sessions"]
    for row in (alone, listed, session["player"]):
        assert (row["height_ft"], row["weight_lbs"]) == (6.08333, 166.667)


@pytest.mark.parametrize(
    "path",
    [
        "/players/{}",
        "/players/{}/sessions",
        "/sessions/{}",
        "/sessions/{}/metrics",
        "/sessions/{}/movements",
        "/movements/{}",
        "/movements/{}/data",
    ],
)
@pytest.mark.parametrize(
    ("key", "status"),
    [(987654321, 404), (2**63 - 1, 404), (2**63, 422), (0, 422), ("abc", 422)],
)
def test_unknown_ids_are_told_in_the_error_shape(get, path, key, status):
    response = get(path.format(key), status=status)
    assert list(response.json()) == ["detail"]


HOSTILE = [
    "<script>alert(1)</script>",
    '=HYPERLINK("http://elsewhere.example","x")',
    "\u202egnirts",
    "🏏" * 199,
    "a'; DROP TABLE players; --",
    '","id":0,"x":"',
    "line\nbreak\ttab",
    "O'Brien %00 %s {0}",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_come_through_unchanged(get, name):
    player = factories.make_player(first_name=name, last_name=name)
    response = get(f"/players/{player.pk}")
    assert response["Content-Type"] == "application/json"
    assert response["X-Content-Type-Options"] == "nosniff"
    body = response.json()
    assert (body["first_name"], body["last_name"], body["id"]) == (
        name,
        name,
        player.pk,
    )
    found = get("/players", search=name).json()
    assert [row["id"] for row in found["players"]] == [player.pk]


# --- Teams ----------------------------------------------------------------------


@pytest.mark.parametrize("who", ["token", "coach"])
def test_a_team_limits_what_is_seen(client, who):
    seen = factories.make_frames().movement
    hidden = factories.make_frames().movement
    coach = factories.make_user(limited_to_teams=True)
    team = factories.make_team(players=[seen.session.player], members=[coach])
    headers = {}
    if who == "token":
        headers = factories.make_token(team=team)
    else:
        client.force_login(coach)
    body = client.get("/players", headers=headers).json()
    assert [row["id"] for row in body["players"]] == [seen.session.player_id]
    assert body["total"] == 1
    assert client.get("/stats", headers=headers).json()["total_movements"] == 1
    for movement, status in ((seen, 200), (hidden, 404)):
        for path in (
            f"/players/{movement.session.player_id}",
            f"/players/{movement.session.player_id}/sessions",
            f"/players/{movement.session.player_id}/changes",
            f"/sessions/{movement.session_id}",
            f"/sessions/{movement.session_id}/metrics",
            f"/sessions/{movement.session_id}/movements",
            f"/movements/{movement.pk}",
            f"/movements/{movement.pk}/data",
        ):
            assert client.get(path, headers=headers).status_code == status, path


def test_a_coach_whose_last_team_is_gone_sees_nobody(client):
    player = factories.make_player()
    coach = factories.make_user(limited_to_teams=True)
    team = factories.make_team(players=[player], members=[coach])
    client.force_login(coach)
    assert client.get("/players").json()["total"] == 1
    team.delete()
    assert client.get("/players").json()["total"] == 0


def test_a_player_of_two_teams_is_listed_once(client):
    player = factories.make_player()
    coach = factories.make_user(limited_to_teams=True)
    for _ in range(2):
        factories.make_team(players=[player], members=[coach])
    client.force_login(coach)
    assert client.get("/players").json()["total"] == 1


def test_ids_of_movements_may_hold_any_character(get):
    name = 'IMG,"1"#<b>\u202e'
    movement = factories.make_movement(org_movement_id=name)
    assert get(f"/movements/{movement.pk}").json()["org_movement_id"] == name
    assert Movement.objects.get(org_movement_id=name) == movement
