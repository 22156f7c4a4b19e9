"""Hold the numbers against known truth: `make accuracy`.

python -m accuracy            measure all, write docs/accuracy.md
python -m accuracy check      repeat a small part, fail on drift (make check)
python -m accuracy calibrate        fit the constants of the uncertainties again
python -m accuracy hostile [--files 2000] [--seed 1]
python -m accuracy hostile --replay SEED:FILE
"""

from __future__ import annotations

import argparse
import sys
import time

from accuracy import calibrate, document, hostile, stored
from accuracy.measure import NUMBERS, cases, measure, measure_small
from accuracy.real import are_at_hand, measure_real


def write_all() -> int:
    """Measure everything and write the document and the file that pages read."""
    start = time.monotonic()
    before = stored.read()
    real = measure_real() if are_at_hand() else None
    if real is None:
        print("Real swings are not beside the project: their stored rows stay.")
    # A swing and its mirror image have the same numbers but for noise.
    measured = measure(cases(NUMBERS, both_sides=False))
    found = stored.as_stored(measured, measure_small(), real, before)
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
            "Numbers changed under one method version. Raise METHOD_VERSION "
            "(biomechanics/definitions.py) and run make accuracy, or undo the change."
        )
    return 1 if problems else 0


def main() -> int:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="python -m accuracy")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("calibrate", help="fit the constants of the uncertainties")
    commands.add_parser("check", help="repeat a small part and fail on drift")
    hurt = commands.add_parser("hostile", help="damaged files against the clean truth")
    hurt.add_argument("--files", type=int, default=2000)
    hurt.add_argument("--seed", type=int, default=1)
    hurt.add_argument("--replay", metavar="SEED:FILE", help="show one file's numbers")
    options = parser.parse_args()
    if options.command == "calibrate":
        calibrate.run()
        return 0
    if options.command == "check":
        return check()
    if options.command == "hostile":
        if options.replay:
            seed, _, place = options.replay.partition(":")
            print(hostile.replay(int(seed), int(place)))
            return 0
        report = hostile.run(options.seed, options.files)
        print(hostile.as_text(report))
        return 1 if report.wrong else 0
    return write_all()


if __name__ == "__main__":
    sys.exit(main())
