"""Damage many files, and list every number that is wrong and does not say so.

A number is wrong when it is off by more than three stated uncertainties, or by more
than `TOLERANCE` where none is stated. It says so when it is missing, marked, or of a
swing of poor quality.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from accuracy.damage import DAMAGES
from accuracy.measure import analyze_made, compare
from accuracy.swings import HANDS, KINDS, RATES_HZ, MadeSwing, clean_swing
from accuracy.truth import Truth, truth_of
from biomechanics.analysis_types import SwingAnalysis
from biomechanics.definitions import METHOD_VERSION, METRICS

TOLERANCE: dict[str, tuple[float, float]] = {
    "deg": (5.0, 0.0),
    "deg/s": (25.0, 0.06),
    "ms": (12.0, 0.05),
    "m": (0.02, 0.05),
    "m/s": (0.3, 0.05),
    "J": (8.0, 0.06),
    "J/kg": (0.1, 0.06),
    "W": (200.0, 0.25),
    "kg·m²/s": (0.3, 0.06),
    "%": (5.0, 0.0),
    "ratio": (0.05, 0.08),
}
"""Without a stated uncertainty: so much in the unit, and such a share of the truth."""
NUMBERS = 12
HANDS_METRICS = frozenset(
    {"peak_hand_speed", "peak_hand_speed_lead", "peak_hand_speed_rear", "t_peak_hand"}
)
HEAD_METRICS = frozenset({"head_fwd", "head_drop", "head_excursion"})


@dataclass(frozen=True)
class Wrong:
    """One number that is off and does not say so.

    Attributes
    ----------
    place : int
        Of the file; with the seed it makes the same file again.
    limit : float
        What was allowed.
    """

    place: int
    damage: str
    what: str
    metric: str
    error: float
    limit: float


@dataclass(frozen=True)
class Report:
    """What came of many damaged files.

    Attributes
    ----------
    shown : Counter
        Numbers that count, by damage.
    left_out : Counter
        Numbers that are missing, marked or of a poor swing, by damage.
    """

    seed: int
    files: int
    shown: Counter[str]
    left_out: Counter[str]
    wrong: list[Wrong]


@dataclass(frozen=True)
class HostileFile:
    """One damaged file and what is true of its swing."""

    damage: str
    what: str
    swing: MadeSwing
    truth: Truth


def of_place(place: int) -> str:
    """Return the damage of a file: each in turn."""
    return tuple(DAMAGES)[place % len(DAMAGES)]


def hostile_file(seed: int, place: int) -> HostileFile:
    """Return file `place` of a seed; the same two numbers give the same file."""
    rng = np.random.default_rng((seed, place))
    damage = of_place(place)
    number = int(rng.integers(NUMBERS))
    kind = KINDS[int(rng.choice(3, p=(0.6, 0.2, 0.2)))]
    hand = HANDS[int(rng.integers(2))]
    rate_hz = float(rng.choice(RATES_HZ))
    vendor_clock = bool(rng.uniform() < 0.3)
    clean = clean_swing(number, kind, hand, rate_hz, vendor_clock=vendor_clock)
    done = DAMAGES[damage](rng, clean)
    what = f"{kind}, {hand}, {rate_hz:g} Hz: {done.what}"
    return HostileFile(damage, what, done.swing, truth_of(number, kind))


def tolerance(metric: str, right: float) -> float:
    """Return how far a number without an uncertainty may be off."""
    plain, share = TOLERANCE[METRICS[metric].unit]
    return plain + share * abs(right)


def _other_points(analysis: SwingAnalysis) -> frozenset[str]:
    """Return metrics that say they were measured at other points than the true ones."""
    skipped: frozenset[str] = frozenset()
    if analysis.findings.value("hands") != "hands":
        skipped |= HANDS_METRICS
        if analysis.events["reference"].rule == "hand_peak":
            skipped |= frozenset(METRICS)
    if analysis.findings.value("head") != "skullbase":
        skipped |= HEAD_METRICS
    return skipped


def run(seed: int, files: int, first: int = 0) -> Report:
    """Return what is wrong in so many damaged files of a seed, from file `first` on."""
    shown: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    wrong: list[Wrong] = []
    for place in range(first, first + files):
        made = hostile_file(seed, place)
        analysis = analyze_made(made.swing)
        true = made.truth.of(analysis.events["reference"].rule)
        skipped = _other_points(analysis)
        for outcome in compare(analysis, made.truth):
            metric = outcome.metric
            if metric in skipped:
                continue
            if outcome.state != "counted" or outcome.error is None:
                left_out[made.damage] += 1
                continue
            shown[made.damage] += 1
            limit = (
                tolerance(metric, true[metric])
                if outcome.uncertainty is None
                else 3.0 * outcome.uncertainty
            )
            if abs(outcome.error) > limit:
                wrong.append(
                    Wrong(place, made.damage, made.what, metric, outcome.error, limit)
                )
    return Report(seed, files, shown, left_out, wrong)


def together(reports: Iterable[Report]) -> Report:
    """Return one report of parts of the files of one seed."""
    parts = list(reports)
    return Report(
        seed=parts[0].seed,
        files=sum(part.files for part in parts),
        shown=sum((part.shown for part in parts), Counter()),
        left_out=sum((part.left_out for part in parts), Counter()),
        wrong=[item for part in parts for item in part.wrong],
    )


def as_stored(report: Report) -> dict[str, Any]:
    """Return the outcome for the file of measured accuracy."""
    return {
        "method_version": METHOD_VERSION,
        "seed": report.seed,
        "files": report.files,
        "damages": {
            damage: {
                "files": sum(
                    1 for place in range(report.files) if of_place(place) == damage
                ),
                "shown": report.shown[damage],
                "left_out": report.left_out[damage],
                "wrong": len(wrong),
                "wrong_files": len({item.place for item in wrong}),
                "metrics": Counter(item.metric for item in wrong).most_common(),
            }
            for damage in DAMAGES
            for wrong in [[item for item in report.wrong if item.damage == damage]]
        },
    }


def as_text(report: Report) -> str:
    """Return the report: a line for each damage, then for each metric under it."""
    groups: dict[str, dict[str, list[Wrong]]] = defaultdict(lambda: defaultdict(list))
    for item in report.wrong:
        groups[item.damage][item.metric].append(item)
    total = sum(report.shown.values())
    lines = [
        f"{report.files} files of seed {report.seed}: {total} numbers shown, "
        f"{len(report.wrong)} wrong without a mark, in "
        f"{len({item.place for item in report.wrong})} files.",
        "Damage: files with a wrong number, wrong of shown numbers, shown of all.",
    ]
    for damage in DAMAGES:
        metrics = groups.get(damage, {})
        count = sum(len(rows) for rows in metrics.values())
        places = {row.place for rows in metrics.values() for row in rows}
        shown, left = report.shown[damage], report.left_out[damage]
        share = 100.0 * shown / (shown + left) if shown + left else 0.0
        lines.append(
            f"\n{damage}: {len(places)} files, {count} of {shown}, {share:.0f} % shown"
        )
        for metric, rows in sorted(metrics.items(), key=lambda pair: -len(pair[1])):
            worst = max(rows, key=lambda row: abs(row.error) / max(row.limit, 1e-9))
            lines.append(
                f"  {metric}: {len(rows)}, worst {worst.error:+.3g} "
                f"{METRICS[metric].unit} (limit {worst.limit:.2g}); "
                f"--replay {report.seed}:{worst.place} ({worst.what})"
            )
    return "\n".join(lines)


def replay(seed: int, place: int) -> str:
    """Return what the analysis says of one file, beside the truth."""
    made = hostile_file(seed, place)
    analysis = analyze_made(made.swing)
    true = made.truth.of(analysis.events["reference"].rule)
    lines = [
        f"{made.damage}; {made.what}",
        f"quality {analysis.quality.grade}: {', '.join(analysis.quality.codes)}",
    ]
    lines += [
        f"event {name}: {event.time_s} s, {event.rule}, {event.confidence}, "
        f"{event.reason or ''}"
        for name, event in analysis.events.items()
    ]
    lines.append(f"contact at {made.swing.contact_s:.4f} s; true {made.truth.events}")
    for metric, right in true.items():
        found = analysis.metrics.get(metric)
        if found is None:
            continue
        mark = " marked" if found.flagged else ""
        lines.append(
            f"{metric}: true {right:.4g}, found {found.value} ± {found.uncertainty}"
            f"{mark} {found.reason or ''}".rstrip()
        )
    return "\n".join(lines)
