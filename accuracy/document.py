"""Write docs/accuracy.md from what was measured."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from accuracy.measure import NUMBERS
from accuracy.real import PUBLISHED_VALUES
from accuracy.stored import ROOT, Stored
from accuracy.swings import ENERGY_NOISE, NOISE_MM, RATES_HZ
from biomechanics.definitions import METRICS

FILE = ROOT / "docs" / "accuracy.md"
HEAD = """\
# How accurate the numbers are

Written by `make accuracy`; `make check` repeats a small part of it and fails when a
number changes while the method version stays the same. Definitions:
[metrics.md](metrics.md). Results on one real recording: [real-swing.md](real-swing.md).

Method version {version}, {swings} invented swings: {hitters} hitters, half of them
on each side, {rates} frames a second, white noise of {noise} mm on
each coordinate of each point and of the center of mass, and for each millimeter of
{energy_noise:.1f} % of its highest value on each column of momentum and energy; with a
bat that meets a ball, a bat that does not, and no bat.
Contact lies anywhere between two frames. The truth is computed from the exact motion
4 000 times a second by formulas of its own (`accuracy/truth.py`), which share no code
with the analysis. The files say neither when the ball was met nor when the foot came
down. The uncertainties were fitted on other hitters, and scaled on others again
(`accuracy/calibrate.py`).

- **bias**: mean of value minus truth; **SD**: standard deviation of these errors;
  **worst**: the largest of them. In the unit of the metric, all noise levels together.
- **within 1 u**: share of the errors that are within one stated uncertainty, where one
  is stated; 0.68 for normally distributed errors.
- **left out**: values that are shown but flagged, or come from a swing of poor quality;
  they are in no average, and not in bias, SD and worst. **missing**: no value, with a
  reason.
- A value is compared with the truth at the event that the analysis names: contact, peak
  bat speed (contact est.) or peak hand speed.
- White noise is easier to filter than the errors of a markerless system, which last for
  many frames: expect real errors to be larger.

Metrics that are not in these tables have no independent truth yet.
"""
TITLES = {
    "hit": "Swings that meet a ball",
    "dry": "Dry swings",
    "no_bat": "Swings without bat points",
}
# Without a reference in its window a number is the same in every kind of swing.
_ONLY_HITS = ("foot down", "load to foot down", "start to foot down")


def _number(value: float | None) -> str:
    """Return a number with the digits that it was stored with."""
    return "–" if value is None else f"{value:.4g}".replace("-", "−")


def _row(metric: str, rate: str, found: dict[str, Any]) -> str:
    """Return one row of a table."""
    within = "–" if found["within"] is None else f"{found['within']:.2f}"
    cells = (
        f"`{metric}`",
        METRICS[metric].unit,
        rate,
        _number(found["bias"]),
        _number(found["sd"]),
        _number(found["worst"]),
        str(found["n"]),
        within,
        str(found["flagged"]),
        str(found["missing"]),
    )
    return f"| {' | '.join(cells)} |"


_HEADINGS = (
    "| metric | unit | Hz | bias | SD | worst | n | within 1 u | left out | missing |"
)
_RULER = "| --- | --- |" + " ---: |" * 8


def _kinds(stored: Stored) -> list[str]:
    """Return a table for each kind of swing."""
    parts = []
    for kind, title in TITLES.items():
        rows = [
            _row(metric, rate, found)
            for metric, kinds in stored["metrics"].items()
            if metric in METRICS
            and (kind == "hit" or METRICS[metric].window not in _ONLY_HITS)
            for rate, found in kinds.get(kind, {}).items()
        ]
        parts.append("\n".join((f"## {title}\n", _HEADINGS, _RULER, *rows)))
    return parts


def _noise(stored: Stored) -> str:
    """Return bias and scatter by noise."""
    levels = [f"{noise:g}" for noise in NOISE_MM]
    lines = [
        "## The effect of noise\n",
        "Bias ± SD in swings that hit a ball, all frame rates together, by the noise "
        "on each coordinate.\n",
        f"| metric | unit | {' | '.join(f'{level} mm' for level in levels)} |",
        f"| --- | --- |{' ---: |' * len(levels)}",
    ]
    for metric, noises in stored["by_noise"].items():
        if metric not in METRICS:
            continue
        cells = [
            f"{_number(found['bias'])} ± {_number(found['sd'])}"
            if (found := noises.get(level)) and found["n"]
            else "–"
            for level in levels
        ]
        lines.append(f"| `{metric}` | {METRICS[metric].unit} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _order(stored: Stored) -> str:
    """Return how often the kinematic sequence is the true one."""
    lines = [
        "## Kinematic sequence\n",
        "How often the order, with its ties, is the true one, among all swings that "
        "have an order.\n",
        "| Hz | right | swings |",
        "| ---: | ---: | ---: |",
    ]
    lines += [
        f"| {rate} | {right / count * 100:.0f} % | {count} |"
        for rate, (count, right) in stored["order"].items()
    ]
    return "\n".join(lines)


def _real(stored: Stored) -> str:
    """Return ours minus the published values of real swings."""
    real = stored["real"]
    if not real:
        return (
            "## Real swings\n\nNot measured yet: the recordings were not in the folder "
            "beside the project."
        )
    lines = [
        "## Real swings: ours minus the published value\n",
        "Four swings of one right-handed hitter, marker-based at 360 Hz "
        "(OpenBiomechanics Project, drivelineresearch/openbiomechanics,",
        "`baseball_hitting`), with the bat shifted back to the clock of the joints. "
        "180 and 120 Hz are every second and third frame,",
        "starting at each possible frame; 240 Hz is interpolated. The published values "
        "are not the truth: where a definition differs,",
        f"the difference includes that too. Method version {real['method_version']}.\n",
        _HEADINGS + " how the published value differs |",
        _RULER + " --- |",
    ]
    for metric, rates in real["metrics"].items():
        for rate, found in rates.items():
            if metric in METRICS:
                lines.append(
                    f"{_row(metric, rate, found)} {PUBLISHED_VALUES[metric].differs} |"
                )
    return "\n".join(lines)


LOW, HIGH = 0.60, 0.80
"""The share of the errors within one stated uncertainty should be between these."""


def _joined(found: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return how many of the errors of some cells lie within one uncertainty."""
    known = [one for one in found if one["within"] is not None]
    count = sum(one["stated"] for one in known)
    inside = sum(one["within"] * one["stated"] for one in known)
    return {"stated": count, "within": inside / count if count else None}


def _calibration(stored: Stored) -> str:
    """Return how many shares of errors within one uncertainty lie where they should."""
    lines = [
        "## How well the uncertainties fit\n",
        "Each cell is the share of the errors of one metric within one stated "
        "uncertainty; it should be between 60 and 80 %.",
        "Rows with a frame rate are the cells of the tables below (one metric, kind "
        "and rate), the last ones those of one metric and noise, of swings that meet",
        "a ball. Too small a share: the uncertainty is too small, and the other way "
        "round. The errors of one hitter are alike, so some cells fall outside by "
        "chance. Where errors have long tails an uncertainty is larger",
        "than the share asks for, so that none is off by more than three; where a ball "
        "may have been met unseen it covers that, and is too large for a dry swing.",
        "Where errors are nearly all one bias of the filter (energies, their fastest "
        "gains), the share is no fine measure: a few percent more of the uncertainty",
        "turn half of the errors into all of them.\n",
        "| cells | errors | all together | within | too small | too large |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    cells: dict[str, list[dict[str, Any]]] = {}
    for kinds in stored["metrics"].values():
        for kind, rates in kinds.items():
            name = f"{TITLES[kind].lower()}, each metric"
            cells.setdefault(name, []).append(_joined(rates.values()))
            for rate, found in rates.items():
                cells.setdefault(f"{TITLES[kind].lower()}, {rate} Hz", []).append(found)
    for noises in stored["by_noise"].values():
        for noise, found in noises.items():
            cells.setdefault(f"{noise} mm of noise", []).append(found)
    for name, group in cells.items():
        known = [found for found in group if found["within"] is not None]
        count = sum(found["stated"] for found in known)
        if not count:
            continue
        inside = sum(found["within"] * found["stated"] for found in known)
        low = sum(found["within"] < LOW for found in known)
        high = sum(found["within"] > HIGH for found in known)
        lines.append(
            f"| {name} | {count} | {inside / count:.2f} | {len(known) - low - high} of "
            f"{len(known)} | {low} | {high} |"
        )
    return "\n".join(lines)


def _damaged(stored: Stored) -> str:
    """Return what came of damaged files."""
    found = stored.get("hostile")
    title = "## Damaged files\n"
    if not found:
        return f"{title}\nNot measured yet: `python -m accuracy hostile --write`."
    damages = found["damages"]
    shown = sum(row["shown"] for row in damages.values())
    wrong = sum(row["wrong"] for row in damages.values())
    files = sum(row["wrong_files"] for row in damages.values())
    lines = [
        title,
        f"`python -m accuracy hostile --files {found['files']} --seed "
        f"{found['seed']}`, method version {found['method_version']}: of {shown} "
        f"numbers shown, {wrong} are off by more than three",
        f"stated uncertainties without being flagged, in {files} files. The limits "
        "were chosen on other seeds. A number is left out if it is missing, flagged,",
        "or from a swing of poor quality. `--replay SEED:FILE` shows one file.\n",
        "| damage | files | shown | left out | wrong, not flagged | in files | which |",
        "| --- | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    if found.get("note"):
        lines.insert(4, f"{found['note']}\n")
    for damage, row in damages.items():
        metrics = ", ".join(f"`{name}` {count}" for name, count in row["metrics"])
        lines.append(
            f"| {damage} | {row['files']} | {row['shown']} | {row['left_out']} | "
            f"{row['wrong']} | {row['wrong_files']} | {metrics or '–'} |"
        )
    return "\n".join(lines)


def write(stored: Stored, file: Path = FILE) -> None:
    """Write the document."""
    head = HEAD.format(
        version=stored["method_version"],
        swings=stored["swings"],
        hitters=len(NUMBERS),
        energy_noise=ENERGY_NOISE * 100.0,
        rates=", ".join(f"{rate:g}" for rate in RATES_HZ),
        noise=", ".join(f"{noise:g}" for noise in NOISE_MM),
    )
    parts = [
        head.rstrip(),
        _damaged(stored),
        _calibration(stored),
        _real(stored),
        *_kinds(stored),
        _noise(stored),
        _order(stored),
    ]
    file.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
