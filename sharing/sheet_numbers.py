"""The table of a sheet: each headline number now, before, and whether it changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from athletes import display
from athletes.analysis.changes import MetricChange, change_at
from athletes.analysis.history import SessionAverage
from athletes.models import Session
from athletes.phrases import rule_name
from biomechanics.definitions import METHOD_VERSION
from biomechanics.session_statistics import LEAST_SWINGS_FOR_SPREAD

#: Numbers of a session, each with its change against the sessions before.
Changes = Sequence[tuple[SessionAverage, MetricChange]]


@dataclass(frozen=True)
class SheetRow:
    """One number as text, before and now; `mark` is the number of its footnote."""

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
    """What one number of the table means."""

    mark: int
    term: str
    text: str


def changes_of(
    history: Mapping[str, Sequence[SessionAverage]], session: Session | None
) -> Changes:
    """Each number of the session with its change against the sessions before it.

    `history` holds an athlete's session averages by metric, oldest first. Where the
    session has averages on several bases, it is that of most swings.
    """
    found = []
    for points in history.values():
        own = [p for p in points if session is not None and p.session_id == session.pk]
        if own:
            point = max(own, key=lambda item: item.n)
            found.append((point, change_at(points, point)))
    return found


def sheet_rows(changes: Changes, units: str) -> tuple[SheetRow, ...]:
    """The rows of the table, in the reader's units."""
    return tuple(
        _row(mark, change, point, units)
        for mark, (point, change) in enumerate(changes, start=1)
    )


def footnotes(changes: Changes) -> tuple[Footnote, ...]:
    """The definition of each number in the table."""
    return tuple(
        Footnote(
            mark,
            change.definition.name,
            f"{change.definition.plain} Window: {change.definition.window}.",
        )
        for mark, (_, change) in enumerate(changes, start=1)
    )


def _row(
    mark: int, change: MetricChange, point: SessionAverage, units: str
) -> SheetRow:
    """One number as the table prints it."""
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


def remarks(changes: Changes) -> tuple[str, ...]:
    """What the columns of the table mean, and what all of its numbers rest on."""
    if not changes:
        return ()
    said = any(point.basis.says_side for point, _ in changes)
    told = [
        "n: counted swings. ±: standard deviation from swing to swing, from three "
        "swings on. Before: the comparable sessions before, three at most, taken "
        f"together; same {'side, ' if said else ''}condition, reference event and "
        "measured points, capture system and method.",
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
    told.append(
        (f"Reference: {reference}. " if reference else "")
        + f"Method version {method}. "
        + "Angles of rotation: 0 is sideways, plus is open to the pitcher."
    )
    return tuple(told)
