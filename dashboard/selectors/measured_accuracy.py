"""How far off a metric was on swings with a known answer (docs/accuracy.md)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from biomechanics.definitions import MetricDefinition

FILE = Path(__file__).resolve().parent.parent / "accuracy.json"
"""Written by `make accuracy`."""


@dataclass(frozen=True)
class AccuracyRow:
    """The errors at one frame rate, in the unit of the metric.

    Attributes
    ----------
    rate : str
        Frames a second.
    swings : int
        How many numbers were held against the truth.
    """

    rate: str
    bias: float
    sd: float
    worst: float
    swings: int


@dataclass(frozen=True)
class MeasuredAccuracy:
    """What the definition of a metric says about its accuracy.

    Attributes
    ----------
    decimals : int
        One digit more than the metric itself has: errors are small beside it.
    method_version : str
        That with which it was measured.
    """

    rows: tuple[AccuracyRow, ...]
    decimals: int
    method_version: str


@cache
def _stored() -> dict[str, Any]:
    """Return what was measured; empty when nothing was."""
    if not FILE.exists():
        return {}
    stored: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return stored


def measured_accuracy(metric: MetricDefinition) -> MeasuredAccuracy | None:
    """Return how accurate a metric is by frame rate, ``None`` where it is not known.

    Of swings that meet a ball, all noise levels together.
    """
    stored = _stored()
    rates = stored.get("metrics", {}).get(metric.id, {}).get("hit", {})
    rows = tuple(
        AccuracyRow(rate, found["bias"], found["sd"], found["worst"], found["n"])
        for rate, found in rates.items()
        if found["n"] > 1
    )
    if not rows or metric.retired:
        return None
    return MeasuredAccuracy(rows, metric.decimals + 1, stored["method_version"])
