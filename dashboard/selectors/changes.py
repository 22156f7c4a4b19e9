"""Findings: what changed in the newest session, in plain sentences."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from athletes import display
from athletes.analysis.changes import MetricChange, change_at
from athletes.analysis.history import History, SessionAverage
from athletes.phrases import spelled
from dashboard.phrases import list_in_words, number_of

FINDINGS = 3


@dataclass(frozen=True)
class ChangeSentence:
    """One plain sentence, and the number that it is about."""

    text: str
    metric: str = ""
    change: MetricChange | None = None


def change_sentences(history: History, *, system: str) -> tuple[ChangeSentence, ...]:
    """At most three sentences about the newest session; what changed comes first.

    `history` is one athlete's, by metric and oldest first; of a switch hitter that of
    one side.
    """
    if not history:
        return (
            ChangeSentence(
                "No swing has numbers yet; findings appear after the first session "
                "with counted swings."
            ),
        )
    # Undated sessions come first in a history, so the last one is the newest.
    last = max(
        (points[-1] for points in history.values() if points),
        key=lambda point: (point.date or dt.date.min, point.session_id),
    ).session_id
    changes = {
        metric: change_at(points, _at(points, last))
        for metric, points in history.items()
        if any(point.session_id == last for point in points)
    }
    real = sorted(
        (change for change in changes.values() if change.real),
        key=lambda change: change.size,
        reverse=True,
    )
    told = [
        ChangeSentence(real_sentence(change, system), change.definition.id, change)
        for change in real[:FINDINGS]
    ]
    same = [change for change in changes.values() if change.real is False]
    if len(told) < FINDINGS and same:
        told += _same_sentences(same, FINDINGS - len(told), system)
    if len(told) < FINDINGS:
        told += _unknown_sentences(changes, FINDINGS - len(told), system)
    return tuple(told[:FINDINGS])


def _at(points: Sequence[SessionAverage], session_id: int) -> SessionAverage:
    """The session's point; of several bases that of most swings."""
    return max(
        (point for point in points if point.session_id == session_id),
        key=lambda point: point.n,
    )


# How more and less are called, by the unit of the metric.
_MORE_LESS = {
    "deg/s": ("faster", "slower"),
    "m/s": ("faster", "slower"),
    "ms": ("longer", "shorter"),
}


def _compared_with(change: MetricChange) -> str:
    """What a change is held against, as it stands in a sentence."""
    if change.sessions_before == 1:
        return "than in the session before"
    return f"than in the {spelled(change.sessions_before)} sessions before"


def real_sentence(change: MetricChange, system: str) -> str:
    """A real change in one sentence: how much, against what, from what to what."""
    definition = change.definition
    assert change.delta is not None  # noqa: S101  # a real change has one
    more, less = _MORE_LESS.get(definition.unit, ("higher", "lower"))
    word = more if change.delta > 0 else less
    if definition.id.startswith("t_"):
        # Times count back from the reference: more is earlier.
        word = "earlier" if change.delta > 0 else "later"
    if change.percent is not None:
        amount = f"{abs(change.percent):.0f} %"
        if abs(change.percent) < 1:
            amount = f"{abs(change.percent):.1f} %"
    else:
        amount = _amount(abs(change.delta), change, system)
    before = _amount(change.before, change, system)
    now = _amount(change.now, change, system)
    return (
        f"{change.name}: {amount} {word} {_compared_with(change)}, a real change "
        f"({before} → {now}; {change.n_before} and {change.n_now} swings)."
    )


def _amount(value: float | None, change: MetricChange, system: str) -> str:
    """A value of the changed metric as text, in the reader's units."""
    return display.value_text(value, change.unit, system, decimals=change.decimals)


_GROUP_WORDS = {
    "sequence": "Turn rates",
    "rotation": "Rotation and separation",
    "posture": "Posture and legs",
    "hands_bat": "Hands, bat and timing",
}


def _same_sentences(
    same: Sequence[MetricChange], count: int, system: str
) -> list[ChangeSentence]:
    """Sentences about what did not change, one for each group of metrics."""
    groups: dict[str, list[MetricChange]] = {}
    for change in same:
        groups.setdefault(change.definition.group, []).append(change)
    told = []
    largest_first = sorted(groups.items(), key=lambda item: -len(item[1]))
    for group, changes in largest_first[:count]:
        if len(changes) == 1:
            change = changes[0]
            limit = _amount(change.smallest, change, system)
            now = _amount(change.now, change, system)
            words = _as_before(change.definition.name, change)
            text = (
                f"{words} ({now}); a difference under {limit} is within the usual "
                "scatter."
            )
            told.append(ChangeSentence(text, change.definition.id, change))
            continue
        names = list_in_words(
            [_lower_first(change.definition.short) for change in changes]
        )
        words = _GROUP_WORDS.get(group, "Numbers")
        words = _as_before(words, changes[0])
        text = f"{words}: no clear change in {names}."
        told.append(ChangeSentence(text, changes[0].definition.id, changes[0]))
    return told


def _as_before(what: str, change: MetricChange) -> str:
    """What did not change, with its side for a switch hitter."""
    return f"{what}, {change.side}, as before" if change.side else f"{what} as before"


def _lower_first(text: str) -> str:
    """The text with a small first letter, unless it begins with an abbreviation."""
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


def _unknown_sentences(
    changes: Mapping[str, MetricChange], count: int, system: str
) -> list[ChangeSentence]:
    """Sentences for when there is nothing to compare with yet."""
    unknown = [change for change in changes.values() if change.real is None]
    if not unknown:
        return []
    told = []
    if all(change.sessions_before == 0 for change in unknown):
        told.append(
            ChangeSentence(
                "Nothing comparable lies before this session; from the next one "
                "on, changes are held against the scatter from swing to swing."
            )
        )
    for metric in ("bat_speed_max", "peak_hand_speed", "peak_torso_omega"):
        change = changes.get(metric)
        if change is not None and change.real is None:
            now = _amount(change.now, change, system)
            swings = number_of(change.n_now, "swing")
            told.append(
                ChangeSentence(f"{change.name}: {now} (mean of {swings}).", metric)
            )
    return told[:count]
