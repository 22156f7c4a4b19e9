"""Athletes of whom there is something to find, for a demonstration: `--stories`.

Plain data: who they are, on which days they came and what was different on each. They
take the places of the last athletes and of the last sessions that were asked for, so
that a world with stories has as many of both as one without. All others get names that
could be a person's in place of plants and stars. No name here is meant for anybody.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from simulator.population import (
    HITTING,
    YEAR,
    Athlete,
    Hitter,
    Session,
    Shape,
    hitter,
)
from simulator.words import words

FIRST_NAMES = words(
    "Adaeze Amir Anneke Bashir Beatriz Callum Camila Dashiell Delphine Dmitri Eamon "
    "Efua Elio Emeka Farah Finnian Giulia Hana Idris Imani Ines Jalen Joaquin Kaito "
    "Keoni Lachlan Leilani Linnea Malik Marisol Minh Nadia Naveen Odalys Orson Petra "
    "Quentin Rafe Renata Saoirse Soren Tamsin Teo Thandi Ulises Vikram Wren Ximena"
)
LAST_NAMES = words(
    "Abernethy Adeyemi-Cole Ahlstrom Baptiste-Roy Bhandari Brightwater Calloway-Reed "
    "Castellan Dragomir Duquesne Eskandari Fairweather Fenwick Fonoti Galanis Haugland "
    "Hollowell Ihejirika Ishikawa-Dunn Jankowiak Kahananui Kowalczuk Laghari Leclair "
    "Lindgaard Macready Mbeki-Hale Montalbano Naidoo Nightingale Nygaard O'Halloran "
    "Oyelaran Pemberton Quigley-Shaw Rasmusen Rautio Sandoval-Price Sorensen-Ito "
    "Stavros Tanaka-Moss Thistlewood Underhill Vasquez-Lund Wetherby Yamashiro Zielonka"
)


@dataclass(frozen=True)
class Story:
    """One athlete of whom there is something to find."""

    first_name: str
    last_name: str
    age: int
    bats: str
    height_ft: float
    weight_lbs: float
    trend: float = 0.02  # share of bat speed gained in a year
    speed: float = 1.0  # of everything that turns, against the others
    bat_kg: float = 0.87
    team: str = "Varsity"
    note: str = ""


@dataclass(frozen=True)
class Visit:
    """One session: who came, and how it was hit."""

    days_ago: int  # before the last day of the season
    who: tuple[str, ...]
    #: The setup of all swings, or that of each.
    setups: tuple[str, ...] = ()
    #: What was different that day, by habit, in `population.SWING_SD`.
    shifts: Mapping[str, float] = field(default_factory=dict)
    damage: str | None = None
    extras: bool = False


_SOFTBALL: dict[str, Any] = {"speed": 0.86, "bat_kg": 0.65, "team": "Softball 16U"}

STORIES: dict[str, Story] = {
    "faster": Story(
        *("Mateo", "Villase\u00f1or-Quist", 17, "R", 5.9, 168),
        trend=0.07,
        note="Strength program since last winter.",
    ),
    "tee-and-live": Story("Darnell", "Whitlow-Eads", 19, "L", 6.1, 190),
    "switch": Story("Kenji", "Arakawa-Bell", 18, "S", 5.8, 165),
    "back": Story(
        *("Tobias", "Okonjo-Lind", 20, "R", 6.2, 205),
        note="Four months off. Half effort in the first two sessions.",
    ),
    "poor-files": Story("Soren", "Petrakis-Vance", 16, "R", 5.7, 150),
    "twice": Story("Rosalind", "Bexley-Moreau", 16, "L", 5.5, 139, team=""),
    "twice-again": Story("Rosalin", "Bexley-Moreau", 16, "L", 5.5, 139, team=""),
    "softball-1": Story("Amaya", "Sunderholt", 15, "R", 5.4, 132, **_SOFTBALL),
    "softball-2": Story("Noor", "Elshamy-Katz", 16, "R", 5.5, 141, **_SOFTBALL),
    "softball-3": Story("Tess", "Van Oosterling", 15, "L", 5.6, 146, **_SOFTBALL),
    "softball-4": Story("Jia", "Songhurst", 15, "L", 5.2, 121, **_SOFTBALL),
    "softball-5": Story("Kiona", "Redwillow", 16, "R", 5.7, 153, **_SOFTBALL),
    "softball-6": Story("Maeve", "Tolliver-Ngata", 16, "S", 5.4, 137, **_SOFTBALL),
}
_LIVE = {"bat_rate": -2.5, "foot_down_s": 2.0, "attack_deg": 1.5}
_TEAM = tuple(key for key in STORIES if key.startswith("softball"))

VISITS: tuple[Visit, ...] = (
    # Faster little by little all year, and by a clear step in the latest session.
    *(
        Visit(days, ("faster",), ("machine",))
        for days in (364, 329, 292, 258, 221, 186, 150, 113, 78, 43)
    ),
    Visit(0, ("faster",), ("machine",), {"bat_rate": 4.0, "torso_rate": 2.5}),
    # Slower bat and later foot against a pitcher; one day of both.
    *(
        Visit(days, ("tee-and-live",), ("tee",))
        for days in (333, 270, 206, 141, 80, 22)
    ),
    *(
        Visit(days, ("tee-and-live",), ("live",), _LIVE)
        for days in (332, 269, 205, 140, 79)
    ),
    Visit(2, ("tee-and-live",), ("tee", "tee", "tee", "live", "live")),
    *(Visit(days, ("switch",)) for days in (341, 288, 230, 171, 119, 61, 4)),
    # Away for four months, then slower, then nearly as before.
    *(Visit(days, ("back",)) for days in (355, 318, 276, 239, 197, 152)),
    Visit(26, ("back",), (), {"pelvis_rate": -5.0, "torso_rate": -4, "bat_rate": -5}),
    Visit(15, ("back",), (), {"pelvis_rate": -2.5, "torso_rate": -2, "bat_rate": -3}),
    Visit(3, ("back",)),
    Visit(163, ("poor-files",)),
    Visit(121, ("poor-files",), damage="bad-one-swing"),
    Visit(90, ("poor-files",), extras=True),
    Visit(47, ("poor-files",), damage="bad-text-column"),
    Visit(5, ("poor-files",), damage="bad-one-swing"),
    # Entered a second time in the fall, with a letter missing.
    *(Visit(days, ("twice",)) for days in (280, 199, 135)),
    *(Visit(days, ("twice-again",)) for days in (57, 9)),
    *(Visit(days, _TEAM, ("front_toss",)) for days in (178, 64, 1)),
)


class StoriesError(ValueError):
    """Too few athletes or sessions for the stories."""


def check(players: int, sessions: int, templates: int) -> None:
    """Raise `StoriesError` where there is no room for the stories."""
    if players < len(STORIES) or sessions < len(VISITS) or templates:
        raise StoriesError(
            f"--stories needs --players {len(STORIES)} and --sessions {len(VISITS)} "
            "or more, and no --templates"
        )


def tell(
    shape: Shape, athletes: Sequence[Athlete], sessions: Sequence[Session]
) -> None:
    """Make the last athletes and sessions those of the stories, and name the others."""
    check(shape.players, shape.sessions, shape.templates)
    last_day = shape.first_day + YEAR
    for athlete in athletes:
        number = 5 if athlete.number == 17 else athlete.number
        athlete.first_name = FIRST_NAMES[number * 7 % len(FIRST_NAMES)]
        athlete.last_name = LAST_NAMES[number * 11 % len(LAST_NAMES)]
    told = dict(zip(STORIES, athletes[-len(STORIES) :], strict=True))
    for key, athlete in told.items():
        _play(athlete, STORIES[key], _birth_date(STORIES[key], key, last_day), shape)
    for session, visit in zip(sessions[-len(VISITS) :], VISITS, strict=True):
        _hold(session, visit, [told[key] for key in visit.who], last_day)


def _birth_date(story: Story, key: str, last_day: date) -> date:
    # Both records of one person have one birthday; nobody's is just now.
    day = sum(map(ord, key.removesuffix("-again"))) % 300
    return date(last_day.year - story.age, 1, 1) + timedelta(days=day - 365)


def _play(athlete: Athlete, story: Story, born: date, shape: Shape) -> None:
    """Let an athlete be the one of a story."""
    athlete.first_name, athlete.last_name = story.first_name, story.last_name
    athlete.date_of_birth = born.isoformat()
    athlete.bats = story.bats
    athlete.attributes = [
        {"key": "height_ft", "value": f"{story.height_ft:.3f}"},
        {"key": "weight_lbs", "value": f"{story.weight_lbs:.0f}"},
        {"key": "dom_hand_hitting", "value": f"{story.bats}HA"},
        {"key": "dom_hand_throwing", "value": "RHA"},
    ]
    athlete.team, athlete.note = story.team, story.note
    drawn = hitter(shape.seed, athlete.number)
    rates = ("pelvis_rate", "torso_rate", "arm_rate", "bat_rate")
    athlete.habits = Hitter(
        dataclasses.replace(
            drawn.build,
            height_m=story.height_ft * 0.3048,
            mass_kg=story.weight_lbs * 0.45359237,
            bat_length_m=0.838 if story.height_ft > 5.3 else 0.813,
            bat_mass_kg=story.bat_kg,
        ),
        dataclasses.replace(
            drawn.shape,
            **{name: getattr(drawn.shape, name) * story.speed for name in rates},
        ),
        story.trend,
    )


def _hold(
    session: Session, visit: Visit, athletes: list[Athlete], last_day: date
) -> None:
    """Let a session be the one of a visit."""
    session.session_date = last_day - timedelta(days=visit.days_ago)
    made = datetime.combine(session.session_date, session.created_at.timetz())
    session.updated_at = made + (session.updated_at - session.created_at)
    session.created_at = made.astimezone(UTC)
    session.athletes = [athlete.org_player_id for athlete in athletes]
    session.slug, session.status, session.session_type_id = HITTING, "processed", 1
    session.no_data_for, session.awkward_ids = set(), False
    session.extras, session.damage = visit.extras, visit.damage
    session.setups = visit.setups
    if visit.shifts:
        session.shifts = {
            athlete.org_player_id: {k: float(v) for k, v in visit.shifts.items()}
            for athlete in athletes
        }
