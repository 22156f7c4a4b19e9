"""Metrics of one swing: time of one core, and memory over many.

    python -m benchmarks.bench_metrics [--swings 10000] [--repeats 200]

A swing of 600 frames at 240 Hz with angles, bat and energies is analyzed. For
comparison the same filters are run the plain way: designed and run again for every
metric that reads a filtered point.
"""

from __future__ import annotations

import argparse
import gc
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scipy.signal import butter, sosfiltfilt

from benchmarks.results import Report, Result
from biomechanics.definitions import METRICS
from biomechanics.swing import analyze_swing
from tests.biomechanics.synthetic import make_swing

LIMIT_MS = 25.0
GROWTH_MB = 20.0
# Points that a metric of each part reads: what a function per metric would filter.
POINTS_READ = {
    "pelvis": 2,
    "torso": 2,
    "lead_arm": 3,
    "hands": 2,
    "bat": 2,
    "separation": 4,
    "legs": 3,
    "head": 1,
    "body": 4,
}


def per_call_ms(call: Callable[[], Any], repeats: int) -> float:
    """Processor time of one call, the best of five rounds."""
    call()
    best = float("inf")
    for _ in range(5):
        start = time.process_time()
        for _ in range(repeats):
            call()
        best = min(best, (time.process_time() - start) / repeats * 1000.0)
    return best


def resident_mb() -> float:
    """Memory in use now."""
    with open("/proc/self/statm") as file:  # noqa: PTH123 - a kernel file
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


@dataclass(frozen=True)
class Found:
    """What was measured."""

    frames: int
    ours_ms: float
    plain_ms: float
    swings: int
    seconds: float
    before_mb: float
    grown_mb: float


def measure(count: int, repeats: int) -> Found:
    """Return how long the numbers of one swing take, and the memory used."""
    swings = [
        make_swing(
            length_s=599 / 240, noise_m=0.001, seed=seed, vendor_clock=bool(seed % 2)
        )
        for seed in range(4)
    ]

    def analyze(place: int) -> None:
        swing = swings[place % len(swings)]
        analyze_swing(
            kinematics=swing.columns,
            energetics=swing.energetics,
            bats="right",
            height_m=1.8,
            mass_kg=80.0,
        )

    columns = swings[0].columns
    walk = [name for name in columns if name.endswith(("_x", "_y", "_z"))]

    def filter_per_metric() -> None:
        for metric in METRICS.values():
            if metric.needs == "energetics":
                continue
            for place in range(3 * POINTS_READ[metric.part]):
                sos = butter(2, 15.0, fs=240.0, output="sos")
                sosfiltfilt(sos, columns[walk[place % len(walk)]], padlen=60)

    ours = per_call_ms(lambda: analyze(0), repeats)
    plain = per_call_ms(filter_per_metric, max(repeats // 10, 1))
    for place in range(200):
        analyze(place)
    gc.collect()
    before = resident_mb()
    start = time.perf_counter()
    for place in range(count):
        analyze(place)
    taken = time.perf_counter() - start
    gc.collect()
    return Found(
        frames=columns["time"].size,
        ours_ms=ours,
        plain_ms=plain,
        swings=count,
        seconds=taken,
        before_mb=before,
        grown_mb=resident_mb() - before,
    )


def run(is_quick: bool) -> Report:
    """For `make bench`."""
    found = measure(500, 10) if is_quick else measure(4000, 40)
    return Report(
        "bench_metrics",
        "Numbers of one swing",
        f"Swings of {found.frames} frames at 240 Hz with angles, bat and energies",
        (
            Result(
                "everything of one swing, one core",
                f"{found.ours_ms:.1f} ms",
                f"the filters alone, again for each metric: {found.plain_ms:.1f} ms",
                found.plain_ms / found.ours_ms,
                f"under {LIMIT_MS:.0f} ms",
                found.ours_ms < LIMIT_MS,
            ),
            Result(
                f"memory after {found.swings} swings",
                f"{found.grown_mb:+.1f} MB",
                f"before: {found.before_mb:.0f} MB",
                (found.before_mb + found.grown_mb) / found.before_mb,
                f"grows by less than {GROWTH_MB:.0f} MB",
                found.grown_mb < GROWTH_MB,
            ),
        ),
    )


def main() -> int:
    """Run and print; status 1 when a limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--swings", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=40)
    options = parser.parse_args()
    found = measure(options.swings, options.repeats)
    print(
        f"one swing, {found.frames} frames at 240 Hz, everything: "
        f"{found.ours_ms:.2f} ms of one core"
    )
    print(f"only the filters, designed and run per metric:    {found.plain_ms:.2f} ms")
    print(f"ratio: {found.plain_ms / found.ours_ms:.1f}")
    print(
        f"{found.swings} swings: {found.seconds:.0f} s, memory "
        f"{found.before_mb:.0f} MB before, {found.grown_mb:+.1f} MB after"
    )
    broken = found.ours_ms > LIMIT_MS or found.grown_mb > GROWTH_MB
    print(
        f"limits (under {LIMIT_MS:.0f} ms, under {GROWTH_MB:.0f} MB growth): "
        f"{'broken' if broken else 'kept'}"
    )
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
