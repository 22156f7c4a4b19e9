"""One swing: its numbers, events, quality, and where all of it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.text import capfirst

from athletes.analysis.event_rules import rule_in_basis
from athletes.analysis.means_by_side import (
    metric_basis,
    side_of,
    sides_of_session,
)
from athletes.analysis.metric_reading import MetricReading, reading_of
from athletes.models import (
    BiomechanicsData,
    EventCorrection,
    InclusionDecision,
    Movement,
    SessionMetric,
)
from athletes.phrases import (
    EVENTS,
    MOVABLE,
    confidence_in_words,
    finding_name,
    reason_texts,
    repair_texts,
    rule_in_words,
    rule_name,
    side_in_words,
)
from biomechanics.definitions import GROUPS, HEADLINES, METRICS, SHOWN_METRICS
from biomechanics.metrics.values import REFERENCE_WORDS
from biomechanics.units import MS_PER_S
from dashboard.selectors.session_averages import reading_of_average


@dataclass(frozen=True)
class EventRow:
    """One event with the rule that found it."""

    name: str
    label: str
    short: str
    plain: str
    time_s: float | None
    ms: float | None
    rule: str
    confidence_words: str
    reason: str
    automatic_time_s: float | None
    correction: EventCorrection | None

    @property
    def is_moved(self) -> bool:
        """Whether a person moved the event."""
        return self.correction is not None


@dataclass(frozen=True)
class MetricGroup:
    """Metrics of one group with their values."""

    key: str
    name: str
    readings: tuple[MetricReading, ...]

    @property
    def known(self) -> int:
        """How many numbers of the group have a value."""
        return sum(not reading.is_missing for reading in self.readings)


@dataclass(frozen=True)
class VerdictRow:
    """One thing that was found out about the file, with what speaks for it."""

    name: str
    text: str
    evidence: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class StoredFrames:
    """One data type of the movement as it is stored."""

    label: str
    frames: int
    columns: int
    repairs: tuple[str, ...]
    updated_at: object


@dataclass(frozen=True)
class SwingPage:
    """Everything that the swing's page prints besides its charts."""

    movement: Movement
    # Its place among the session's swings; None for what is not counted among them.
    number: int | None
    total: int
    previous_id: int | None
    next_id: int | None
    headlines: tuple[MetricReading, ...]
    session_means: Mapping[str, MetricReading]
    # Of which swings, where the session has them from both sides: `batting left`.
    means_side: str
    groups: tuple[MetricGroup, ...]
    events: tuple[EventRow, ...]
    zero_label: str
    reasons: tuple[str, ...]
    verdict: tuple[VerdictRow, ...]
    #: The vendor's own numbers, as its file names and spells them.
    vendor_numbers: tuple[tuple[str, str], ...]
    stored: tuple[StoredFrames, ...]
    corrections: tuple[EventCorrection, ...]
    decisions: tuple[InclusionDecision, ...]
    # Whether something decided about it waits for a word, because its frames changed.
    is_aside: bool

    @property
    def noun(self) -> str:
        """What the page calls it: `Swing`, or `Movement` for a walk-through."""
        return "Movement" if self.movement.is_swing is False else "Swing"

    @property
    def known(self) -> int:
        """How many numbers have a value."""
        return sum(group.known for group in self.groups)

    @property
    def movable(self) -> tuple[EventRow, ...]:
        """Events that a person may put elsewhere; none where there is no swing."""
        if not self.events_found:
            return ()
        return tuple(event for event in self.events if event.name in MOVABLE)

    @property
    def listed_events(self) -> tuple[EventRow, ...]:
        """The events, each once: what is the reference too is not said again."""
        zero = {(e.label, e.time_s) for e in self.events if e.name == "reference"}
        return tuple(
            event
            for event in self.events
            if event.name == "reference" or (event.label, event.time_s) not in zero
        )

    @property
    def events_found(self) -> tuple[EventRow, ...]:
        """The events that have a time."""
        return tuple(event for event in self.events if event.time_s is not None)


def swing_page(movement: Movement) -> SwingPage:
    """The movement with those before and after it and its history.

    Nine queries, and at most four more where people decided something.
    """
    # One that is gone stands between those that are there. What is no swing, such as a
    # walk, is not counted among them.
    shown = Movement.objects.filter(session_id=movement.session_id)
    order = list(
        (shown.present().exclude(is_swing=False) | shown.filter(pk=movement.pk))
        .order_by("position", "id")
        .values_list("pk", flat=True)
    )
    place = order.index(movement.pk)
    is_counted = movement.is_swing is not False and movement.missing_since is None
    corrections = list(
        movement.event_corrections.prefetch_related(
            "created_by", "undone_by", "replaced"
        ).order_by("-created_at", "-id")
    )
    session_means, means_side = _session_means(movement)
    return SwingPage(
        movement=movement,
        number=place + 1 if is_counted else None,
        total=len(order) if is_counted else len(order) - 1,
        previous_id=order[place - 1] if place else None,
        next_id=order[place + 1] if place + 1 < len(order) else None,
        headlines=tuple(reading_of(name, movement.metrics) for name in HEADLINES),
        session_means=session_means,
        means_side=means_side,
        groups=tuple(
            MetricGroup(
                key,
                name,
                tuple(
                    reading_of(item.id, movement.metrics)
                    for item in SHOWN_METRICS
                    if item.group == key
                ),
            )
            for key, name in GROUPS.items()
        ),
        events=event_rows(movement, corrections),
        zero_label=reference_of(movement.events)[1],
        reasons=reason_texts(movement.quality_reasons),
        verdict=_verdict(movement.verdict),
        vendor_numbers=tuple(
            (name, "–" if value is None else str(value))
            for name, value in (movement.vendor_metrics or {}).items()
        ),
        stored=_stored(movement),
        corrections=tuple(corrections),
        decisions=tuple(
            movement.inclusion_decisions.prefetch_related("created_by").order_by(
                "-created_at", "-id"
            )
        ),
        is_aside=movement.set_aside.filter(settled_at=None).exists(),
    )


def _session_means(movement: Movement) -> tuple[dict[str, MetricReading], str]:
    """Averages of the session on this swing's side and bases, and that side.

    The side is in words, and empty where the session has swings from one side alone.
    """
    sides = sides_of_session(movement.session_id, HEADLINES)
    if len(sides) > 1:
        own_side = sides.get(side_of(movement), {})
        means = {
            metric: MetricReading(
                METRICS[metric],
                part.mean,
                n=part.n,
                sd=part.sd,
                rule=rule_in_basis(basis),
            )
            for (metric, basis), part in own_side.items()
            if basis == metric_basis(movement, metric)
        }
        return means, side_in_words(side_of(movement))
    rows = SessionMetric.objects.filter(
        session_id=movement.session_id, metric__in=HEADLINES
    )
    means = {
        row.metric: reading_of_average(row)
        for row in rows
        if row.basis == metric_basis(movement, row.metric)
        # A swing that does not count may be from another side than all that do.
        and side_of(movement) in sides
    }
    return means, ""


#: What curves and figure count from where the swing has no event to count from.
CLIP_START = "the start of the clip"


def reference_of(events: Mapping[str, Any]) -> tuple[float | None, str]:
    """When the reference is, in seconds on the file's clock, and what it is called."""
    entry = events.get("reference") or {}
    time_s = entry.get("time_s")
    if time_s is None:
        return None, ""
    rule = entry.get("rule") or ""
    return float(time_s), "contact set by a coach" if rule == "manual" else (
        rule_name(rule)
    )


def event_rows(
    movement: Movement, corrections: Sequence[EventCorrection] = ()
) -> tuple[EventRow, ...]:
    """The events of a movement in the order in which they happen."""
    active = {item.event: item for item in corrections if item.undone_at is None}
    zero_s, _ = reference_of(movement.events)
    rows = []
    for name, (label, short, plain) in EVENTS.items():
        entry = movement.events.get(name)
        if entry is None:
            continue
        time_s = entry.get("time_s")
        automatic = (movement.automatic_events or {}).get(name) or {}
        rule = entry.get("rule") or "none"
        confidence = entry.get("confidence") or ""
        rows.append(
            EventRow(
                name=name,
                label=_label_of_reference(rule) if name == "reference" else label,
                short=short,
                plain=plain,
                time_s=time_s,
                ms=None
                if time_s is None or zero_s is None
                else MS_PER_S * (time_s - zero_s),
                rule=rule_in_words(rule),
                confidence_words=confidence_in_words(confidence),
                reason=entry.get("reason") or "",
                automatic_time_s=automatic.get("time_s"),
                correction=active.get(name),
            )
        )
    return tuple(rows)


def _label_of_reference(rule: str) -> str:
    """What the reference is called: contact is what was measured, or says (est.)."""
    name = EVENTS["reference"][0]
    is_stand_in = rule in {"bat_peak", "hand_peak"}
    return str(capfirst(REFERENCE_WORDS[rule])) if is_stand_in else name


def _verdict(verdict: Mapping[str, Any]) -> tuple[VerdictRow, ...]:
    """What was learned about the file, as rows of the page."""
    rows = []
    for name, finding in verdict.items():
        if not isinstance(finding, Mapping):
            continue
        evidence = finding.get("evidence") or {}
        rows.append(
            VerdictRow(
                name=finding_name(name),
                text=str(finding.get("text") or ""),
                evidence=tuple(
                    (str(key).replace("_", " "), _plain(value))
                    for key, value in evidence.items()
                ),
            )
        )
    return tuple(rows)


def _plain(value: Any) -> str:
    """A piece of evidence as text."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(_plain(item) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(item)}" for key, item in value.items())
    return "–" if value is None else str(value)


def _stored(movement: Movement) -> tuple[StoredFrames, ...]:
    """What is stored of the movement, by data type; one query."""
    rows = BiomechanicsData.objects.filter(movement=movement).without_frames()
    return tuple(
        StoredFrames(
            label=row.get_data_type_display(),
            frames=row.frame_count,
            columns=row.column_count,
            repairs=repair_texts(row.repairs),
            updated_at=row.updated_at,
        )
        for row in rows.order_by("data_type")
    )
