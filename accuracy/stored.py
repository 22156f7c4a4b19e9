"""The measured accuracy as a file, which pages read, and how far it may drift."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from accuracy.measure import Accuracy, Measured
from biomechanics.definitions import METHOD_VERSION, METRICS

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "dashboard" / "accuracy.json"
DRIFT: dict[str, float] = {
    "deg": 0.2,
    "deg/s": 2.0,
    "ms": 0.5,
    "m": 0.003,
    "m/s": 0.05,
    "J": 1.0,
    "J/kg": 0.02,
    "W": 20.0,
    "kg·m²/s": 0.05,
    "%": 0.3,
    "ratio": 0.01,
}
"""How far bias and scatter of a metric may move under one method version, by unit.

Small beside what a page prints, large beside what differs from machine to machine.
"""

Stored = dict[str, Any]


def as_stored(
    measured: Measured,
    small: dict[str, Accuracy],
    real: dict[str, dict[str, Accuracy]] | None,
    before: Stored | None,
) -> Stored:
    """Return what the file holds; without real swings those of `before` stay.

    So does what came of damaged files, which another command measures.
    """
    kept = (before or {}).get("real", {})
    return {
        "method_version": METHOD_VERSION,
        "swings": measured.swings,
        "metrics": {
            metric: {
                kind: {rate: asdict(found) for rate, found in rates.items()}
                for kind, rates in kinds.items()
            }
            for metric, kinds in measured.metrics.items()
        },
        "by_noise": {
            metric: {noise: asdict(found) for noise, found in noises.items()}
            for metric, noises in measured.by_noise.items()
        },
        "order": {rate: list(pair) for rate, pair in measured.order.items()},
        "small": {metric: asdict(found) for metric, found in small.items()},
        "hostile": (before or {}).get("hostile"),
        "real": kept
        if real is None
        else {
            "method_version": METHOD_VERSION,
            "metrics": {
                metric: {rate: asdict(found) for rate, found in rates.items()}
                for metric, rates in real.items()
            },
        },
    }


def read(file: Path = FILE) -> Stored | None:
    """Return what was measured last, ``None`` when nothing was."""
    if not file.exists():
        return None
    stored: Stored = json.loads(file.read_text(encoding="utf-8"))
    return stored


def write(stored: Stored, file: Path = FILE) -> None:
    """Keep what was measured."""
    text = json.dumps(stored, indent=1, ensure_ascii=False)
    file.write_text(text + "\n", encoding="utf-8")


def drifted(stored: Stored, now: dict[str, Accuracy]) -> list[str]:
    """Return a sentence for each metric that is no longer as accurate as stored.

    Nothing may drift while the method version is the stored one. Another version means
    that the file is out of date, which is one sentence.
    """
    version = stored["method_version"]
    if version != METHOD_VERSION:
        return [
            f"The accuracy was measured with method {version} and the code is "
            f"{METHOD_VERSION}: run make accuracy."
        ]
    then: dict[str, dict[str, Any]] = stored["small"]
    problems = [
        f"{metric} is {'new' if metric in now else 'gone'}."
        for metric in sorted(set(then) ^ set(now))
    ]
    for metric in sorted(set(then) & set(now)):
        before, after = then[metric], asdict(now[metric])
        limit = DRIFT[METRICS[metric].unit]
        for name in ("bias", "sd"):
            a, b = before[name], after[name]
            if (a is None) != (b is None) or (a is not None and abs(a - b) > limit):
                problems.append(
                    f"{metric}: {name} was {a} and is {b} {METRICS[metric].unit}."
                )
        for name in ("n", "flagged", "missing"):
            if before[name] != after[name]:
                problems.append(
                    f"{metric}: {name} was {before[name]} and is {after[name]} swings."
                )
    return problems
