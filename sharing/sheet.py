"""The sheet of an athlete or of a session: one page, the same on screen and as PDF.

Everything here is text that is ready to print, in the reader's units, so that the two
renderings cannot say different things.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format

from accounts.models import Units
from athletes import display
from athletes.analysis.changes import MetricChange, change_at
from athletes.analysis.event_rules import commonest, event_rules, event_time
from athletes.analysis.history import (
    Point,
    SideChoice,
    histories,
    newest_side,
    of_side,
    side_choices,
    side_of_key,
    sides_in,
)
from athletes.analysis.means_by_side import side_of
from athletes.analysis.metric_reading import reading_of
from athletes.frames.curves import load_curves
from athletes.models import Movement, Player, Session
from athletes.phrases import rule_name
from athletes.querysets import SessionQuerySet
from biomechanics import curves as curve_tools
from biomechanics.definitions import METHOD_VERSION, NUMERIC_HEADLINES, SERIES
from biomechanics.session_statistics import LEAST_SWINGS_FOR_SPREAD
from biomechanics.units import MS_PER_S
from dashboard.phrases import number_of
from dashboard.selectors.aligned_curves import zero_label
from dashboard.selectors.changes import findings
from dashboard.selectors.session_averages import sequence_counts
from sharing import chart

Paper = Literal["a4", "letter"]

CHART_SERIES = (
    ("pelvis_omega", "Pelvis"),
    ("torso_omega", "Shoulder line"),
    ("lead_arm_omega", "Lead upper arm"),
)
# A page has room for so many characters of what people and the vendor wrote.
NAME_LENGTH, FACILITY_LENGTH, DETAIL_LENGTH = 60, 80, 40


@dataclass(frozen=True)
class SheetRow:
    """One number, then and now; `mark` is that of its footnote."""

    mark: int
    name: str
    unit: str
    before: str
    before_n: str
    now: str
    sd: str
    n: str
    delta: str
    smallest: str
    change_words: str
    is_real: bool


@dataclass(frozen=True)
class Footnote:
    """What one number means."""

    mark: int
    term: str
    text: str


@dataclass(frozen=True)
class Sheet:
    """All that the page says."""

    kind: Literal["athlete", "session"]
    facility: str
    name: str
    facts: tuple[str, ...]
    data_line: str
    findings: tuple[str, ...]
    chart: chart.Chart | None
    order: str
    rows: tuple[SheetRow, ...]
    before_head: str
    now_head: str
    footnotes: tuple[Footnote, ...]
    remarks: tuple[str, ...]
    made_line: str
    file_name: str
    units: str
    side_choices: tuple[SideChoice, ...] = ()

    @property
    def title(self) -> str:
        """What a window, a file or an outline is called."""
        return f"{self.name}: swing sheet"

    @property
    def side_key(self) -> str:
        """The side of a switch hitter that it is about, as an address names it."""
        return next((item.key for item in self.side_choices if item.is_chosen), "")


def paper_for(units: str, asked: str = "") -> Paper:
    """The paper that was asked for, else the facility's, else that of the units."""
    for wanted in (asked, settings.SHEET_PAPER):
        if wanted in ("a4", "letter"):
            return wanted  # type: ignore[return-value]
    return "a4" if units == Units.METRIC else "letter"


def short_name(player: Player) -> str:
    """Given name and initial: enough for who was there, too little for a stranger."""
    initial = f"{player.last_name.strip()[:1]}." if player.last_name.strip() else ""
    return f"{player.first_name} {initial}".strip() or "Athlete"


def athlete_sheet(
    player: Player,
    sessions: SessionQuerySet,
    *,
    units: str,
    name: str = "",
    side: str = "",
) -> Sheet:
    """The athlete's newest session with numbers, against those before it.

    `sessions` are those that the reader may see, `side` (`right`, `left`) the swing of
    a switch hitter, else that of most swings in the session. At most nine queries.
    """
    every = _history(player, sessions)
    sides = sides_in(every)
    history, choices = _of_side(every, sides, side)
    newest = _newest(history)
    session = None
    if newest is not None:
        session = sessions.filter(pk=newest.session_id).first()
    return _sheet(
        "athlete", player, session, history, units=units, name=name, choices=choices
    )


def session_sheet(
    session: Session,
    sessions: SessionQuerySet,
    *,
    units: str,
    name: str = "",
    side: str = "",
) -> Sheet:
    """One session against those before it; later ones are left out."""
    player = session.player
    at = _place(session.session_date, session.pk)
    history = {
        metric: kept
        for metric, points in _history(player, sessions).items()
        if (kept := [p for p in points if _place(p.date, p.session_id) <= at])
        and any(point.session_id == session.pk for point in kept)
    }
    sides = sides_in(_of_session(history, session.pk))
    history, choices = _of_side(history, sides, side)
    return _sheet(
        "session", player, session, history, units=units, name=name, choices=choices
    )


def _of_session(
    history: Mapping[str, Sequence[Point]], pk: int
) -> dict[str, list[Point]]:
    return {
        metric: [point for point in points if point.session_id == pk]
        for metric, points in history.items()
    }


def _of_side(
    history: Mapping[str, Sequence[Point]], sides: Sequence[str], wish: str
) -> tuple[dict[str, list[Point]], tuple[SideChoice, ...]]:
    """The numbers of one side, and those that there are to choose from."""
    chosen = side_of_key(wish, sides)
    if chosen is None:
        chosen = newest_side(history)
    return of_side(history, chosen), side_choices(sides, chosen)


def _place(date: dt.date | None, pk: int) -> tuple[dt.date, int]:
    return (date or dt.date.min, pk)


def _history(player: Player, sessions: SessionQuerySet) -> dict[str, list[Point]]:
    found = histories(sessions, [player.pk], NUMERIC_HEADLINES).get(player.pk, {})
    # In the order of the headlines, whatever the database gave.
    return {name: found[name] for name in NUMERIC_HEADLINES if name in found}


def _newest(history: Mapping[str, Sequence[Point]]) -> Point | None:
    return max(
        (points[-1] for points in history.values()),
        key=lambda point: _place(point.date, point.session_id),
        default=None,
    )


def _sheet(
    kind: Literal["athlete", "session"],
    player: Player,
    session: Session | None,
    history: Mapping[str, Sequence[Point]],
    *,
    units: str,
    name: str,
    choices: tuple[SideChoice, ...],
) -> Sheet:
    changes = _changes(history, session)
    swings, others = _swings(session, changes)
    drawn = _chart(swings, units)
    rows = tuple(
        _row(mark, change, point, units)
        for mark, (point, change) in enumerate(changes, start=1)
    )
    sessions_before = max((c.sessions_before for _, c in changes), default=0)
    return Sheet(
        kind=kind,
        facility=cut(settings.FACILITY_NAME, FACILITY_LENGTH),
        name=cut(name or player.full_name, NAME_LENGTH),
        facts=_facts(player, session, len(swings), _side_facts(changes, others)),
        data_line=_data_line(session),
        findings=tuple(
            finding.text for finding in findings(dict(history), system=units)
        ),
        chart=drawn,
        order=_order(swings),
        rows=rows,
        before_head="Before"
        if not sessions_before
        else f"Before ({number_of(sessions_before, 'session')})",
        now_head=_date(session) if session else "Now",
        footnotes=tuple(
            Footnote(
                mark,
                change.definition.name,
                f"{change.definition.plain} Window: {change.definition.window}.",
            )
            for mark, (_, change) in enumerate(changes, start=1)
        ),
        remarks=_remarks(changes),
        made_line=f"Printed {date_format(timezone.localdate(), 'M j, Y')}. "
        "Numbers describe a swing; they do not grade it.",
        file_name=_file_name(kind, player, session),
        units=units,
        side_choices=choices,
    )


def cut(text: str, length: int) -> str:
    """At most `length` characters on one line, the rest as an ellipsis."""
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _date(session: Session) -> str:
    if session.session_date is None:
        return "Undated session"
    return date_format(session.session_date, "M j, Y")


def _side_facts(
    changes: Sequence[tuple[Point, MetricChange]], others: int
) -> tuple[str, ...]:
    """Of which swings the numbers are, for who swings from both sides."""
    words = next((point.basis.side_words for point, _ in changes), "")
    if not words:
        return ()
    left_out = f"{number_of(others, 'swing')} of the other side not in it"
    return (words.capitalize(), left_out) if others else (words.capitalize(),)


def _facts(
    player: Player, session: Session | None, swings: int, side: tuple[str, ...]
) -> tuple[str, ...]:
    facts = []
    if player.dominant_hand_hitting:
        bats = player.get_dominant_hand_hitting_display() or ""
        facts.append("Switch hitter" if bats == "Switch" else f"Bats {bats.lower()}")
    if session is not None:
        condition = session.get_condition_display() if session.condition else ""
        facts.append(condition or "Condition not said")
        if session.bat:
            facts.append(f"Bat: {cut(session.bat, DETAIL_LENGTH)}")
        facts.append(number_of(swings, "counted swing"))
        facts += side
    return tuple(facts)


def _data_line(session: Session | None) -> str:
    if session is None:
        return "No session with numbers yet."
    day = session.session_date
    when = f"Session of {_date(session)}" if day else "Undated session"
    source = cut(session.mocap_type_name, DETAIL_LENGTH)
    return f"{when}. Source: Reboot Motion{f', {source}' if source else ''}."


def _file_name(kind: str, player: Player, session: Session | None) -> str:
    """Without anybody's name: it stays in download folders and mail programs."""
    day = ""
    if session is not None and session.session_date:
        day = f"-{session.session_date.isoformat()}"
    number = session.pk if kind == "session" and session is not None else player.pk
    return f"swing-sheet-{kind}-{number}{day}.pdf"


# --- Numbers --------------------------------------------------------------------------


def _changes(
    history: Mapping[str, Sequence[Point]], session: Session | None
) -> list[tuple[Point, MetricChange]]:
    """Each number against before; of several bases that of most swings."""
    found = []
    for points in history.values():
        own = [p for p in points if session is not None and p.session_id == session.pk]
        if own:
            point = max(own, key=lambda item: item.n)
            found.append((point, change_at(points, point)))
    return found


def _row(mark: int, change: MetricChange, point: Point, units: str) -> SheetRow:
    definition = change.definition

    def number(value: float | None, *, signed: bool = False) -> str:
        if display.is_missing(value):
            return display.MISSING
        shown = display.printed(
            value,  # type: ignore[arg-type]
            definition.unit,
            units,
            decimals=change.decimals,
            signed=signed,
        )
        return shown.number

    spread = point.sd if point.n >= LEAST_SWINGS_FOR_SPREAD else None
    if change.real is None:
        change_words = change.reason if change.sessions_before else "nothing before"
    else:
        change_words = "real change" if change.real else "no clear change"
    return SheetRow(
        mark=mark,
        # What is in brackets stands in the footnote, where there is room for it.
        name=definition.name.partition(" (")[0],
        unit=display.unit_label(definition.unit, units),
        before=number(change.before),
        before_n=str(change.n_before) if change.n_before else "",
        now=number(change.now),
        sd=f"± {number(spread)}" if spread is not None else "",
        n=str(change.n_now),
        delta=number(change.delta, signed=True),
        smallest=number(change.smallest),
        change_words=change_words,
        is_real=change.real is True,
    )


def _remarks(changes: Sequence[tuple[Point, MetricChange]]) -> tuple[str, ...]:
    if not changes:
        return ()
    said = any(point.basis.says_side for point, _ in changes)
    remarks = [
        "n: counted swings. ±: standard deviation from swing to swing, from three "
        "swings on. Before: the comparable sessions before, three at most, taken "
        f"together; same {'side, ' if said else ''}condition, reference event, capture "
        "system and method.",
        "Real change: the difference is larger than “clear from”, 1.96 standard errors "
        "of the athlete's own scatter inside a session"
        + (
            ""
            if all(change.own_scatter for _, change in changes if change.smallest)
            else " (where too few sessions tell it, a published one)"
        )
        + ". Scatter from day to day is not in it.",
    ]
    rules = {point.basis.rule for point, _ in changes if point.basis.rule}
    reference = " or ".join(sorted(rule_name(rule) for rule in rules))
    versions = sorted({point.basis.method_version for point, _ in changes} - {""})
    method = ", ".join(versions) or METHOD_VERSION
    remarks.append(
        (f"Reference: {reference}. " if reference else "")
        + f"Method version {method}. "
        + "Angles of rotation: 0 is sideways, plus is open to the pitcher."
    )
    return tuple(remarks)


# --- Curves ---------------------------------------------------------------------------


def _swings(
    session: Session | None, changes: Sequence[tuple[Point, MetricChange]]
) -> tuple[list[Movement], int]:
    """Counted swings of the side that the numbers are of; how many are of another."""
    if session is None:
        return [], 0
    movements = session.movements.in_session_order()
    fields = movements.defer("verdict", "metadata", "quality_reasons")
    every = [movement for movement in fields if movement.is_counted]
    if not changes:
        return every, 0
    own = [swing for swing in every if side_of(swing) == changes[0][0].basis.side]
    # Without any the numbers were there before the swings were told apart.
    return (own, len(every) - len(own)) if own else (every, 0)


def _order(swings: Sequence[Movement]) -> str:
    orders = [reading_of("seq_order", swing.metrics).value for swing in swings]
    shares = sequence_counts(order for order in orders if isinstance(order, str))
    if not shares:
        return ""
    most = shares[0]
    return (
        f"Order of the peaks: {most.order} in {most.count} of "
        f"{number_of(most.total, 'swing')} "
        "(P pelvis, T shoulder line, A lead arm, B bat; brackets hold ties)."
    )


def _chart(swings: Sequence[Movement], units: str) -> chart.Chart | None:
    """Turn rates from before first move to after the reference, mean ± SD."""
    rules = {swing.pk: event_rules(swing).get("reference", "") for swing in swings}
    usable = [
        swing for swing in swings if event_time(swing.events, "reference") is not None
    ]
    stored = load_curves([swing.pk for swing in usable])
    usable = [swing for swing in usable if swing.pk in stored]
    # Curves that meet on differently found events would be spread by that alone.
    rule = commonest(rules[swing.pk] for swing in usable)
    usable = [swing for swing in usable if rules[swing.pk] == rule]
    series = []
    for name, label in CHART_SERIES:
        having = [swing for swing in usable if name in stored[swing.pk].values]
        if not having:
            continue
        aligned = curve_tools.align(
            [
                curve_tools.Curve(
                    time_s=stored[swing.pk].time_s,
                    values=stored[swing.pk].values[name],
                    zero_s=event_time(swing.events, "reference"),
                )
                for swing in having
            ]
        )
        enough = len(having) >= LEAST_SWINGS_FOR_SPREAD
        # Of one swing its own curve; of two there is no mean worth the name.
        mean = aligned.mean if enough else aligned.rows[0]
        if not np.isfinite(mean).any():
            continue
        factor = display.unit_factor(SERIES[name].unit, units)
        every = slice(None, None, 2)  # 4 ms is finer than paper shows
        series.append(
            chart.Series(
                part=SERIES[name].part,
                name=label,
                x_ms=aligned.grid[every] * MS_PER_S,
                mean=mean[every] * factor,
                sd=aligned.sd[every] * factor if enough else None,
                unit=display.unit_label(SERIES[name].unit, units),
            )
        )
    if not series:
        return None
    enough = len(usable) >= LEAST_SWINGS_FOR_SPREAD
    zero = zero_label(rule, "reference")
    unit = series[0].unit
    return chart.draw(
        series,
        _events(usable if enough else usable[:1], zero),
        title="Turn rates",
        caption=f"mean ± SD of {number_of(len(usable), 'swing')}, aligned on {zero}"
        if enough
        else f"swing {usable[0].position} alone, aligned on {zero}",
        x_title=f"Time from {zero} (ms)",
        y_title=f"Turn rate ({unit})",
    )


def _events(swings: Sequence[Movement], zero: str) -> list[chart.Event]:
    """First move and foot down at their mean places, and time zero."""
    found = [chart.Event(0.0, zero)]
    for name, label in (("first_move", "first move"), ("foot_down", "foot down")):
        offsets = [
            at - at_zero
            for swing in swings
            if (at := event_time(swing.events, name)) is not None
            and (at_zero := event_time(swing.events, "reference")) is not None
        ]
        if offsets:
            found.append(chart.Event(float(np.mean(offsets)) * MS_PER_S, label))
    return found
