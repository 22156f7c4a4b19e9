"""Where an athlete's headline numbers lie among those of the facility's athletes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from athletes.analysis import percentiles
from athletes.analysis.history import Basis, History, SessionAverage
from athletes.analysis.levels import at_level, ids_at_level
from athletes.analysis.metric_reading import MetricReading
from athletes.analysis.peer_numbers import (
    ANY_SETUP,
    EVERYONE,
    LEAST_SWINGS,
    PeerBasis,
    band_words,
)
from athletes.analysis.percentiles import (
    EXACT_FROM,
    LEAST_ATHLETES,
    Peers,
    Rank,
)
from athletes.display import number_of
from athletes.models import Level, Player
from athletes.querysets import PlayerQuerySet

Among = Literal["age", "all", "level"]


@dataclass(frozen=True)
class Standing:
    """One headline number and where it lies among other athletes' on its basis."""

    reading: MetricReading
    share: Rank | None
    # Why the number is not held against others at all.
    apart: str = ""

    @property
    def percentile(self) -> float | None:
        """The percentile, 0 to 100, where enough athletes are compared."""
        return self.share.percentile if self.share else None

    @property
    def lower(self) -> str:
        """`8 of 20`: how many have a lower number, where a percentile says too much."""
        if self.share is None or self.share.n >= EXACT_FROM:
            return ""
        return f"{self.share.below} of {self.share.n}"

    @property
    def ordinal(self) -> str:
        """`63rd`; never 0th or 100th, for nobody is below or above themselves."""
        if self.percentile is None:
            return ""
        return _ordinal(max(1, min(99, math.floor(self.percentile + 0.5))))

    @property
    def missing(self) -> str:
        """Why there is no percentile, in words."""
        if self.apart:
            return self.apart
        if self.share is None:
            return "Not compared yet."
        if self.share.n >= LEAST_ATHLETES:
            return ""
        return (
            f"{number_of(self.share.n, 'athlete')} on the same basis; "
            f"shown from {LEAST_ATHLETES} on."
        )


@dataclass(frozen=True)
class PeerChoice:
    """A group to be compared with: what it is called and how many are in it."""

    among: Among
    label: str
    n: int
    level: str = ""

    @property
    def is_enough(self) -> bool:
        """Whether the group is large enough for percentiles."""
        return self.n >= LEAST_ATHLETES


@dataclass(frozen=True)
class MiddleHalf:
    """Quartiles of one metric in a group of athletes, in the metric's unit."""

    place: Standing
    low: float
    median: float
    high: float


@dataclass(frozen=True)
class AthletePeers:
    """What the athlete's page says of the facility's other athletes."""

    places: tuple[Standing, ...]
    among: Among
    choices: tuple[PeerChoice, ...]
    basis: Basis | None
    middle: MiddleHalf | None
    is_listed: bool
    is_facility: bool
    """Whether all athletes of the facility are compared with, or those seen alone."""
    is_any_setup: bool = False
    """Whether all setups are together, because too few have the athlete's."""
    is_switch: bool = False
    least: int = LEAST_ATHLETES

    @property
    def has_percentiles(self) -> bool:
        """Whether any of the numbers has a percentile."""
        return any(place.percentile is not None for place in self.places)

    @property
    def apart(self) -> str:
        """Why no number is compared, where one reason holds for all of them."""
        reasons = {place.apart for place in self.places}
        return reasons.pop() if len(reasons) == 1 else ""

    @property
    def most(self) -> int:
        """How many athletes the largest of the shown comparisons has."""
        return max((place.share.n for place in self.places if place.share), default=0)

    @property
    def group_words(self) -> str:
        """Who the athlete is compared with: `31 athletes aged 14–15`."""
        chosen = next(item for item in self.choices if item.among == self.among)
        who = number_of(self.most, "athlete")
        if not self.is_facility:
            who += " you see,"
        if self.among == "age":
            return f"{who} aged {chosen.label.removeprefix('Ages ')}"
        if self.among == "level":
            return f"{who} whose level is {chosen.level} today"
        return f"{who} of all ages"


def athlete_peers(
    player: Player,
    latest: Sequence[tuple[MetricReading, SessionAverage]],
    history: History,
    *,
    chosen: str,
    among: str,
    seen: PlayerQuerySet | None,
    level: Level | None = None,
) -> AthletePeers:
    """Where the newest numbers lie among other athletes'; nine queries at most.

    `latest` holds each number that is shown with the session mean it comes from,
    `history` all of the athlete's, `chosen` the metric whose middle half is told.
    Without a wish it is the athlete's age that is compared with, where enough athletes
    are of it. With `seen` these athletes alone are compared with: nothing is said that
    another has a part in. `level` is the athlete's own: with the wish `level` those who
    are at it today are compared with, on the same bases.
    """
    apart = {point.metric: _apart(point, history[point.metric]) for _, point in latest}
    keys = {point.metric: _key(point) for _, point in latest if not apart[point.metric]}
    wide = {metric: _of_any_setup(key) for metric, key in keys.items()}
    wanted = [*keys.values(), *wide.values()]
    found = percentiles.peers_of(player.pk, wanted, seen=seen) if keys else {}
    is_any_setup = _is_enough(found, wide) and not _is_enough(found, keys)
    if is_any_setup:
        keys = wide
        # Of all setups together it may be another session's number that is compared.
        apart |= {
            point.metric: _apart(point, history[point.metric], of=_any_key)
            for _, point in latest
        }
        keys = {metric: key for metric, key in keys.items() if not apart[metric]}
    found = {key: found[key] for key in keys.values() if key in found}
    choices = _choices(list(found.values()))
    level_seen: percentiles.Seen | None = None
    of_level: dict[PeerBasis, Peers] = {}
    if level is not None and keys:
        level_seen = ids_at_level(level) if seen is None else at_level(seen, level)
        # A level goes across ages.
        if among == "level":
            of_level = percentiles.peers_of(
                player.pk, keys.values(), seen=level_seen, of_ages=False
            )
        n = _size_at_level(found, of_level, level_seen)
        choice = PeerChoice("level", f"Within {level.name}", n, level.name)
        choices = (choice, *choices)
    group: Among = _among(among, choices)
    if group == "age":
        # Choice and sentence name one age; a number of an older session has its own.
        band = _named_band(found.values())
        apart |= {
            metric: OTHER_AGE
            for metric, key in keys.items()
            if key in found and found[key].band != band
        }
    places = tuple(
        Standing(
            reading,
            None
            if apart[point.metric]
            else _share(
                (of_level if group == "level" else found).get(keys[point.metric]), group
            ),
            apart[point.metric],
        )
        for reading, point in latest
    )
    bases = {(point.basis.condition, point.basis.source) for _, point in latest}
    rules = {point.basis.rule for _, point in latest}
    # What single numbers rest on beside the event they share is said with each of them.
    shared = f"reference={rules.pop()}" if len(rules) == 1 else ""
    return AthletePeers(
        places=places,
        among=group,
        choices=choices,
        # Who is compared with swings from either side.
        basis=replace(latest[0][1].basis, measured=shared, says_side=False)
        if len(bases) == 1 and not is_any_setup
        else None,
        middle=_middle(
            places,
            found,
            keys,
            chosen,
            group,
            level_seen if group == "level" else seen,
        ),
        is_listed=player.missing_since is None,
        is_facility=seen is None,
        is_any_setup=is_any_setup,
        is_switch=any(point.basis.says_side for _, point in latest),
    )


BOTH_SIDES = "No percentile: this session has swings from both sides."
OTHER_SIDE = "No percentile: it is from the latest session, on the other side."
FEW_SWINGS = f"No percentile: needs {LEAST_SWINGS} swings or more."
OTHER_AGE = "Not compared: measured at a different age."


def _apart(
    point: SessionAverage,
    points: Sequence[SessionAverage],
    of: Callable[[SessionAverage], PeerBasis] | None = None,
) -> str:
    """Why a number cannot be compared with other athletes'; empty where it can.

    What is kept for comparing is the average over all swings of the newest session.
    """
    if point.is_part:
        return BOTH_SIDES
    if point.n < LEAST_SWINGS:
        return FEW_SWINGS
    same = [
        other
        for other in points
        if (of or _key)(other) == (of or _key)(point) and other.n >= LEAST_SWINGS
    ]
    return "" if same[-1].session_id == point.session_id else OTHER_SIDE


def _key(point: SessionAverage) -> PeerBasis:
    """What must be equal for two athletes' numbers to be compared."""
    basis = point.basis
    return (
        point.metric,
        basis.condition,
        basis.measured,
        basis.source,
        basis.method_version,
    )


def _any_key(point: SessionAverage) -> PeerBasis:
    return _of_any_setup(_key(point))


def _of_any_setup(key: PeerBasis) -> PeerBasis:
    """The group in which all setups are together."""
    metric, _, measured, source, method_version = key
    return (metric, ANY_SETUP, measured, source, method_version)


def _is_enough(found: Mapping[PeerBasis, Peers], keys: Mapping[str, PeerBasis]) -> bool:
    """Whether any of these numbers is held against athletes enough."""
    return any(
        found[key].everyone.n >= LEAST_ATHLETES for key in keys.values() if key in found
    )


def _size_at_level(
    found: Mapping[PeerBasis, Peers],
    of_level: Mapping[PeerBasis, Peers],
    seen: percentiles.Seen,
) -> int:
    """How many at the level have the number that most athletes have.

    Ranks are counted only for who wishes the level: at 100 000 athletes that takes
    several times as long as this number.
    """
    if not found:
        return 0
    key = max(found, key=lambda each: found[each].everyone.n)
    if key in of_level:
        return of_level[key].everyone.n
    return percentiles.size_among(found[key].group_id, seen)


def _choices(found: Sequence[Peers]) -> tuple[PeerChoice, ...]:
    """The groups to choose from: all ages, and the athlete's own age if known."""
    everyone = max((item.everyone.n for item in found), default=0)
    choices = [PeerChoice("all", "All ages", everyone)]
    band = _named_band(found)
    if band is not None:
        same = max(
            item.same_age.n for item in found if item.same_age and item.band == band
        )
        choices.insert(0, PeerChoice("age", f"Ages {band_words(band)}", same))
    return tuple(choices)


def _named_band(found: Iterable[Peers]) -> int | None:
    """The age band that the choice names: the first number's that has one."""
    return next((item.band for item in found if item.band is not None), None)


def _among(wish: str, choices: Sequence[PeerChoice]) -> Among:
    """The group to compare with: the wished one, else their age if it is enough."""
    by_key = {choice.among: choice for choice in choices}
    if wish == "level" and "level" in by_key and by_key["level"].is_enough:
        return "level"
    if wish == "all" or "age" not in by_key or not by_key["age"].is_enough:
        return "all"
    return "age"


def _share(found: Peers | None, among: Among) -> Rank | None:
    """The number's place in one group."""
    if found is None:
        return None
    return found.same_age if among == "age" else found.everyone


def _middle(
    places: Sequence[Standing],
    found: dict[PeerBasis, Peers],
    keys: dict[str, PeerBasis],
    chosen: str,
    among: Among,
    seen: percentiles.Seen | None,
) -> MiddleHalf | None:
    """Quartiles of the chosen metric; None where it has no percentile."""
    place = next((item for item in places if item.reading.metric == chosen), None)
    if place is None or place.percentile is None:
        return None
    own = found[keys[chosen]]
    audience = EVERYONE if among != "age" or own.band is None else own.band
    values = percentiles.quartiles(own.group_id, audience, seen=seen)
    return None if values is None else MiddleHalf(place, *values)


def _ordinal(number: int) -> str:
    """The number as `1st`, `2nd`, `11th`."""
    if 10 <= number % 100 <= 20:
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"
