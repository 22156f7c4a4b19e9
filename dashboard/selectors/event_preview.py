"""What a swing's numbers would be with some of its events moved, before it is saved."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from athletes import decisions, display
from athletes.analysis.metric_reading import MetricReading, reading_of
from athletes.models import EventCorrection, Movement, QualityGrade
from athletes.phrases import EVENTS, reason_texts
from biomechanics.definitions import HEADLINES, SHOWN_METRICS
from biomechanics.units import MS_PER_S


@dataclass(frozen=True)
class Zero:
    """From where a page counts times: s on the clock of the file, and what is there."""

    time_s: float
    words: str

    def ms(self, time_s: float | None) -> float | None:
        """A time on the clock of the file in ms from here."""
        return None if time_s is None else MS_PER_S * (time_s - self.time_s)

    def time_of(self, ms: float) -> float:
        """The time on the clock of the file, in s, that lies so many ms from here."""
        return self.time_s + ms / MS_PER_S


@dataclass(frozen=True)
class EventChange:
    """An event before and after, in ms from the zero of the page, as texts."""

    label: str
    before: str
    after: str
    difference: str


@dataclass(frozen=True)
class NumberChange:
    """A number before and after, as texts in the reader's units."""

    name: str
    before: str
    after: str
    difference: str
    remark: str
    is_changed: bool


@dataclass(frozen=True)
class EventPreview:
    """What would change, and what is posted to save it.

    `changed` are the headlines that change, then other numbers that do; `same` are the
    headlines that do not, and `same_count` is how many other numbers stay. `key` stands
    for all of the result: what is saved has the same, or is not saved.
    """

    events: tuple[EventChange, ...]
    changed: tuple[NumberChange, ...]
    same: tuple[NumberChange, ...]
    same_count: int
    zero_words: str
    notices: tuple[str, ...]
    key: str


def preview_of(
    movement: Movement, times: Mapping[str, float], zero: Zero, system: str
) -> EventPreview:
    """Every headline and every other number that would change, before and after.

    `times` are in seconds on the clock of the file, by event. Nothing is stored.

    Raises
    ------
    django.core.exceptions.ValidationError
        Where the events cannot be moved there.
    """
    after = decisions.with_events(movement=movement, times=times)
    headlines = [_change(name, movement, after, system) for name in HEADLINES]
    others = [
        _change(item.id, movement, after, system)
        for item in SHOWN_METRICS
        if item.id not in HEADLINES
    ]
    changed = [one for one in headlines + others if one.is_changed]
    same = [one for one in headlines if not one.is_changed]
    return EventPreview(
        events=_events(movement, after, zero),
        changed=tuple(changed),
        same=tuple(same),
        same_count=sum(not one.is_changed for one in others),
        zero_words=zero.words,
        notices=_notices(movement, after),
        key=result_key(after),
    )


def result_key(movement: Movement) -> str:
    """A short text that is the same for the same events, numbers and quality."""
    told = {
        "events": {
            name: (_plain(entry.get("time_s")), entry.get("rule"))
            for name, entry in movement.events.items()
        },
        "metrics": {
            name: (_plain(entry.get("value")), entry.get("reason") or "")
            for name, entry in movement.metrics.items()
        },
        "grade": movement.quality_grade,
    }
    text = json.dumps(told, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _plain(value: Any) -> Any:
    """A number as every database gives it back."""
    return f"{value:.10g}" if isinstance(value, float | int) else value


def _events(before: Movement, after: Movement, zero: Zero) -> tuple[EventChange, ...]:
    """The events that are elsewhere, those that were moved and those that follow."""
    found = []
    for name, (label, _, _) in EVENTS.items():
        old, new = (
            zero.ms((one.events.get(name) or {}).get("time_s"))
            for one in (before, after)
        )
        if old == new or (
            old is not None and new is not None and round(old) == round(new)
        ):
            continue
        by = (
            ""
            if old is None or new is None
            else _ms(round(new) - round(old), signed=True)
        )
        found.append(EventChange(label, _ms(old), _ms(new), by))
    return tuple(found)


def _ms(value: float | None, *, signed: bool = False) -> str:
    """A time as the page prints it: `−148 ms`; `signed`, a difference: `+12 ms`."""
    if value is None:
        return display.MISSING
    return f"{display.number_text(round(value), 0, signed=signed)} ms"


def _change(name: str, before: Movement, after: Movement, system: str) -> NumberChange:
    old, new = reading_of(name, before.metrics), reading_of(name, after.metrics)
    remark = new.reason if new.reason != old.reason else ""
    if isinstance(old.value, int | float) and isinstance(new.value, int | float):
        printed = display.printed_difference(
            float(old.value),
            float(new.value),
            old.unit,
            system,
            decimals=old.definition.decimals,
        )
        is_moved = printed.before != printed.now
        return NumberChange(
            new.name,
            str(printed.before),
            str(printed.now),
            str(printed.delta) if is_moved else "",
            remark,
            is_moved or bool(remark),
        )
    return NumberChange(
        new.name,
        _text(old, system),
        _text(new, system),
        "",
        remark,
        old.value != new.value or bool(remark),
    )


def _text(reading: MetricReading, system: str) -> str:
    return display.value_text(
        reading.value, reading.unit, system, decimals=reading.definition.decimals
    )


def _notices(before: Movement, after: Movement) -> tuple[str, ...]:
    """What changes beside numbers: the quality, and whether the swing counts."""
    found = []
    if before.quality_grade != after.quality_grade:
        labels = dict(QualityGrade.choices)
        old, new = (
            str(labels.get(one.quality_grade or "", "not graded")).lower()
            for one in (before, after)
        )
        found.append(f"Quality: {old} → {new}.")
    if before.is_counted != after.is_counted:
        found.append(
            "The swing will be included in averages."
            if after.is_counted
            else "The swing will no longer be included in averages."
        )
    known = set(reason_texts(before.quality_reasons))
    found += [text for text in reason_texts(after.quality_reasons) if text not in known]
    return tuple(found)


# --- What people moved ----------------------------------------------------------------


@dataclass(frozen=True)
class Move:
    """One change of a person: one event that they moved, or several at once.

    `undo_key` are the ids of those that still are where they put them, for the address
    that undoes the change; empty where there is none.
    """

    words: tuple[str, ...]
    correction: EventCorrection
    undo_key: str


def moves_of(corrections: Iterable[EventCorrection], zero: Zero) -> tuple[Move, ...]:
    """The changes that corrections make up, newest first; times in ms from `zero`.

    `corrections` are newest first, with what they replaced.
    """
    found = []
    for _, group in groupby(corrections, key=lambda one: one.created_at):
        change = sorted(group, key=lambda one: one.pk)
        found.append(
            Move(
                words=tuple(_moved_words(one, zero) for one in change),
                correction=change[0],
                undo_key="-".join(
                    str(one.pk) for one in change if one.undone_at is None
                ),
            )
        )
    return tuple(found)


def _moved_words(correction: EventCorrection, zero: Zero) -> str:
    """An event and its two times: `Foot down −148 ms → −136 ms`."""
    former = correction.replaced
    before = correction.automatic_time_s if former is None else former.time_s
    label = EVENTS.get(correction.event, (correction.event,))[0]
    return f"{label} {_ms(zero.ms(before))} → {_ms(zero.ms(correction.time_s))}"
