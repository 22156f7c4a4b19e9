"""The result of analyzing one movement, as plain frozen dataclasses.

``to_dict`` of each gives only what JSON knows; a missing number is ``None``,
never NaN.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

Side = Literal["right", "left"]
AngleUnit = Literal["deg", "rad", "unknown"]
Confidence = Literal["vendor", "rule", "low", "manual"]
Grade = Literal["good", "usable", "poor"]
MovementKind = Literal["swing", "one_handed", "not_swing", "unreadable"]

EVENT_NAMES = (
    "load",
    "first_move",
    "foot_down",
    "peak_hand_speed",
    "bat_peak",
    "contact",
    "reference",
)


_PLAIN = (str, bool, int)


def json_safe(value: Any) -> Any:
    """Return `value` with numpy types made plain and NaN made ``None``."""
    kind = type(value)
    if kind is float:
        return value if math.isfinite(value) else None
    if value is None or kind in _PLAIN:
        return value
    if isinstance(value, Mapping):
        return {str(key): json_safe(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return [json_safe(item) for item in value.tolist()]
    if isinstance(value, list | tuple | set | frozenset):
        return [json_safe(item) for item in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value


@dataclass(frozen=True, slots=True)
class Event:
    """One instant of a swing.

    Attributes
    ----------
    time_s : float or None
        On the clock of the file; ``None`` when no rule could find it.
    rule : str
        The rule that fired, e.g. ``contact``, ``bat_peak``, ``hand_peak``.
    confidence : {'vendor', 'rule', 'low', 'manual'}
        ``low``: the rule fired but a check failed.
    reason : str or None
        Why there is no time, or which check failed, in plain words.
    """

    time_s: float | None
    rule: str
    confidence: Confidence
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the event as JSON-safe values."""
        return {
            "time_s": json_safe(self.time_s),
            "rule": self.rule,
            "confidence": self.confidence,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class MetricValue:
    """One number of one swing.

    Attributes
    ----------
    value : float, str or None
        In `unit`; ``None`` has a `reason`.
    flagged : bool
        Outside the plausible range or at the edge of its window: show it
        grayed, leave it out of means. `reason` then says why.
    window : str
        The event or stretch of time the value belongs to.
    uncertainty : float or None
        One standard deviation of the measurement, in `unit`; ``None`` where it is
        not known.
    basis : str
        What the value rests on beside its definition: the rules of its events, the
        points it is read from. Values of another basis are other numbers.
    """

    value: float | str | None
    unit: str
    reason: str | None
    flagged: bool
    window: str
    uncertainty: float | None = None
    basis: str = ""

    @property
    def number(self) -> float | None:
        """The value if it is a number that may enter an average, else ``None``."""
        if self.flagged or not isinstance(self.value, float):
            return None
        return self.value

    def to_dict(self) -> dict[str, Any]:
        """Return the value as JSON-safe values."""
        return {
            "value": json_safe(self.value),
            "unit": self.unit,
            "reason": self.reason,
            "flagged": self.flagged,
            "window": self.window,
            "uncertainty": json_safe(self.uncertainty),
            "basis": self.basis,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One curve on the movement's uniform clock.

    Attributes
    ----------
    values : ndarray, shape (n_frames,)
        NaN where there is nothing to draw.
    """

    values: FloatArray
    unit: str
    label: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing learned about the file, with the evidence for it.

    Attributes
    ----------
    value : object
        The answer, e.g. ``rad``, ``relative``, ``[0, 0, 1]``; ``None``: unknown.
    text : str
        One plain sentence.
    evidence : mapping
        The numbers the answer rests on.
    """

    value: Any
    text: str
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as JSON-safe values."""
        return {
            "value": json_safe(self.value),
            "text": self.text,
            "evidence": json_safe(self.evidence),
        }


@dataclass(frozen=True, slots=True)
class FileFindings:
    """What was found out about the file itself, by name of the finding."""

    findings: Mapping[str, Finding]

    def value(self, name: str) -> Any:
        """Return the answer of one finding, ``None`` if that was not looked at."""
        finding = self.findings.get(name)
        return None if finding is None else finding.value

    def to_dict(self) -> dict[str, Any]:
        """Return all findings as JSON-safe values."""
        return {name: item.to_dict() for name, item in self.findings.items()}


@dataclass(frozen=True, slots=True)
class Quality:
    """How far one swing can be trusted.

    Attributes
    ----------
    grade : {'good', 'usable', 'poor'}
    reasons : tuple of (code, sentence)
        The code is stable; the sentence is for people. A reason that does not
        lower the grade (a missing body height, say) stands here too.
    """

    grade: Grade
    reasons: tuple[tuple[str, str], ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of all reasons, without their sentences."""
        return tuple(code for code, _ in self.reasons)

    def to_dict(self) -> dict[str, Any]:
        """Return grade and reasons as JSON-safe values."""
        return {
            "grade": self.grade,
            "reasons": [{"code": code, "text": text} for code, text in self.reasons],
        }


@dataclass(frozen=True, slots=True, eq=False)
class SwingAnalysis:
    """Everything found out about one movement.

    Attributes
    ----------
    side : {'right', 'left'} or None
        The side the hitter stood on in this movement (right = left leg leads).
    sampling_rate_hz, duration_s : float or None
        ``None`` when the clock could not be read.
    frame_count : int
        Rows delivered.
    angle_unit : {'deg', 'rad', 'unknown'}
        Unit of the file's angle columns.
    kind : {'swing', 'one_handed', 'not_swing', 'unreadable'}
    is_swing : bool
    automatic_events : mapping or None
        The events as found, when some were moved by hand.
    time_s : ndarray, shape (n_grid,)
        Uniform clock of `series`, on the clock of the file.
    """

    side: Side | None
    sampling_rate_hz: float | None
    frame_count: int
    duration_s: float | None
    angle_unit: AngleUnit
    findings: FileFindings
    events: Mapping[str, Event]
    automatic_events: Mapping[str, Event] | None
    metrics: Mapping[str, MetricValue]
    quality: Quality
    kind: MovementKind
    is_swing: bool
    series: Mapping[str, Series]
    time_s: FloatArray
    method_version: str

    def to_dict(self) -> dict[str, Any]:
        """Return the analysis as JSON-safe values, without its curves."""
        automatic = self.automatic_events
        return {
            "side": self.side,
            "sampling_rate_hz": json_safe(self.sampling_rate_hz),
            "frame_count": self.frame_count,
            "duration_s": json_safe(self.duration_s),
            "angle_unit": self.angle_unit,
            "verdict": self.findings.to_dict(),
            "events": {name: item.to_dict() for name, item in self.events.items()},
            "automatic_events": None
            if automatic is None
            else {name: item.to_dict() for name, item in automatic.items()},
            "metrics": {name: item.to_dict() for name, item in self.metrics.items()},
            "quality": self.quality.to_dict(),
            "kind": self.kind,
            "is_swing": self.is_swing,
            "method_version": self.method_version,
        }
