"""Findings: what changed in the newest session, in plain sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from athletes import display
from athletes.analysis.changes import NO_SETUP, MetricChange
from athletes.display import number_of
from dashboard.phrases import list_in_words

FINDINGS = 3


@dataclass(frozen=True)
class ChangeSentence:
    """One plain sentence, and the number that it is about."""

    text: str
    metric: str = ""
    change: MetricChange | None = None


def setup_note(changes: Iterable[MetricChange]) -> str:
    """What is said where sessions without a setup are compared with each other."""
    return f"{NO_SETUP}." if any(change.has_no_setup for change in changes) else ""


def change_sentences(
    changes: Sequence[MetricChange], *, system: str
) -> tuple[ChangeSentence, ...]:
    """At most three sentences about a session; what changed comes first.

    `changes` are those of one session, of a switch hitter of one side.
    """
    if not changes:
        return (
            ChangeSentence(
                "No swing has numbers yet; findings appear after the first session "
                "with included swings."
            ),
        )
    real = sorted(
        (change for change in changes if change.real),
        key=lambda change: change.size,
        reverse=True,
    )
    told = [
        ChangeSentence(real_sentence(change, system), change.definition.id, change)
        for change in real[:FINDINGS]
    ]
    same = [change for change in changes if change.real is False]
    if len(told) < FINDINGS and same:
        told += _same_sentences(same, FINDINGS - len(told), system)
    if len(told) < FINDINGS:
        told += _unknown_sentences(changes, FINDINGS - len(told), system)
    return tuple(told[:FINDINGS])


# How more and less are called, by the unit of the metric.
_MORE_LESS = {
    "deg/s": ("faster", "slower"),
    "m/s": ("faster", "slower"),
    "ms": ("longer", "shorter"),
}


def _compared_with(change: MetricChange) -> str:
    """What a change is held against, as it stands in a sentence."""
    sessions = (
        "the last session"
        if change.sessions_before == 1
        else f"the last {change.sessions_before} sessions"
    )
    return f"than {sessions}{' of this setup' if change.of_setup else ''}"


def real_sentence(change: MetricChange, system: str) -> str:
    """A real change in one sentence: how much, against what, from what to what."""
    definition = change.definition
    shown = change.printed(system)
    assert shown is not None  # noqa: S101  # a real change has values before and now
    assert change.delta is not None  # noqa: S101
    more, less = _MORE_LESS.get(definition.unit, ("higher", "lower"))
    word = more if change.delta > 0 else less
    if definition.id.startswith("t_"):
        # Times count back from the reference: more is earlier.
        word = "earlier" if change.delta > 0 else "later"
    return (
        f"{change.name}: {shown.size} {word} {_compared_with(change)} "
        f"({shown.before} → {shown.now}), more than their usual variation "
        f"(needs ±{shown.needed})."
    )


def _amount(value: float | None, change: MetricChange, system: str) -> str:
    """A value of the changed metric as text, in the reader's units."""
    decimals = change.definition.decimals
    return display.value_text(value, change.unit, system, decimals=decimals)


_GROUP_WORDS = {
    "sequence": "Rotation speeds",
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
        change = changes[0]
        if len(changes) == 1:
            shown = change.printed(system)
            text = (
                f"{change.name}: about the same ({_amount(change.now, change, system)}"
            )
            if shown is not None and shown.needed is not None:
                text += f"; a change needs ±{shown.needed}"
            told.append(ChangeSentence(f"{text}).", change.definition.id, change))
            continue
        names = list_in_words([_lower_first(change.short) for change in changes])
        words = ", ".join(
            filter(None, (_GROUP_WORDS.get(group, "Numbers"), change.side))
        )
        text = f"{words}: {names} are about the same."
        told.append(ChangeSentence(text, change.definition.id, change))
    return told


def _lower_first(text: str) -> str:
    """The text with a small first letter, unless it begins with an abbreviation."""
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


def _unknown_sentences(
    changes: Sequence[MetricChange], count: int, system: str
) -> list[ChangeSentence]:
    """Sentences for when nothing can be told yet: why, and what the numbers are."""
    unknown: Mapping[str, MetricChange] = {
        change.definition.id: change for change in changes if change.real is None
    }
    if not unknown:
        return []
    told = []
    if len(unknown) == len(changes):
        # Of several the one of most numbers: an average without a reason looks like
        # a finding.
        reasons = Counter(change.reason for change in unknown.values())
        told.append(ChangeSentence(reasons.most_common(1)[0][0]))
    for metric in ("bat_speed_max", "peak_hand_speed", "peak_torso_omega"):
        change = unknown.get(metric)
        if change is not None:
            now = _amount(change.now, change, system)
            swings = number_of(change.n_now, "swing")
            told.append(
                ChangeSentence(f"{change.name}: {now} (average of {swings}).", metric)
            )
    return told[:count]
