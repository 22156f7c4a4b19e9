"""A number as a page shows it: the value with its unit, definition and doubts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from athletes.analysis.event_rules import rule_in_basis
from biomechanics.definitions import METRICS, MetricDefinition
from biomechanics.metrics.values import said_of
from biomechanics.session_statistics import LEAST_SWINGS_FOR_SPREAD


@dataclass(frozen=True)
class MetricReading:
    """A value of one metric, of one swing or over the swings of a session.

    `value` is in the unit of the definition; pages convert when they print.
    `uncertainty` is one standard deviation of the measurement of a single value.
    """

    definition: MetricDefinition
    value: float | str | None
    reason: str = ""
    flagged: bool = False
    n: int | None = None
    sd: float | None = None
    rule: str = ""
    uncertainty: float | None = None

    @property
    def metric(self) -> str:
        """The id of the metric."""
        return self.definition.id

    @property
    def name(self) -> str:
        """The name of the metric: `Bat speed at contact (est.)`, by its rule."""
        return said_of(self.definition.name, self.rule)

    @property
    def short(self) -> str:
        """The name for narrow columns, true of the rule as `name` is."""
        return said_of(self.definition.short, self.rule)

    @property
    def unit(self) -> str:
        """The unit of the value as it is stored."""
        return self.definition.unit

    @property
    def is_missing(self) -> bool:
        """Whether there is no value; `reason` then says why."""
        return self.value is None

    @property
    def sd_shown(self) -> float | None:
        """The standard deviation, or None over too few swings to say anything."""
        return (
            self.sd
            if self.n is not None and self.n >= LEAST_SWINGS_FOR_SPREAD
            else None
        )


def reading_of(metric: str, metrics: Mapping[str, Any]) -> MetricReading:
    """The reading of one metric from the stored metrics of a movement."""
    entry = metrics.get(metric)
    definition = METRICS[metric]
    if entry is None:
        return MetricReading(definition, None, reason="Not computed for this swing.")
    value = entry.get("value")
    if isinstance(value, float) and not math.isfinite(value):
        value = None
    return MetricReading(
        definition,
        value,
        reason=entry.get("reason") or "",
        flagged=bool(entry.get("flagged")),
        rule=rule_in_basis(str(entry.get("basis") or "")),
        uncertainty=None if value is None else entry.get("uncertainty"),
    )
