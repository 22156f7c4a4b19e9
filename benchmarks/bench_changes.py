"""How often a change is called real: where nothing changed, and where something did.

    python -m benchmarks bench_changes [--quick]

Invented athletes with known scatter (tests/biomechanics/invented_sessions.py): eleven
numbers correlated by 0.3, within sessions and between, 5 to 12 swings a session.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from multiprocessing import Pool

import numpy as np

from benchmarks.results import Report, Result
from biomechanics.change import FALSE_DISCOVERIES, changes
from tests.biomechanics.invented_sessions import (
    METRIC_IDS,
    Case,
    draw_athlete,
    looks_of,
    share_real,
)

MOST_FALSE = 0.12
LIMIT_MS = 2.0
RATIOS = (0.0, 0.35, 0.7, 1.1)
#: Each metric has a ratio of its own.
MIXED = tuple(RATIOS[k % len(RATIOS)] for k in range(len(METRIC_IDS)))
FACILITY = 20


def cases() -> Iterator[tuple[str, Case, float | None]]:
    """Return what is simulated, and the least share to be found of a true change.

    Without a true change it is None, and a case of the proof has a bar all the same;
    a bar of -1 stands for none.
    """
    for others, where in ((0, "new facility"), (FACILITY, f"{FACILITY} others")):
        for ratio in RATIOS:
            for sessions in (3, 4, 6, 10):
                yield (
                    f"{where}, ratio {ratio}, {sessions} sessions",
                    Case(ratio, sessions, others=others),
                    None,
                )
        for ratio in RATIOS:
            yield (
                f"{where}, ratio {ratio}, 5 sessions, 30 % of values missing",
                Case(ratio, 5, others=others, missing=0.3),
                None,
            )
        for text, case in (
            ("ratios 0 to 1.1 by metric", Case(MIXED, 6, others=others)),
            ("heavy tails", Case(0.7, 6, others=others, heavy_tails=True)),
        ):
            yield f"{where}, {text}, 6 sessions", case, -1.0
        for ratio, shift, bar in ((0.35, 2.0, 0.75), (0.7, 3.0, 0.60)):
            yield (
                f"{where}, ratio {ratio}, one number shifted by {shift:g} SD",
                Case(ratio, 6, shift=shift, others=others),
                bar,
            )
        # All numbers rise by half a standard deviation within sessions each time.
        yield (
            f"{where}, ratio 0.35, all trend by 0.5 SD a session",
            Case(0.35, 10, others=others, trend=0.5),
            -1.0,
        )


def one_row(task: tuple[str, Case, float | None, int]) -> Result:
    """Simulate one case."""
    text, case, bar, athletes = task
    any_real, first = share_real(case, athletes=athletes, seed=2026)
    if bar is None:
        return Result(
            f"{text}: lists with a false change",
            f"{any_real:.1%}",
            bar=f"at most {MOST_FALSE:.0%}",
            is_met=any_real <= MOST_FALSE,
        )
    if bar < 0:
        return Result(f"{text}: lists with a change", f"{any_real:.1%}")
    return Result(
        f"{text}: found",
        f"{first:.1%}",
        bar=f"at least {bar:.0%}",
        is_met=first >= bar,
    )


def milliseconds() -> float:
    """Processor time of the verdicts on one athlete's list, the best of five rounds."""
    case = Case(0.7, 10)
    looks = looks_of(draw_athlete(np.random.default_rng(1), case), [None] * 11)
    changes(looks)
    best = float("inf")
    for _ in range(5):
        start = time.process_time()
        for _ in range(50):
            changes(looks)
        best = min(best, (time.process_time() - start) / 50 * 1000)
    return best


def run(is_quick: bool) -> Report:
    """For `make bench`."""
    spent = milliseconds()
    athletes = 200 if is_quick else 2000
    with Pool() as pool:
        rows = pool.map(one_row, [(*case, athletes) for case in cases()], chunksize=1)
    return Report(
        "bench_changes",
        "Real changes",
        f"{athletes} invented athletes a row, {len(METRIC_IDS)} numbers correlated by"
        f" 0.3, 5 to 12 swings; ratio: scatter between days over that within a session;"
        f" false discoveries held at {FALSE_DISCOVERIES:.0%}",
        (
            Result(
                f"verdicts on {len(METRIC_IDS)} numbers, 10 sessions",
                f"{spent:.2f} ms",
                bar=f"under {LIMIT_MS:g} ms",
                is_met=spent < LIMIT_MS,
            ),
            *rows,
        ),
    )
