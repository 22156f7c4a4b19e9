"""One athlete: facts, findings, numbers over time, sessions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, QuerySet

from athletes.analysis.changes import (
    MetricChange,
    newest_session,
    point_of_session,
    session_changes,
    usual_band,
)
from athletes.analysis.history import (
    Basis,
    History,
    SessionAverage,
    SideChoice,
    histories,
    main_setup,
    newest_side,
    of_side,
    setups_of,
    side_choices,
    side_of_key,
    sides_in,
)
from athletes.analysis.levels import level_of
from athletes.analysis.means_by_side import side_key
from athletes.analysis.metric_reading import MetricReading
from athletes.analysis.usual_scatter import Facility, PriorOf
from athletes.kept_questions import kept_question
from athletes.models import Level, Player, Session, Tag
from athletes.querysets import PlayerQuerySet, SessionQuerySet
from biomechanics.definitions import METRICS, NUMERIC_HEADLINES, MetricDefinition
from biomechanics.metrics.values import said_of
from dashboard.selectors.athlete_peers import AthletePeers, athlete_peers
from dashboard.selectors.changes import ChangeSentence, change_sentences, setup_note
from dashboard.selectors.freshness import Freshness, freshness_of
from dashboard.selectors.goals import Goals, ShownGoal, goals_of
from dashboard.selectors.session_averages import no_average

SESSIONS_PER_PAGE = 20
# A sparkline of more points than this is a smudge at its size.
SPARKLINE_POINTS = 12


@dataclass(frozen=True)
class AthleteFacts:
    """What is known of the athlete apart from swings."""

    bats: str
    throws: str
    born: dt.date | None
    on: dt.date | None  # ages are as of the newest session
    freshness: Freshness
    level: str
    height_ft: float | None
    weight_lbs: float | None


@dataclass(frozen=True)
class HeadlineTile:
    """One headline number: the newest, its change, and the line that led to it."""

    reading: MetricReading
    date: dt.date | None
    change: MetricChange | None
    spark: tuple[float, ...]
    # Lowest and highest average that would be nothing unusual.
    band: tuple[float, float] | None = None
    goals: tuple[ShownGoal, ...] = ()

    @property
    def metric(self) -> str:
        """The id of the metric."""
        return self.reading.metric


@dataclass(frozen=True)
class Trend:
    """One metric over the sessions, one line for each basis.

    `basis` is that of the newest session; `left_out` counts points on other bases.
    """

    metric: str
    basis: Basis | None
    lines: tuple[tuple[Basis, tuple[SessionAverage, ...]], ...]
    mixed: bool
    left_out: int
    # Lowest and highest average of the newest session that would be nothing unusual.
    band: tuple[float, float] | None
    goals: tuple[ShownGoal, ...] = ()

    @property
    def definition(self) -> MetricDefinition:
        """Name, unit and meaning of the metric."""
        return METRICS[self.metric]

    @property
    def _rule(self) -> str:
        """The rule of contact on which all lines rest; empty where they differ."""
        rules = {basis.rule for basis, _ in self.lines}
        return rules.pop() if len(rules) == 1 else ""

    @property
    def name(self) -> str:
        """The name of the metric, true of the rule that found contact."""
        return said_of(self.definition.name, self._rule)

    @property
    def short(self) -> str:
        """The name for narrow places, true of the rule as `name` is."""
        return said_of(self.definition.short, self._rule)

    @property
    def points(self) -> tuple[SessionAverage, ...]:
        """All points of all lines, newest first, as the table lists them."""
        found = [point for _, points in self.lines for point in points]
        return tuple(
            sorted(
                found,
                key=lambda point: (point.date or dt.date.min, point.session_id),
                reverse=True,
            )
        )


@dataclass(frozen=True)
class SessionLine:
    """One session in the athlete's list; a speed for each side swung from."""

    session: Session
    hand_speeds: tuple[tuple[str, MetricReading], ...]
    note_count: int
    tags: tuple[Tag, ...]


@dataclass(frozen=True)
class AthletePage:
    """Everything that the athlete's page prints."""

    player: Player
    facts: AthleteFacts
    findings: tuple[ChangeSentence, ...]
    setup_note: str
    tiles: tuple[HeadlineTile, ...]
    trend: Trend | None
    peers: AthletePeers
    sessions: tuple[SessionLine, ...]
    page_number: int
    page_count: int
    tags: tuple[Tag, ...]
    newest_point: SessionAverage | None  # of the session that the findings are about
    newest_counted: int  # its included swings from the side shown
    sides: tuple[SideChoice, ...]
    goals: Goals

    @property
    def has_numbers(self) -> bool:
        """Whether any headline number is known."""
        return any(not tile.reading.is_missing for tile in self.tiles)


def athlete_page(
    player: Player,
    sessions: SessionQuerySet,
    *,
    metric: str = "",
    mixed: bool = False,
    side: str = "",
    among: str = "",
    page: int = 1,
    system: str = "imperial",
    seen: PlayerQuerySet | None = None,
) -> AthletePage:
    """The athlete with one page of sessions; twenty-two queries at most.

    `sessions` are those that the user may see, of any athlete. `side` is the swing
    that the numbers are of, where there are both; else that of most swings in the
    newest session. `among` is whom the numbers are held against: `age`, `level`,
    `all`, or nothing for what there is enough of. With `seen` it is among these
    athletes alone.
    """
    definition = METRICS.get(metric)
    chosen = ""
    if definition and definition.unit != "text" and not definition.retired:
        chosen = metric
    wanted = dict.fromkeys([*NUMERIC_HEADLINES, *filter(None, [chosen])])
    found = histories(sessions, [player.pk], wanted)
    every = found.get(player.pk, {})
    prior_of = Facility(found).of(player.pk)
    headlines = {name: every[name] for name in NUMERIC_HEADLINES if name in every}
    sides = sides_in(every)
    shown_side = side_of_key(side, sides)
    if shown_side is None:
        shown_side = newest_side(headlines or every)
    history = of_side(headlines, shown_side)
    changes = _changes_of_newest(history, prior_of)
    goals = goals_of(player, system)
    level = level_of(player.pk)
    tiles = tuple(
        _tile(name, history, changes.get(name), prior_of, goals)
        for name in NUMERIC_HEADLINES
    )
    if not chosen:
        # The first number that there is; without a bat that is the hand speed.
        chosen = next((name for name in NUMERIC_HEADLINES if name in history), "")
    newest = newest_session(history)
    lines, number, count = _session_lines(
        player, sessions, page, every.get("peak_hand_speed", [])
    )
    of_newest = [
        change
        for name, change in changes.items()
        if history[name][-1].session_id == newest
    ]
    latest = _newest_of_all(history)
    return AthletePage(
        player=player,
        facts=_facts(player, level),
        findings=change_sentences(
            [*of_newest, *_changes_elsewhere(history, newest, of_newest, prior_of)],
            system=system,
        ),
        setup_note=setup_note(changes.values()),
        tiles=tiles,
        trend=_trend(
            chosen,
            every.get(chosen, []),
            shown_side,
            history,
            prior_of,
            goals,
            mixed=mixed,
        )
        if chosen
        else None,
        peers=athlete_peers(
            player,
            [
                (tile.reading, newest_point(history[tile.metric], history))
                for tile in tiles
                if tile.metric in history
            ],
            every,
            chosen=chosen,
            among=among,
            seen=seen,
            level=level,
        ),
        sessions=lines,
        page_number=number,
        page_count=count,
        tags=tuple(_tags(player.pk)),
        newest_point=latest,
        newest_counted=_counted(latest, lines, sessions) if latest else 0,
        sides=side_choices(sides, shown_side),
        goals=goals,
    )


def _changes_of_newest(history: History, prior_of: PriorOf) -> dict[str, MetricChange]:
    """The change of each headline number in the newest session that has it.

    Most are of one session; a bat that was not tracked leaves some to an older one.
    """
    of_session: dict[int, dict[str, MetricChange]] = {}
    changes = {}
    latest = {name: newest_point(points, history) for name, points in history.items()}
    for name, point in latest.items():
        at = point.session_id
        if at not in of_session:
            of_session[at] = {
                change.definition.id: change
                for change in session_changes(history, at, prior_of)
                # Of several setups the one that the tile is of.
                if change.basis is None
                or (own := latest[change.definition.id]).session_id != at
                or change.basis.condition == own.basis.condition
            }
        changes[name] = of_session[at][name]
    return changes


def _changes_elsewhere(
    history: History,
    session_id: int | None,
    told: Sequence[MetricChange],
    prior_of: PriorOf,
) -> list[MetricChange]:
    """What changed in the setups of a session that the page's numbers are not of."""
    if session_id is None or len(setups_of(history, session_id)) < 2:
        return []
    changes = session_changes(history, session_id, prior_of)
    return [change for change in changes if change.real and change not in told]


def _newest_of_all(history: History) -> SessionAverage | None:
    """The point of most swings in the newest session that has any number."""
    return max(
        (newest_point(points, history) for points in history.values()),
        key=lambda point: (point.date or dt.date.min, point.session_id, point.n),
        default=None,
    )


def _counted(
    point: SessionAverage, lines: Sequence[SessionLine], sessions: SessionQuerySet
) -> int:
    """How many included swings from a point's side its session has; one query at most.

    The point itself is over those that have its number, on its basis.
    """
    own = (line.session for line in lines if line.session.pk == point.session_id)
    session = next(own, None) or sessions.get(pk=point.session_id)
    of_side = (session.summary.get("sides") or {}).get(side_key(point.basis.side)) or {}
    return int(of_side.get("n") or session.summary.get("counted") or point.n)


def _facts(player: Player, level: Level | None) -> AthleteFacts:
    """The facts as the page prints them; no query."""
    day = player.last_session_on
    return AthleteFacts(
        bats=player.get_dominant_hand_hitting_display() or "",
        throws=player.get_dominant_hand_throwing_display() or "",
        born=player.date_of_birth,
        on=day,
        freshness=freshness_of(day),
        level=level.name if level is not None else "",
        height_ft=player.height_ft,
        weight_lbs=player.weight_lbs,
    )


def _tile(
    name: str,
    history: History,
    change: MetricChange | None,
    prior_of: PriorOf,
    goals: Goals,
) -> HeadlineTile:
    """The newest average of a headline metric."""
    points = history.get(name)
    if not points:
        return HeadlineTile(
            no_average(name), None, None, (), goals=goals.of(name, None)
        )
    latest = newest_point(points, history)
    same = [point for point in points if point.basis == latest.basis]
    return HeadlineTile(
        reading=MetricReading(
            METRICS[name],
            latest.mean,
            n=latest.n,
            sd=latest.sd,
            rule=latest.basis.rule,
        ),
        date=latest.date,
        change=change,
        spark=tuple(point.mean for point in same[-SPARKLINE_POINTS:]),
        band=usual_band(points, latest, prior_of),
        goals=goals.of(name, latest.basis),
    )


def newest_point(points: Sequence[SessionAverage], history: History) -> SessionAverage:
    """The newest session's average; of several bases that of most swings.

    `points` are one metric's, oldest first; there must be one. Of several setups it is
    the session's main one in the `history`, as sheet and JSON have it.
    """
    newest = points[-1].session_id
    found = point_of_session(points, newest, main_setup(history, newest))
    found = found or point_of_session(points, newest)
    assert found is not None  # noqa: S101
    return found


def _trend(
    name: str,
    points: Sequence[SessionAverage],
    side: str,
    history: History,
    prior_of: PriorOf,
    goals: Goals,
    *,
    mixed: bool,
) -> Trend:
    """The line of the newest session that has swings from this side, or all lines."""
    own = [point for point in points if point.basis.side == side]
    if not own:
        return Trend(name, None, (), mixed, len(points), None)
    latest = newest_point(own, history)
    by_basis: dict[Basis, list[SessionAverage]] = {}
    for point in points:
        by_basis.setdefault(point.basis, []).append(point)
    shown = by_basis if mixed else {latest.basis: by_basis[latest.basis]}
    return Trend(
        metric=name,
        basis=latest.basis,
        lines=tuple((basis, tuple(line)) for basis, line in shown.items()),
        mixed=mixed,
        left_out=len(points) - sum(len(line) for line in shown.values()),
        band=usual_band(points, latest, prior_of),
        goals=goals.of(name, latest.basis),
    )


@kept_question
def _tags(player_id: int) -> QuerySet[Tag]:
    return Tag.objects.filter(players=player_id)


@kept_question
def _session_keys(sessions: SessionQuerySet, player_id: int) -> QuerySet[Session, int]:
    """The keys of the athlete's sessions, newest first."""
    own = sessions.filter(player_id=player_id).newest_first()
    return own.values_list("pk", flat=True)


@kept_question
def _with_note_counts(*keys: int) -> QuerySet[Session]:
    rows = Session.objects.filter(pk__in=keys).newest_first()
    return rows.annotate(note_count=Count("notes"))


@kept_question
def _tagged(*session_ids: int) -> QuerySet[Any]:
    """Which tags these sessions have, by name."""
    rows = Tag.sessions.through._default_manager.filter(session_id__in=session_ids)
    return rows.select_related("tag").order_by("tag__name")


def _session_lines(
    player: Player,
    sessions: SessionQuerySet,
    page: int,
    speeds: Sequence[SessionAverage],
) -> tuple[tuple[SessionLine, ...], int, int]:
    """One page of the athlete's sessions, its number, and how many pages there are."""
    paginator = Paginator(_session_keys(sessions, player.pk), SESSIONS_PER_PAGE)
    # Out of range means the last page, not an error.
    shown = paginator.get_page(page)
    rows = _with_note_counts(*shown.object_list)
    tags: dict[int, list[Tag]] = {row.pk: [] for row in rows}
    for tagged in _tagged(*tags):
        tags[tagged.session_id].append(tagged.tag)
    readings = _hand_speeds(speeds)
    missing = no_average("peak_hand_speed")
    return (
        tuple(
            SessionLine(
                session=row,
                hand_speeds=readings.get(row.pk, (("", missing),)),
                note_count=getattr(row, "note_count", 0),
                tags=tuple(tags[row.pk]),
            )
            for row in rows
        ),
        shown.number,
        paginator.num_pages,
    )


def _hand_speeds(
    points: Iterable[SessionAverage],
) -> dict[int, tuple[tuple[str, MetricReading], ...]]:
    """Peak hand speed by session id, each with its side in words.

    The words are empty where the athlete swings from one side alone.
    """
    found: dict[int, dict[str, MetricReading]] = {}
    # Of several bases the one that stands for the session everywhere else.
    for point in sorted(points, key=lambda p: (-p.n, p.basis.measured)):
        of_session = found.setdefault(point.session_id, {})
        of_session.setdefault(
            point.basis.part_words,
            MetricReading(
                METRICS[point.metric],
                point.mean,
                n=point.n,
                sd=point.sd,
                rule=point.basis.rule,
            ),
        )
    return {pk: tuple(sorted(speeds.items())) for pk, speeds in found.items()}
