"""Athletes with something to find: who comes when, and what their swings say."""

from datetime import date, timedelta
from itertools import pairwise
from statistics import mean

import pytest

from simulator import stories
from simulator.__main__ import main
from simulator.data import World
from simulator.population import Shape, draw_athlete, draw_session
from simulator.swings import truth

LAST_DAY = date(2026, 11, 29)
SHAPE = Shape(players=40, sessions=90, swings=4, last_day=LAST_DAY, stories=True)


@pytest.fixture(scope="module")
def world():
    return World(SHAPE)


def athlete_of(world, story):
    return world.athletes[list(stories.STORIES).index(story) - len(stories.STORIES)]


def sessions_of(world, story):
    """The sessions of a story in the order of their days."""
    org_id = athlete_of(world, story).org_player_id
    found = [one for one in world.sessions if org_id in one.athletes]
    return sorted(found, key=lambda one: one.session_date)


def bat_speed(world, session, story):
    org_id = athlete_of(world, story).org_player_id
    return mean(
        truth(one)["values"]["bat_speed_max_m_per_s"]
        for one in world.movements(session, org_id)[:2]
    )


def test_stories_take_places_and_add_none(world):
    assert len(world.athletes) == SHAPE.players
    assert len(world.sessions) == SHAPE.sessions
    days = sorted(one.session_date for one in world.sessions)
    assert days[-1] == LAST_DAY
    assert days[0] <= LAST_DAY - timedelta(days=355)
    # Whoever is in no story does what they do without stories.
    plain = World(Shape(players=40, sessions=90, swings=4, last_day=LAST_DAY))
    one, other = world.sessions[0], plain.sessions[0]
    assert one == other
    org_id = one.athletes[0]
    assert world.movements(one, org_id) == plain.movements(other, org_id)


def test_without_stories_nothing_is_told():
    shape = Shape(players=20, sessions=60, swings=1)
    world = World(shape)
    assert world.athletes == [draw_athlete(1, number) for number in range(20)]
    assert world.sessions == [
        draw_session(shape, number, world.athletes) for number in range(60)
    ]


def test_names_are_one_each_and_ages_fit(world):
    names = [(one.first_name, one.last_name) for one in World(
        Shape(players=137, sessions=90, last_day=LAST_DAY, stories=True)
    ).athletes]  # fmt: skip
    assert len(set(names)) == 136  # one athlete is entered twice, as without stories
    for key in stories.STORIES:
        born = date.fromisoformat(athlete_of(world, key).date_of_birth)
        assert 14 <= (LAST_DAY - born).days / 365.25 <= 22
    one, other = athlete_of(world, "twice"), athlete_of(world, "twice-again")
    assert one.date_of_birth == other.date_of_birth
    assert one.first_name != other.first_name


def test_bat_speed_rises_and_falls_as_told(world):
    sessions = sessions_of(world, "faster")
    first, before, last = (bat_speed(world, sessions[i], "faster") for i in (0, -2, -1))
    assert before > first * 1.03
    assert last > before * 1.03
    sessions = sessions_of(world, "back")
    gaps = [
        (later.session_date - earlier.session_date).days
        for earlier, later in pairwise(sessions)
    ]
    assert max(gaps) > 120
    away = gaps.index(max(gaps))
    before, after, now = (
        bat_speed(world, sessions[i], "back") for i in (away, away + 1, -1)
    )
    assert after < before * 0.97
    assert now > after * 1.03
    softball = bat_speed(world, sessions_of(world, "softball-1")[0], "softball-1")
    assert softball < first * 0.95


def test_setups_hands_and_faults_are_in_the_sessions(world):
    setups = {one.setups for one in sessions_of(world, "tee-and-live")}
    assert {("tee",), ("live",)} < setups
    assert sessions_of(world, "tee-and-live")[-1].setups[-1] == "live"
    switch = athlete_of(world, "switch").org_player_id
    swings = world.movements(sessions_of(world, "switch")[0], switch)
    assert {one.bats for one in swings} == {"R", "L"}
    damage = [one.damage for one in sessions_of(world, "poor-files")]
    assert {None, "bad-one-swing"} < set(damage)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--players", "5", "--stories"],
        ["--sessions", "9", "--stories"],
        ["--sessions", "90", "--templates", "2", "--stories"],
    ],
)
def test_stories_without_room_are_refused(arguments, capsys):
    assert main(arguments) == 2
    assert "--stories needs --players" in capsys.readouterr().err
