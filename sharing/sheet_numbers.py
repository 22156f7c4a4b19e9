"""The table of a sheet: each headline number now, before, and whether it changed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from athletes import display
from athletes.analysis.changes import (
    NO_SETUP,
    MetricChange,
    point_of_session,
    session_changes,
)
from athletes.analysis.history import SessionAverage
from athletes.analysis.usual_scatter import PriorOf
from athletes.models import Session
from athletes.phrases import rule_name
from biomechanics.definitions import METHOD_VERSION
from biomechanics.metrics.values import REFERENCE_WORDS, said_of, window_text
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
class KeyNumber:
    """One number with a line in plain words, as the screen of a phone shows it."""

    name: str
    value: str
    line: str


#: What a phone shows first, as far as a session has it; then the other numbers.
KEY_METRICS = (
    *("bat_speed_max", "peak_hand_speed", "time_to_ref", "x_factor_max"),
    *("peak_torso_omega", "peak_pelvis_omega"),
)
KEY_COUNT = 5


@dataclass(frozen=True)
class Footnote:
    """What one number of the table means."""

    mark: int
    term: str
    text: str


def changes_of(
    history: Mapping[str, Sequence[SessionAverage]],
    session: Session | None,
    prior_of: PriorOf,
) -> Changes:
    """Each number of the session with its changecompared with the sessions before it.

    `history` holds an athlete's session averages by metric, oldest first. Where the
    session has averages on several bases, it is that of most swings, and so it is where
    it has several setups.
    """
    if session is None:
        return []
    changes = session_changes(history, session.pk, prior_of)
    swings = Counter[str]()
    for change in changes:
        if change.basis:
            setup = change.basis.condition
            swings[setup] = max(swings[setup], change.n_now)
    shown = max(swings, key=lambda one: swings[one], default="")
    return [
        (point, change)
        for change in changes
        if (change.basis.condition if change.basis else shown) == shown
        and (
            point := point_of_session(history[change.definition.id], session.pk, shown)
        )
    ]


def sheet_rows(changes: Changes, units: str) -> tuple[SheetRow, ...]:
    """The rows of the table, in the reader's units."""
    return tuple(
        _row(mark, change, point, units)
        for mark, (point, change) in enumerate(changes, start=1)
    )


def key_numbers(changes: Changes, units: str) -> tuple[KeyNumber, ...]:
    """At most five numbers of the table, each with a line that says what it is."""
    rank = {metric: place for place, metric in enumerate(KEY_METRICS)}
    known = [change for _, change in changes if not display.is_missing(change.now)]
    known.sort(key=lambda change: rank.get(change.definition.id, len(rank)))
    return tuple(_key_number(change, units) for change in known[:KEY_COUNT])


def _key_number(change: MetricChange, units: str) -> KeyNumber:
    """A number as the table prints it, and the first clause of its definition."""
    definition = change.definition
    shown = change.printed(units)
    now = shown.now if shown else None
    if now is None:
        now = display.printed(
            change.now,  # type: ignore[arg-type]  # the missing ones are left out
            definition.unit,
            units,
            decimals=definition.decimals,
        )
    line = re.split("[;:]", said_of(definition.plain, _rule(change)))[0].rstrip(".")
    return KeyNumber(name=change.metric_name, value=str(now), line=f"{line}.")


def footnotes(changes: Changes) -> tuple[Footnote, ...]:
    """The definition of each number in the table."""
    return tuple(
        Footnote(
            mark,
            change.metric_name,
            f"{said_of(change.definition.plain, _rule(change))} Window: "
            f"{window_text(change.definition.id, _rule(change), None)}.",
        )
        for mark, (_, change) in enumerate(changes, start=1)
    )


def _rule(change: MetricChange) -> str | None:
    """The rule of contact that the number rests on; None where it rests on none."""
    rule = change.basis.rule if change.basis else ""
    return rule if rule in REFERENCE_WORDS else None


def _row(
    mark: int, change: MetricChange, point: SessionAverage, units: str
) -> SheetRow:
    """One number as the table prints it."""
    definition = change.definition

    def alone(value: float | None) -> str:
        if display.is_missing(value):
            return display.MISSING
        return display.printed(
            value,  # type: ignore[arg-type]
            definition.unit,
            units,
            decimals=definition.decimals,
        ).number

    shown = change.printed(units)
    spread = point.sd if point.n >= LEAST_SWINGS_FOR_SPREAD else None
    return SheetRow(
        mark=mark,
        name=change.metric_name,
        unit=display.unit_label(definition.unit, units),
        before=shown.before.number if shown else display.MISSING,
        before_n=str(change.n_before) if change.n_before else "",
        now=shown.now.number if shown else alone(change.now),
        sd=f"± {alone(spread)}" if spread is not None else "",
        n=str(change.n_now),
        delta=shown.delta.number if shown else display.MISSING,
        smallest=f"±{shown.needed.number}"
        if shown and shown.needed
        else display.MISSING,
        change_words=change.words,
        is_real=change.real is True,
    )


def remarks(changes: Changes) -> tuple[str, ...]:
    """What the columns of the table mean, and what all of its numbers rest on."""
    if not changes:
        return ()
    said = any(point.basis.says_side for point, _ in changes)
    told = [
        "Swings: included swings that have the number. ±: standard deviation from "
        "swing to swing, with three swings or more. Before: the comparable sessions "
        f"before this one, taken together; same {'side, ' if said else ''}setup, "
        "timing event and measured points, capture system and method.",
        "Needs: a difference this large or larger is more than the athlete's usual "
        "variation from swing to swing and from day to day; the whole table counts as "
        "one test.",
    ]
    if any(not point.basis.condition for point, _ in changes):
        told.append(f"{NO_SETUP}.")
    rules = {point.basis.rule for point, _ in changes if point.basis.rule}
    reference = " or ".join(sorted(rule_name(rule) for rule in rules))
    versions = sorted({point.basis.method_version for point, _ in changes} - {""})
    method = ", ".join(versions) or METHOD_VERSION
    told.append(
        (f"Times from: {reference}. " if reference else "")
        + f"Method version {method}. "
        + "Angles of rotation: 0 is sideways, plus is open to the pitcher."
    )
    return tuple(told)
