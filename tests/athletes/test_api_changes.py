"""What changed in a session, as JSON."""

import datetime as dt

import pytest

from athletes.models import Side
from biomechanics.definitions import METHOD_VERSION, NUMERIC_HEADLINES
from tests import factories
from tests.openapi import assert_documented

pytestmark = pytest.mark.django_db

STEADY = [900, 905, 895, 902, 898, 900]


@pytest.fixture
def get(client):
    headers = factories.make_token()

    def get(path, *, status=200, **params):
        response = client.get(path, params, headers=headers)
        assert response.status_code == status, response.content
        return response

    return get


def sessions_of(player, means, metric="peak_torso_omega", *, sd=10.0, **fields):
    """A session a week with one mean of six swings each."""
    made = []
    for week, mean in enumerate(means):
        session = factories.make_session(
            player=player,
            session_date=dt.date(2026, 3, 1) + dt.timedelta(weeks=week),
            swing_count=6,
            **fields,
        )
        factories.make_swing({metric: mean}, session=session)
        factories.make_session_metric(
            session=session, metric=metric, mean=mean, sd=sd, n=6, basis="hand_peak"
        )
        made.append(session)
    return made


@pytest.fixture
def player():
    return factories.make_player()


def test_every_headline_of_the_newest_session_in_the_order_of_the_page(get, player):
    *_, newest = sessions_of(player, [*STEADY, 1000.123456], condition="tee")
    response = get(f"/players/{player.pk}/changes")
    assert_documented(response, "/players/{id}/changes")
    body = response.json()
    assert {key: body[key] for key in body if key not in ("changes", "method")} == {
        "player_id": player.pk,
        "session": newest.pk,
        "session_id": newest.session_id,
        "side": "right",
        "sides": ["right"],
        "setup": "tee",
        "method_version": METHOD_VERSION,
    }
    assert [row["metric"] for row in body["changes"]] == list(NUMERIC_HEADLINES)
    (row,) = (r for r in body["changes"] if r["metric"] == "peak_torso_omega")
    assert list(row) == [
        *("metric", "basis", "verdict", "delta", "unit", "now", "before", "needed"),
        *("reason", "reason_code"),
    ]
    assert (row["verdict"], row["basis"], row["unit"]) == ("real", "hand_peak", "deg/s")
    assert row["now"] == {"mean": 1000.12, "n": 6}
    assert row["before"]["mean"] == pytest.approx(900, abs=3)
    assert row["before"]["n"] == 6 * row["before"]["sessions"]
    assert row["delta"] == pytest.approx(row["now"]["mean"] - row["before"]["mean"])
    assert 0 < row["needed"] <= row["delta"]
    assert row["reason_code"] is None
    assert row["reason"].endswith(".")
    missing = next(r for r in body["changes"] if r["metric"] == "bat_speed_max")
    assert missing == {
        "metric": "bat_speed_max",
        "basis": None,
        "verdict": "unknown",
        "delta": None,
        "unit": "m/s",
        "now": {"mean": None, "n": 0},
        "before": {"mean": None, "n": 0, "sessions": 0},
        "needed": None,
        "reason": "No included swing has this number.",
        "reason_code": "not_enough",
    }


def row_of(response, metric="peak_torso_omega"):
    (row,) = (r for r in response.json()["changes"] if r["metric"] == metric)
    return row


def test_an_older_session_is_held_against_those_before_it(get, player):
    made = sessions_of(player, [*STEADY, 902, 1200])
    response = get(f"/players/{player.pk}/changes", session=made[6].pk)
    assert response.json()["session"] == made[6].pk
    assert row_of(response)["verdict"] == "no_clear_change"
    first = row_of(get(f"/players/{player.pk}/changes", session=made[0].pk))
    assert (first["verdict"], first["reason_code"]) == ("unknown", "not_enough")
    assert first["now"] == {"mean": 900.0, "n": 6}


def test_another_setup_is_not_comparable(get, player):
    made = sessions_of(player, STEADY)
    made[-1].condition = "tee"
    made[-1].save()
    row = row_of(get(f"/players/{player.pk}/changes"))
    assert (row["verdict"], row["reason_code"]) == ("unknown", "not_comparable")
    assert row["before"] == {"mean": None, "n": 0, "sessions": 0}
    assert "a different setup" in row["reason"]


def test_sides_of_a_switch_hitter_are_asked_for_apart(get, player):
    for means, side in ((STEADY, Side.RIGHT), ([700, 704, 696, 700], Side.LEFT)):
        for session in sessions_of(player, means):
            session.movements.update(side=side)
    left = get(f"/players/{player.pk}/changes", side="left").json()
    assert (left["side"], left["sides"]) == ("left", ["right"])
    # The newest session is of the other side.
    assert {row["verdict"] for row in left["changes"]} == {"unknown"}
    newest = get(f"/players/{player.pk}/changes").json()
    assert newest["side"] == "right"
    (older,) = player.sessions.filter(movements__side="left").order_by("-pk")[:1]
    row = row_of(get(f"/players/{player.pk}/changes", session=older.pk))
    assert row["before"]["mean"] == pytest.approx(700, abs=1)


def test_an_athlete_without_numbers_has_no_session(get, player):
    body = get(f"/players/{player.pk}/changes").json()
    assert (body["session"], body["session_id"], body["setup"]) == (None, None, None)
    assert {row["verdict"] for row in body["changes"]} == {"unknown"}


def test_what_is_not_there_is_404_and_what_is_unknown_422(get, player):
    elsewhere = factories.make_session()
    path = f"/players/{player.pk}/changes"
    for params in ({"session": elsewhere.pk}, {"session": 999_999}):
        assert list(get(path, status=404, **params).json()) == ["detail"]
    get("/players/999999/changes", status=404)
    for params in ({"sesion": 1}, {"session": "x"}, {"side": "both"}):
        assert list(get(path, status=422, **params).json()) == ["detail"]


@pytest.mark.parametrize("count", [1, 4])
def test_changes_take_as_many_queries_for_any_number_of_sessions(
    get, player, count, django_assert_num_queries
):
    sessions_of(player, STEADY[:count])
    path = f"/players/{player.pk}/changes"
    get(path)
    # token, athlete, history, sides, session, scatter
    with django_assert_num_queries(6):
        get(path)
