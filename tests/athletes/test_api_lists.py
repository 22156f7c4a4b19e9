"""Following what changed: a program's copy stays equal to what it may see."""

import datetime as dt

import pytest
from django.utils import timezone

from athletes.analysis import run
from athletes.decisions import move_event, save_conditions, set_inclusion
from athletes.feed.order import begin_anew
from athletes.frames import presence
from athletes.identity import merging
from athletes.identity.session_parts import mark_parts
from athletes.models import Inclusion, Movement, Player, Session
from privacy.erasing import erase
from tests import factories
from tests.openapi import assert_documented
from tests.shared_rows import rows_shared

pytestmark = pytest.mark.django_db

PATHS = {"/players": "players", "/sessions": "sessions", "/movements": "movements"}


class Copy:
    """What a program keeps of the lists, and where it goes on."""

    def __init__(self, client, headers, **params):
        self.client, self.headers, self.params = client, headers, params
        self.rows = {path: {} for path in PATHS}
        self.cursors = dict.fromkeys(PATHS, "")

    def pull(self, limit=2):
        """Fetch what changed; the ids that came, by path."""
        came = {}
        for path, name in PATHS.items():
            came[path] = []
            more = True
            while more:
                params = {"limit": limit, "cursor": self.cursors[path]}
                response = self.client.get(path, params, headers=self.headers)
                assert response.status_code == 200, response.content
                assert_documented(response, path)
                body = response.json()
                assert body["next"]
                assert len(body[name]) <= limit
                for row in body[name]:
                    came[path].append(row["id"])
                    self.rows[path][row["id"]] = row
                self.cursors[path], more = body["next"], body["more"]
        return came

    def here(self):
        """What is there, as the copy has it."""
        return {
            path: {
                pk: row
                for pk, row in rows.items()
                if row.get("gone_because") in {None, "missing_at_vendor"}
            }
            for path, rows in self.rows.items()
        }


def fresh(client, headers):
    """What a program has that begins now."""
    copy = Copy(client, headers)
    copy.pull(limit=1000)
    return copy.here()


def settled(rows):
    """Rows without what only the list of changes says of an athlete."""
    return {
        path: {
            pk: {k: v for k, v in row.items() if k not in {"gone_at", "gone_because"}}
            for pk, row in found.items()
        }
        for path, found in rows.items()
    }


@rows_shared
def analyzed():
    """A session with two analyzed swings of the simulator."""
    session = factories.make_session()
    factories.store_simulated(session, factories.simulated_movements()[:2])
    run.analyze_session(session.pk)
    return session


def the_swing(session):
    return Movement.objects.filter(session=session).earliest("position")


def exclude(session, staff):
    set_inclusion(
        movement=the_swing(session),
        inclusion=Inclusion.EXCLUDED,
        reason="a check swing",
        user=staff,
    )


def move(session, staff):
    swing = the_swing(session)
    time_s = swing.events["foot_down"]["time_s"] - 0.01
    move_event(
        movement=swing, event="foot_down", time_s=time_s, reason="seen", user=staff
    )


def set_up(session, staff):
    session.condition = "tee"
    save_conditions(session)


def lose(session, staff):
    mark_parts(Session.objects.filter(pk=session.pk), timezone.now())


def find(session, staff):
    lose(session, staff)
    mark_parts(Session.objects.filter(pk=session.pk), None)


def lose_a_swing(session, staff):
    swing = the_swing(session)
    swing.biomechanics.update(missing_since=timezone.now())
    Movement.objects.filter(pk=swing.pk).update(unlisted_since=timezone.now())
    presence.settle([session.pk])


def recompute(session, staff):
    Movement.objects.filter(session=session).update(method_version="2025.1")


def rename(session, staff):
    player = session.player
    player.last_name = "Renamed"
    player.save()


def merge(session, staff):
    merging.merge(kept=factories.make_player(), merged=session.player, by=staff)


def undo_a_merge(session, staff):
    entry = merging.merge(kept=factories.make_player(), merged=session.player, by=staff)
    merging.separate(entry=entry, by=staff)


def erase_all(session, staff):
    erase(player=session.player, by=staff)


def leave_the_team(session, staff):
    session.player.teams.clear()


def join_another_team(session, staff):
    factories.make_team(players=[session.player])


ACTIONS = [
    *(exclude, move, set_up, lose, find, lose_a_swing, recompute, rename, merge),
    *(undo_a_merge, erase_all, leave_the_team, join_another_team),
]


#: Whoever sees all gets the same without a team's filter: a change of a number, of an
#: athlete, of what is there, and an erasure stand for the rest.
OF_ALL = {move, merge, lose_a_swing, erase_all}


@pytest.mark.parametrize(
    ("whose", "action"),
    [
        pytest.param(
            whose,
            action,
            id=f"{whose}-{action.__name__}",
            marks=[pytest.mark.nightly]
            if whose == "all" and action not in OF_ALL
            else [],
        )
        for whose in ("all", "team")
        for action in ACTIONS
    ],
)
def test_a_copy_stays_equal_whatever_happens(client, analyzed, action, whose):
    staff = factories.make_staff()
    team = factories.make_team(players=[analyzed.player])
    stranger = factories.make_swing()
    headers = factories.make_token(team=team if whose == "team" else None)
    copy = Copy(client, headers)
    copy.pull()
    before = copy.here()
    assert len(before["/movements"]) == (2 if whose == "team" else 3)
    assert settled(before) == settled(fresh(client, headers))
    action(analyzed, staff)
    copy.pull()
    after = copy.here()
    now = fresh(client, headers)
    assert settled(after) == settled(now)
    for path, rows in after.items():
        for pk, row in rows.items():
            was = before[path].get(pk)
            if was is not None and was != row:
                assert row["updated_at"] > was["updated_at"]
    # What a team's program never saw, it is not told of either.
    if whose == "team":
        assert stranger.pk not in copy.rows["/movements"]
        assert stranger.session_id not in copy.rows["/sessions"]
    assert all(ids == [] for ids in copy.pull().values())


@pytest.mark.parametrize(
    ("action", "reasons"),
    [
        (erase_all, {"/players": "erased", "/sessions": "erased"}),
        (merge, {"/players": "merged"}),
        (leave_the_team, dict.fromkeys(PATHS, "no_longer_visible")),
        (lose, {"/sessions": "missing_at_vendor", "/movements": "missing_at_vendor"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_went_away_says_why(client, analyzed, action, reasons):
    team = factories.make_team(players=[analyzed.player])
    headers = factories.make_token(team=team)
    copy = Copy(client, headers)
    copy.pull()
    action(analyzed, factories.make_staff())
    copy.pull()
    pks = {"/players": analyzed.player_id, "/sessions": analyzed.pk}
    pks["/movements"] = min(copy.rows["/movements"])
    for path, because in reasons.items():
        row = copy.rows[path][pks[path]]
        assert row["gone_because"] == because
        assert dt.datetime.fromisoformat(row["gone_at"]).utcoffset() is not None
        if because != "missing_at_vendor":
            assert set(row) == {"id", "gone_at", "gone_because"}


def test_who_is_kept_moves_with_a_merge_and_its_end(client):
    staff = factories.make_staff()
    headers = factories.make_token()
    kept, merged = factories.make_player(), factories.make_player()
    copy = Copy(client, headers)
    copy.pull()
    first = copy.rows["/players"][kept.pk]["updated_at"]
    entry = merging.merge(kept=kept, merged=merged, by=staff)
    assert kept.pk in copy.pull()["/players"]
    second = copy.rows["/players"][kept.pk]["updated_at"]
    assert second > first
    merging.separate(entry=entry, by=staff)
    assert kept.pk in copy.pull()["/players"]
    assert copy.rows["/players"][kept.pk]["updated_at"] > second


def test_a_team_is_told_of_an_athlete_who_left_once(client, analyzed):
    team = factories.make_team(players=[analyzed.player])
    headers = factories.make_token(team=team)
    copy = Copy(client, headers)
    copy.pull()
    behind = Copy(client, headers)
    behind.pull()
    seen = {path: set(rows) for path, rows in copy.rows.items()}
    leave_the_team(analyzed, None)
    came = copy.pull()
    assert {path: set(ids) for path, ids in came.items()} == seen
    told = {path: dict(rows) for path, rows in copy.rows.items()}
    # What comes to them later is nothing that the team ever saw.
    recompute(analyzed, None)
    rename(analyzed, None)
    factories.make_synced_session(player=analyzed.player, swings=1)
    assert all(ids == [] for ids in copy.pull().values())
    erase(player=analyzed.player, by=None)
    assert all(ids == [] for ids in copy.pull().values())
    # Who asks later is told the same.
    came = behind.pull(limit=1)
    assert {path: sorted(ids) for path, ids in came.items()} == {
        path: sorted(ids) for path, ids in seen.items()
    }
    assert behind.rows == told


def test_a_session_that_comes_after_its_athlete_left_is_not_told(client, analyzed):
    team = factories.make_team(players=[analyzed.player])
    headers = factories.make_token(team=team)
    copy = Copy(client, headers)
    copy.pull()
    seen = {path: set(rows) for path, rows in copy.rows.items()}
    leave_the_team(analyzed, None)
    until = timezone.now() + dt.timedelta(milliseconds=2)
    while timezone.now() < until:
        pass
    # All of it gets its place at once, when the program asks.
    factories.make_synced_session(player=analyzed.player, swings=1)
    assert {path: set(ids) for path, ids in copy.pull().items()} == seen


def test_who_comes_back_to_a_team_is_told_as_any_other(client, analyzed):
    team = factories.make_team(players=[analyzed.player])
    headers = factories.make_token(team=team)
    copy = Copy(client, headers)
    copy.pull()
    before = copy.here()
    leave_the_team(analyzed, None)
    copy.pull()
    assert all(rows == {} for rows in copy.here().values())
    team.players.add(analyzed.player)
    copy.pull()
    assert {p: set(r) for p, r in copy.here().items()} == {
        p: set(r) for p, r in before.items()
    }
    assert settled(copy.here()) == settled(fresh(client, headers))
    leave_the_team(analyzed, None)
    copy.pull()
    assert all(rows == {} for rows in copy.here().values())


@pytest.mark.parametrize("whose", ["nobody", "own"])
def test_a_session_that_changes_its_athlete_is_told_to_the_former_team(
    client, analyzed, whose
):
    team = factories.make_team(players=[analyzed.player])
    other = factories.make_player()
    if whose == "own":
        team.players.add(other)
    headers = factories.make_token(team=team)
    copy = Copy(client, headers)
    copy.pull()
    swings = set(copy.rows["/movements"])
    Session.objects.filter(pk=analyzed.pk).update(player=other)
    copy.pull()
    told = copy.rows["/sessions"][analyzed.pk]
    if whose == "own":
        assert told["player_id"] == other.pk
    else:
        assert told["gone_because"] == "no_longer_visible"
        assert {row["gone_because"] for row in copy.rows["/movements"].values()} == {
            "no_longer_visible"
        }
    assert set(copy.rows["/movements"]) == swings
    assert settled(copy.here()) == settled(fresh(client, headers))
    Session.objects.filter(pk=analyzed.pk).update(condition="tee")
    Movement.objects.filter(session=analyzed).update(method_version="2025.1")
    came = copy.pull()
    assert came["/sessions"] == ([analyzed.pk] if whose == "own" else [])
    assert set(came["/movements"]) == (swings if whose == "own" else set())


def test_a_swing_that_changes_its_session_is_told_to_the_former_team(client, analyzed):
    team = factories.make_team(players=[analyzed.player])
    copy = Copy(client, factories.make_token(team=team))
    copy.pull()
    swing = the_swing(analyzed)
    elsewhere = factories.make_session()
    Movement.objects.filter(pk=swing.pk).update(session=elsewhere, position=99)
    came = copy.pull()
    assert came["/movements"] == [swing.pk]
    assert copy.rows["/movements"][swing.pk]["gone_because"] == "no_longer_visible"


def test_a_team_is_not_told_of_others_who_go(client):
    team = factories.make_team(players=[factories.make_player()])
    headers = factories.make_token(team=team)
    stranger = factories.make_swing()
    copy = Copy(client, headers)
    copy.pull()
    erase(player=stranger.session.player, by=None)
    assert all(ids == [] for ids in copy.pull().values())


def test_a_cursor_from_before_a_restore_is_refused_however_far_the_order_is(
    client, analyzed
):
    headers = factories.make_token()
    copy = Copy(client, headers)
    copy.pull()
    begin_anew()
    for number in range(9):
        Player.objects.filter(pk=analyzed.player_id).update(first_name=f"Ash {number}")
        client.get("/players", headers=headers)
    for path in PATHS:
        params = {"cursor": copy.cursors[path]}
        answer = client.get(path, params, headers=headers)
        assert answer.status_code == 422
        assert "start over" in answer.json()["detail"]


def test_updated_since_takes_a_time_with_an_unescaped_plus(client):
    headers = factories.make_token()
    old = factories.make_player()
    client.get("/players", headers=headers)
    since = timezone.now() + dt.timedelta(milliseconds=1)
    while timezone.now() < since:
        pass
    new = factories.make_player()
    for text in (since.isoformat(), since.isoformat().replace("+", "%2B")):
        body = client.get(f"/players?updated_since={text}", headers=headers).json()
        assert [row["id"] for row in body["players"]] == [new.pk]
    Player.objects.filter(pk=old.pk).update(weight_lbs=199.0)
    body = client.get("/players", {"cursor": body["next"]}, headers=headers).json()
    assert [row["id"] for row in body["players"]] == [old.pk]


def test_updated_since_holds_for_all_pages_of_the_first_night(client):
    headers = factories.make_token()
    factories.make_session()
    client.get("/sessions", headers=headers)
    since = timezone.now() + dt.timedelta(milliseconds=1)
    while timezone.now() < since:
        pass
    new = {factories.make_session().pk for _ in range(3)}
    told, params = [], {"updated_since": since.isoformat(), "limit": 2}
    more = True
    while more:
        body = client.get("/sessions", params, headers=headers).json()
        told += [row["id"] for row in body["sessions"]]
        params, more = {"cursor": body["next"], "limit": 2}, body["more"]
    assert sorted(told) == sorted(new)


def test_filters_choose_rows(get):
    session = factories.make_synced_session(swings=2, session_date=dt.date(2026, 3, 1))
    other = factories.make_synced_session(swings=1, session_date=dt.date(2026, 4, 1))
    player = session.player_id

    def sessions(**params):
        return [row["id"] for row in get("/sessions", **params).json()["sessions"]]

    def movements(**params):
        rows = get("/movements", **params).json()["movements"]
        return [row["session"] for row in rows]

    assert sessions(player_id=player) == [session.pk]
    assert sessions(start_date="2026-03-15") == [other.pk]
    assert sessions(end_date="2026-03-15") == [session.pk]
    assert movements(player_id=player) == [session.pk] * 2
    assert movements(session=other.pk) == [other.pk]
    assert movements(session=other.pk, player_id=player) == []


def test_metrics_are_chosen(get):
    entries = {"bat_speed_max": 31.0, "head_drop": 3.0, "attack_angle": 8.123456789}
    factories.make_swing(entries, sampling_rate_hz=239.98765)
    (row,) = get("/movements").json()["movements"]
    assert set(row["metrics"]) == {"bat_speed_max", "attack_angle"}
    assert row["metrics"]["attack_angle"]["value"] == 8.12346
    assert row["sampling_rate_hz"] == 239.988
    (row,) = get("/movements", metrics="head_drop").json()["movements"]
    assert set(row["metrics"]) == {"head_drop"}
    answer = get("/movements", 422, metrics="head_drop,nothing")
    assert "no metric nothing" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("fields", "counted", "reason"),
    [
        ({}, True, None),
        ({"quality_grade": "poor"}, False, "poor_quality"),
        ({"is_swing": False}, False, "not_a_swing"),
        ({"is_swing": None}, False, "not_analyzed"),
        ({"inclusion": "excluded"}, False, "excluded"),
        ({"inclusion": "included", "quality_grade": "poor"}, True, "included"),
        ({"missing_since": timezone.now()}, False, "missing_at_vendor"),
    ],
)
def test_a_swing_says_whether_it_counts_and_why(get, fields, counted, reason):
    swing = factories.make_swing(**fields)
    (row,) = get("/movements").json()["movements"]
    assert (row["counted"], row["counted_reason"]) == (counted, reason)
    assert swing.is_counted == counted


@pytest.mark.parametrize("path", ["/sessions", "/movements"])
def test_unknown_parameters_are_refused(get, path):
    answer = get(path, 422, skip="1")
    assert answer.json()["detail"] == "skip: unknown parameter."


def test_athletes_take_unknown_parameters_only_in_the_old_way(get):
    cursor = get("/players", sort="name").json()["next"]
    for given in ({"cursor": cursor}, {"updated_since": "2026-03-01T18:00:00Z"}):
        get("/players", search="", limit=5, **given)
        answer = get("/players", 422, update_since="2026-03-01", **given)
        assert answer.json()["detail"] == "update_since: unknown parameter."


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "cursor", ["x", "e30", "eyJhc2tlZCI6IDF9", "é", "bnVsbA", "W10", "a" * 400]
)
def test_what_is_no_cursor_is_refused(get, path, cursor):
    assert get(path, 422, cursor=cursor).json()["detail"].startswith("cursor: ")


@pytest.mark.parametrize("since", ["yesterday", "2026-13-01", "0001-01-01T00:00+14:00"])
@pytest.mark.parametrize("path", PATHS)
def test_what_is_no_time_is_refused(get, path, since):
    get(path, 422, updated_since=since)


def test_a_cursor_belongs_to_its_question(client, get):
    factories.make_session()
    cursor = get("/sessions").json()["next"]
    assert (
        "filters or teams"
        in get("/sessions", 422, cursor=cursor, player_id=1).json()["detail"]
    )
    assert "a different path" in get("/movements", 422, cursor=cursor).json()["detail"]
    of_team = factories.make_token(team=factories.make_team())
    answer = client.get("/sessions", {"cursor": cursor}, headers=of_team)
    assert answer.status_code == 422


def test_athletes_come_by_name_and_then_as_they_change(client):
    players = [factories.make_player(last_name=name) for name in "CAB"]
    copy = Copy(client, factories.make_token())
    factories.make_player(last_name="D")
    client.get("/players", headers=copy.headers)
    first = client.get("/players", {"limit": 2}, headers=copy.headers).json()
    assert [row["last_name"] for row in first["players"]] == ["A", "B"]
    assert first["more"]
    # Before the place that was reached by name, so only the order of changes tells.
    Player.objects.filter(pk=players[1].pk).update(weight_lbs=150.0)
    second = client.get(
        "/players", {"limit": 2, "cursor": first["next"]}, headers=copy.headers
    ).json()
    assert [row["last_name"] for row in second["players"]] == ["C", "D"]
    copy.cursors["/players"] = second["next"]
    assert copy.pull()["/players"] == [players[1].pk]


def test_the_way_by_name_begins_again_when_it_is_lost(client, get):
    for name in "ABC":
        factories.make_player(last_name=name)
    first = get("/players", limit=1).json()
    erase(player=Player.objects.get(last_name="A"), by=None)
    body = get("/players", cursor=first["next"]).json()
    names = [row["last_name"] for row in body["players"] if "last_name" in row]
    assert names == ["B", "C"]


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(
    ("path", "queries"), [("/players", 4), ("/sessions", 4), ("/movements", 4)]
)
def test_lists_cost_few_queries(get, count, path, queries, django_assert_num_queries):
    for _ in range(count):
        factories.make_swing()
    cursor = get("/players", limit=1000).json()["next"]
    params = {"cursor": cursor} if path == "/players" else {}
    Player.objects.update(weight_lbs=170.0)
    get(path, **params)
    # token, place, (number of athletes,) places of the page, its rows
    with django_assert_num_queries(queries + (path == "/players")):
        get(path, **params)


def test_updated_at_is_the_same_on_every_path(get):
    swing = factories.make_swing()
    get("/movements")
    Player.objects.filter(pk=swing.session.player_id).update(first_name="Renamed")
    Session.objects.filter(pk=swing.session_id).update(condition="tee")
    alone = {
        "/players": get(f"/players/{swing.session.player_id}").json(),
        "/sessions": get(f"/sessions/{swing.session_id}").json(),
        "/movements": get(f"/movements/{swing.pk}").json(),
    }
    for path, name in PATHS.items():
        (row,) = get(path).json()[name]
        assert row["updated_at"] == alone[path]["updated_at"]
