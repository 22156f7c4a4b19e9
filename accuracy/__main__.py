"""Hold the numbers against known truth: `make accuracy`.

python -m accuracy [--jobs 2] measure all, write docs/accuracy.md
python -m accuracy check      repeat a small part, fail on drift (make check)
python -m accuracy calibrate  fit the uncertainties again
python -m accuracy [--jobs 2] hostile [--files 2000] [--seed 1]
python -m accuracy hostile --write      the same, and put the outcome into the document
python -m accuracy hostile --replay SEED:FILE
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import sys
import time

from accuracy import calibrate, document, hostile, stored
from accuracy.measure import NUMBERS, cases, measure, measure_small
from accuracy.real import are_at_hand, measure_real


def write_all(*, jobs: int) -> int:
    """Measure everything in so many processes, and write both files."""
    start = time.monotonic()
    real = measure_real() if are_at_hand() else None
    if real is None:
        print("No real swings were found beside the project: their stored rows stay.")
    # A swing and its mirror image have the same numbers but for noise.
    measured = measure(cases(NUMBERS, both_sides=False), jobs=jobs)
    found = stored.as_stored(measured, measure_small(), real, stored.read())
    stored.write(found)
    document.write(found)
    print(
        f"{found['swings']} swings, {time.monotonic() - start:.0f} s: "
        "docs/accuracy.md and dashboard/accuracy.json are written."
    )
    return 0


def check() -> int:
    """Repeat the small part; status 1 when a number drifted."""
    before = stored.read()
    if before is None:
        print("The accuracy was never measured: run make accuracy.")
        return 1
    problems = stored.drifted(before, measure_small())
    for problem in problems:
        print(problem)
    if problems:
        print(
            "Numbers changed, but the method version did not. Raise METHOD_VERSION "
            "(biomechanics/definitions.py) and run make accuracy, or undo the change."
        )
    return 1 if problems else 0


def damaged(seed: int, files: int, *, jobs: int, keep: bool) -> int:
    """Analyze damaged files; status 1 when a number is wrong and does not say so."""
    cuts = [round(files * part / jobs) for part in range(jobs + 1)]
    with multiprocessing.Pool(jobs) as pool:
        parts = pool.starmap(
            hostile.run,
            [(seed, end - start, start) for start, end in itertools.pairwise(cuts)],
        )
    report = hostile.together(parts)
    print(hostile.as_text(report))
    if keep:
        found = stored.read() or {}
        found["hostile"] = hostile.as_stored(report)
        stored.write(found)
        document.write(found)
    return 1 if report.wrong else 0


def main() -> int:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="python -m accuracy")
    parser.add_argument("--jobs", type=int, default=1, help="processes to run it in")
    commands = parser.add_subparsers(dest="command")
    fit = commands.add_parser("calibrate", help="fit the constants of uncertainties")
    fit.add_argument("--scales", action="store_true", help="fit their scales alone")
    commands.add_parser("check", help="repeat a small part and fail on drift")
    hurt = commands.add_parser("hostile", help="damaged files against the clean truth")
    hurt.add_argument("--files", type=int, default=2000)
    hurt.add_argument("--seed", type=int, default=1)
    hurt.add_argument("--write", action="store_true", help="into docs/accuracy.md")
    hurt.add_argument("--replay", metavar="SEED:FILE", help="show one file's numbers")
    options = parser.parse_args()
    if options.command == "calibrate":
        calibrate.run(only_scales=options.scales)
        return 0
    if options.command == "check":
        return check()
    if options.command == "hostile":
        if options.replay:
            seed, _, place = options.replay.partition(":")
            print(hostile.replay(int(seed), int(place)))
            return 0
        return damaged(
            options.seed, options.files, jobs=options.jobs, keep=options.write
        )
    return write_all(jobs=options.jobs)


if __name__ == "__main__":
    sys.exit(main())
