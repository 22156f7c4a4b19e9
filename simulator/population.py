"""Invented athletes, their sessions and movements, all drawn from one seed.

Athlete ``i`` and session ``i`` are the same whatever the number of athletes and
sessions asked for (unless there are fewer athletes than a session needs). No name
here belongs to a person: first names are plants, last names moons and stars (but see
`stories`).
"""

from __future__ import annotations

import copy
import dataclasses
import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

import numpy as np

from simulator.body import Build
from simulator.motion import SwingShape
from simulator.swings import Movement
from simulator.words import words

FIRST_NAMES = words(
    "Alder Aster Balsam Basil Birch Bramble Briar Cedar Chervil Clover Comfrey Cypress "
    "Elder Fennel Fern Hawthorn Hazel Heather Juniper Larch Laurel Linden Maple Mallow "
    "Myrtle Nettle Oak Olive Poplar Quince Rowan Sage Sorrel Tansy Thistle Thyme Vetch "
    "Willow Yarrow Yew"
)
LAST_NAMES = words(
    "Altair Ariel Arcturus Bellatrix Callisto Ceres Charon Deneb Dione Enceladus Eris "
    "Europa Fomalhaut Ganymede Hyperion Iapetus Juno Mimas Miranda Mizar Neptune "
    "Oberon Pallas Phobos Pluto Pollux Proteus Rhea Rigel Saturn Sirius Spica "
    "Tethys Titan Titania Triton Umbriel Uranus Vega Vesta"
)

MOVEMENT_TYPES: tuple[dict[str, Any], ...] = (
    {"id": 1, "name": "Baseball Hitting", "slug": "baseball-hitting"},
    {"id": 2, "name": "Baseball Pitching", "slug": "baseball-pitching"},
    {"id": 3, "name": "Vertical Jumping", "slug": "vertical-jumping"},
    {"id": 4, "name": "Squatting", "slug": "squatting"},
    {"id": 5, "name": "Lunging", "slug": "lunging"},
    {"id": 6, "name": "Leg Raising", "slug": "leg-raising"},
    {"id": 67, "name": "Basketball Shooting", "slug": "basketball-shooting"},
)
MOCAP_TYPES: tuple[dict[str, Any], ...] = (
    {"id": 2, "name": "Hawk-Eye", "slug": "hawkeye"},
    {"id": 67, "name": "Reboot Motion", "slug": "rebootmotion"},
    {"id": 104, "name": "Hawk-Eye HFR", "slug": "hawkeyehfr"},
    {"id": 105, "name": "Hawk-Eye 26", "slug": "hawkeye26"},
    {"id": 106, "name": "Hawk-Eye LFR", "slug": "hawkeyelfr"},
    {"id": 107, "name": "GASTNet", "slug": "gastnet"},
    {"id": 108, "name": "DARI", "slug": "dari"},
    {"id": 109, "name": "MediaPipe Pose", "slug": "mediapipepose"},
    {"id": 110, "name": "Simi BVH", "slug": "simibvh"},
)
SESSION_TYPES = {
    1: {"id": 1, "name": "Practice", "slug": "practice"},
    2: {"id": 2, "name": "Game", "slug": "game"},
}
HITTING, PITCHING = "baseball-hitting", "baseball-pitching"
SLUG_OF_TYPE: dict[int, str] = {item["id"]: item["slug"] for item in MOVEMENT_TYPES}

FIRST_DAY = date(2025, 1, 6)
SPREAD_DAYS = 300
YEAR = timedelta(days=365)
# Salts of the random streams: one stream per thing, so that none shifts another.
ATHLETE, SESSION, SWING, IDENTITY, DAY = 11, 12, 13, 14, 15


def _rng(*key: int) -> np.random.Generator:
    return np.random.default_rng(key)


def _uuid(*key: int) -> str:
    return str(uuid.UUID(bytes=_rng(IDENTITY, *key).bytes(16), version=4))


def stamp(moment: datetime) -> str:
    """Return a time as the vendor writes it: UTC with microseconds and a Z."""
    return (
        moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    )


@dataclass(frozen=True)
class Hitter:
    """What an athlete's swings have in common."""

    build: Build
    shape: SwingShape
    trend: float  # share of bat speed gained in a year


@dataclass
class Athlete:
    """One invented athlete."""

    number: int
    id: str
    org_player_id: str
    first_name: str
    last_name: str
    date_of_birth: str | None
    attributes: list[dict[str, str]]
    bats: str  # R, L or S: the truth behind the attributes
    created_at: datetime
    updated_at: datetime
    removed: bool = False
    #: What its record says in place of the truth, by name.
    said: dict[str, Any] = field(default_factory=dict)
    # What the API does not tell, of an athlete with a story.
    habits: Hitter | None = None  # in place of those of its number
    team: str = ""
    note: str = ""

    def record(self) -> dict[str, Any]:
        """Return the athlete as the list of players shows them."""
        return {
            "id": self.id,
            "org_player_id": self.org_player_id,
            "first_name": self.first_name,
            "last_name": self.last_name,
            "date_of_birth": self.date_of_birth,
            "attributes": copy.deepcopy(self.attributes),
            "created_at": stamp(self.created_at),
            "updated_at": stamp(self.updated_at),
            **copy.deepcopy(self.said),
        }

    def brief(self) -> dict[str, Any]:
        """Return the athlete as a session shows them."""
        record = self.record()
        return {
            key: record[key]
            for key in ("id", "org_player_id", "first_name", "last_name",
                        "date_of_birth")
        }  # fmt: skip


@dataclass
class Session:
    """One invented session."""

    number: int
    id: str
    session_date: date
    session_num: int
    status: str
    session_type_id: int
    slug: str
    athletes: list[str]  # org_player_ids
    swings: int
    extras: bool  # a walk-through and a swing without a bat
    awkward_ids: bool
    created_at: datetime
    updated_at: datetime
    data_from: datetime | None = None  # no data before this moment
    no_data_for: set[str] = field(default_factory=set)
    revision: int = 0
    removed: bool = False
    removed_movements: set[tuple[str, str]] = field(default_factory=set)
    damage: str | None = None
    #: What its record says in place of the truth, by name.
    said: dict[str, Any] = field(default_factory=dict)
    # By org_player_id: what was changed in the swings of this day, in `SWING_SD`.
    shifts: dict[str, dict[str, float]] = field(default_factory=dict)
    # By org_player_id: whose swings these are, after the session was moved.
    swung_by: dict[str, str] = field(default_factory=dict)
    naming: int = 0  # how often its movements got other ids
    turned: int = 0  # by how many places the ids of its movements went on
    earlier_s: float = 0.0  # by how much its clips begin earlier
    clock_s: float = 0.0  # what the clocks of its files show at their first frames
    swung_on: date | None = None  # when it was recorded, once it has another day
    #: How it was hit, which the API does not tell: one setup, or that of each swing.
    setups: tuple[str, ...] = ()


def _attributes(
    number: int, bats: str, rng: np.random.Generator
) -> tuple[list[dict[str, str]], float, float]:
    height_ft = float(np.clip(rng.normal(5.85, 0.24), 5.0, 6.6))
    mass_lbs = float(np.clip(rng.normal(172 + 60 * (height_ft - 5.85), 16), 110, 260))
    throws = "L" if rng.random() < 0.25 else "R"
    height, weight = f"{height_ft:.3f}", f"{mass_lbs:.0f}"
    hitting, throwing = f"{bats}HA", f"{throws}HA"
    # Records as people type them. The first athletes stay clean.
    if number % 19 == 8:
        height = f"{int(height_ft)} {round((height_ft % 1) * 12) % 12}"
    if number % 23 == 7:
        height = "n/a"
    if number % 17 == 5:
        weight = ""
    if number % 41 == 13:
        hitting = "both?"
    pairs = [
        ("height_ft", height),
        ("weight_lbs", weight),
        ("dom_hand_hitting", hitting),
        ("dom_hand_throwing", throwing),
    ]
    if number % 31 == 12:
        pairs = [pair for pair in pairs if pair[0] != "dom_hand_hitting"]
    if number % 29 == 11:
        pairs = []
    return [{"key": k, "value": v} for k, v in pairs], height_ft, mass_lbs


def _bats(number: int, rng: np.random.Generator) -> str:
    if number < 3:
        return "RLS"[number]
    return str(rng.choice(["R", "L", "S"], p=[0.62, 0.28, 0.10]))


@lru_cache(maxsize=8192)
def hitter(seed: int, number: int) -> Hitter:
    """Body and habits of one athlete."""
    rng = _rng(seed, ATHLETE, number)
    bats = _bats(number, rng)
    _, height_ft, mass_lbs = _attributes(number, bats, rng)
    strength = rng.normal(0.0, 1.0)
    base = SwingShape()

    def spread(value: float, sd: float, pull: float = 0.0) -> float:
        return float(value + sd * (pull * strength + rng.normal() * (1 - abs(pull))))

    shape = SwingShape(
        pelvis_rate=spread(base.pelvis_rate, 45),
        torso_rate=spread(base.torso_rate, 45, 0.3),
        arm_rate=spread(base.arm_rate, 35, 0.3),
        bat_rate=spread(base.bat_rate, 130, 0.8),
        pelvis_peak_s=spread(base.pelvis_peak_s, 0.003),
        torso_peak_s=spread(base.torso_peak_s, 0.002),
        arm_peak_s=spread(base.arm_peak_s, 0.002),
        coil_deg=spread(base.coil_deg, 3),
        torso_coil_deg=spread(base.torso_coil_deg, 2.5),
        stride_m=spread(base.stride_m, 0.05),
        lift_m=max(0.06, spread(base.lift_m, 0.025)),
        foot_down_s=spread(base.foot_down_s, 0.008),
        bend_deg=spread(base.bend_deg, 2.5),
        side_bend_deg=spread(base.side_bend_deg, 2.5),
        plane_deg=spread(base.plane_deg, 4),
        attack_deg=spread(base.attack_deg, 3.5),
        tempo=spread(base.tempo, 0.06),
    )
    build = Build(
        height_m=height_ft * 0.3048,
        mass_kg=mass_lbs * 0.45359237,
        bat_length_m=0.838 if height_ft > 5.6 else 0.813,
        bat_mass_kg=0.87 if height_ft > 5.6 else 0.82,
    )
    return Hitter(build, shape, trend=float(rng.normal(0.035, 0.025)))


#: Standard deviation of each habit from swing to swing, in the unit of `SwingShape`.
SWING_SD = {
    "pelvis_rate": 16.0,
    "torso_rate": 18.0,
    "arm_rate": 18.0,
    "bat_rate": 38.0,
    "pelvis_peak_s": 0.0015,
    "torso_peak_s": 0.0012,
    "arm_peak_s": 0.0012,
    "coil_deg": 1.2,
    "torso_coil_deg": 1.0,
    "stride_m": 0.015,
    "foot_down_s": 0.005,
    "bend_deg": 1.2,
    "side_bend_deg": 1.6,
    "plane_deg": 1.5,
    "attack_deg": 2.5,
}
# What an athlete gains in a year is not the same share of every speed.
_GAINS = {"pelvis_rate": 0.4, "torso_rate": 0.7, "bat_rate": 1.0}


def _swing_shape(
    base: SwingShape, gain: float, day: Mapping[str, float], rng: np.random.Generator
) -> SwingShape:
    """One swing of a hitter: a little different each time.

    `day` is how far the habits of this day are from the hitter's own, in `SWING_SD`.
    """
    return dataclasses.replace(
        base,
        **{
            name: float(
                getattr(base, name) * (1 + _GAINS.get(name, 0.0) * gain)
                + sd * (day.get(name, 0.0) + rng.normal())
            )
            for name, sd in SWING_SD.items()
        },
    )


def _day(shape: Shape, session: Session, athlete: Athlete) -> dict[str, float]:
    """How far the habits of a day are from the athlete's own, in `SWING_SD`."""
    drawn = _rng(shape.seed, DAY, session.number, athlete.number).normal(
        size=len(SWING_SD)
    )
    shifts = session.shifts.get(athlete.org_player_id, {})
    return {
        name: shape.day_scatter * float(scatter) + shifts.get(name, 0.0)
        for name, scatter in zip(SWING_SD, drawn, strict=True)
    }


@dataclass(frozen=True)
class Shape:
    """How much data there is, and how each movement is sampled."""

    players: int = 137
    sessions: int = 60
    swings: int = 5
    seed: int = 1
    rate_hz: float = 240.0
    duration_s: float = 2.4
    templates: int = 0
    plain: bool = False
    day_scatter: float = 0.0  # between days, as a multiple of `SWING_SD`
    last_day: date | None = None  # of the newest session, a year after the first
    stories: bool = False  # see `stories`

    @property
    def frames(self) -> int:
        """Return how many frames one movement has."""
        return max(2, round(self.duration_s * self.rate_hz))

    @property
    def first_day(self) -> date:
        """Return the first day that a session may have."""
        return FIRST_DAY if self.last_day is None else self.last_day - YEAR


def draw_athlete(seed: int, number: int) -> Athlete:
    """Return the athlete of this number, who depends on the seed alone."""
    rng = _rng(seed, ATHLETE, number)
    bats = _bats(number, rng)
    attributes, _, _ = _attributes(number, bats, rng)
    # Number 17 is number 5 entered a second time: same person, other ids.
    named = 5 if number == 17 else number
    pick = _rng(seed, IDENTITY, named)
    first = FIRST_NAMES[int(pick.integers(len(FIRST_NAMES)))]
    last = LAST_NAMES[int(pick.integers(len(LAST_NAMES)))]
    born: date | None = date(2003, 1, 1) + timedelta(days=int(pick.integers(365 * 8)))
    if number % 37 == 21:
        born = None
    made = datetime(2024, 11, 1, 15, tzinfo=UTC) + timedelta(
        minutes=int(pick.integers(60 * 24 * 60))
    )
    return Athlete(
        number=number,
        id=_uuid(seed, 1, number),
        org_player_id=_uuid(seed, 2, number),
        first_name=first,
        last_name=last,
        date_of_birth=born.isoformat() if born else None,
        attributes=attributes,
        bats=bats,
        created_at=made,
        updated_at=made,
    )


def _fraction(number: int) -> float:
    """Return where in its season a session lies, from 0 to 1.

    Van der Corput: any first n sessions are spread over the whole season.
    """
    fraction, scale, rest = 0.0, 0.5, number + 1
    while rest:
        fraction += scale * (rest & 1)
        scale, rest = scale / 2, rest >> 1
    return fraction


@lru_cache(maxsize=64)
def _newest(sessions: int) -> float:
    """Return the fraction of the newest of so many sessions."""
    return max(map(_fraction, range(max(1, sessions))))


def _day_of_session(shape: Shape, number: int) -> date:
    """Return the day of the session of this number."""
    if shape.last_day is None:
        return FIRST_DAY + timedelta(days=int(_fraction(number) * SPREAD_DAYS))
    share = min(1.0, _fraction(number) / _newest(shape.sessions))
    return shape.first_day + timedelta(days=round(share * YEAR.days))


def draw_session(shape: Shape, number: int, present: Sequence[Athlete]) -> Session:
    """Return the session of this number, with some of the athletes at `present`."""
    rng = _rng(shape.seed, SESSION, number)
    # Few athletes come often, most come now and then.
    first = int(-12 * math.log(1 - rng.random()))
    chosen = [number if number < 3 else first]
    second = int(rng.integers(1, 9))
    slug, status = HITTING, "processed"
    no_data: set[str] = set()
    extras = awkward = False
    if not shape.plain:
        if number % 9 == 2:
            chosen.append(chosen[0] + second)
        if number % 13 == 3:
            slug = PITCHING
        elif number % 17 == 4:
            status = "processing"
        extras = number % 7 == 0
        awkward = number % 11 == 6
    athletes: list[str] = []
    for index in chosen:
        org_id = present[index % len(present)].org_player_id
        if org_id not in athletes:
            athletes.append(org_id)
    if not shape.plain and number % 29 == 5:
        no_data.add(athletes[0])
    day = _day_of_session(shape, number)
    made = datetime(day.year, day.month, day.day, 16, tzinfo=UTC) + timedelta(
        seconds=int(rng.integers(4 * 3600)), microseconds=int(rng.integers(10**6))
    )
    return Session(
        number=number,
        id=_uuid(shape.seed, 3, number),
        session_date=day,
        session_num=1 + number % 4,
        status=status,
        session_type_id=2 if number % 10 == 9 else 1,
        slug=slug,
        athletes=athletes,
        swings=shape.swings,
        extras=extras,
        awkward_ids=awkward,
        created_at=made,
        updated_at=made + timedelta(minutes=20 + int(rng.integers(40))),
        no_data_for=no_data,
    )


def draw_movements(shape: Shape, session: Session, athlete: Athlete) -> list[Movement]:
    """Return what an athlete does in a session, in order, without removed movements.

    `athlete` is who swings: not whom the vendor has the session under, if it moved it.
    """
    number = athlete.number
    place = session.number
    bats = athlete.bats
    if shape.templates:
        place = session.number % shape.templates
        bats = "L" if bats == "L" else "R"
        number = 1 if bats == "L" else 0
    person = athlete.habits or hitter(shape.seed, number)
    swung_on = session.swung_on or session.session_date
    gain = person.trend * (swung_on - shape.first_day).days / 365
    if shape.templates:
        gain = 0.0
    day = {} if shape.templates else _day(shape, session, athlete)
    total = session.swings + (2 if session.extras else 0)
    found = []
    for index in range(total):
        movement = _draw_movement(
            shape, session, person, number, place, index, bats, gain, day
        )
        found.append(movement)
    names = [movement.org_movement_id for movement in found]
    turned = session.turned % max(1, len(names))
    return [
        dataclasses.replace(movement, org_movement_id=name)
        for name, movement in zip(names[turned:] + names[:turned], found, strict=True)
        if (athlete.org_player_id, name) not in session.removed_movements
    ]


def _draw_movement(
    shape: Shape,
    session: Session,
    person: Hitter,
    athlete: int,
    place: int,
    index: int,
    bats: str,
    gain: float,
    day: Mapping[str, float],
) -> Movement:
    key = (shape.seed, SWING, place, athlete, index, session.revision)
    rng = _rng(*key)
    name = f"IMG-{1000 + place:04d}-{index + 1:04d}"
    if session.awkward_ids:
        name = f'Cage #{place % 4 + 1}, "live"-{index + 1:04d}'
    if session.naming:
        name += f"-v{session.naming + 1}"
    side = bats
    if bats == "S":
        side = "R" if index < (session.swings + 1) // 2 else "L"
    walks = session.extras and index == session.swings
    if session.slug != HITTING:
        walks = True
    # The clip ends half a second after contact, or a fifth of a short one.
    room = min(0.5, 0.21 * shape.duration_s)
    contact = shape.duration_s - room + 0.04 * float(rng.uniform(-1, 1))
    contact += session.earlier_s + session.clock_s
    return Movement(
        org_movement_id=name,
        movement_id=_uuid(*key),
        kind="walk" if walks else "swing",
        bats=side,
        build=person.build,
        shape=_swing_shape(person.shape, gain, day, rng),
        rate_hz=shape.rate_hz,
        frames=shape.frames,
        contact_s=0.0 if walks else contact,
        noise_seed=key,
        has_bat=not (session.extras and index == session.swings + 1),
        energy_spike=session.extras and index == 1,
        walk_phase=float(rng.uniform(0, 2 * math.pi)),
        clock_s=session.clock_s,
    )
