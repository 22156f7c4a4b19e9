"""Runs the benchmarks: `make bench`.

    python -m benchmarks [NAME ...] [--quick] [--no-write]

Every `benchmarks/bench_*.py` runs in a process of its own, one after another, so
that none meets the memory or the imports of another. Each prints its part of
docs/benchmarks.md (data, date, commit, machine, table) and, unless told not to, puts
it there; the parts of others stay. The exit
status is 1 when a benchmark broke, and 0 where only a bar is missed: a slow
machine is no broken program, and the table says it.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.results import DOCUMENT, ROOT, Report, section, write_document

#: Order of the document; what is not named comes after.
ORDER = (
    "bench_frames",
    "bench_reader",
    "bench_ingest",
    "bench_metrics",
    "bench_changes",
    "bench_sync",
    "bench_pages",
    "bench_page_processor",
    "bench_browser",
    "bench_first_picture",
    "bench_cold",
    "bench_lighthouse",
)
#: Runs when asked for by name: it needs Node (`make lighthouse`).
BY_NAME_ALONE = {"bench_lighthouse"}


def names() -> list[str]:
    """Return the names of all benchmarks."""
    found = {path.stem for path in Path(__file__).parent.glob("bench_*.py")}
    return [name for name in ORDER if name in found] + sorted(found - set(ORDER))


def run_here(name: str, *, is_quick: bool, into: Path) -> None:
    """In the child: measure, and leave the report in a file."""
    report: Report = importlib.import_module(f"benchmarks.{name}").run(is_quick)
    into.write_text(json.dumps(report.as_json()), encoding="utf-8")


def run_apart(name: str, *, is_quick: bool) -> Report | None:
    """The report of one benchmark; None when it broke."""
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder) / "report.json"
        command = [sys.executable, "-m", "benchmarks", "--child", name]
        command += ["--into", str(into), *(["--quick"] if is_quick else [])]
        environment = {
            key: value
            for key, value in os.environ.items()
            # A developer's own settings must not change what is measured.
            if not key.startswith("REBOOT_")
            and key not in {"DATABASE_URL", "DEBUG", "REDIS_URL", "HTTPS"}
        }
        done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
        if done.returncode != 0 or not into.exists():
            return None
        return Report.from_json(json.loads(into.read_text(encoding="utf-8")))


def main(arguments: list[str] | None = None) -> int:
    """Run the named benchmarks, write their tables, return the exit status."""
    parser = argparse.ArgumentParser(prog="benchmarks")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names()))
    parser.add_argument("--quick", action="store_true", help="smaller data")
    parser.add_argument("--no-write", action="store_true", help="only print")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.child:
        run_here(options.names[0], is_quick=options.quick, into=options.into)
        return 0
    wanted = options.names or [n for n in names() if n not in BY_NAME_ALONE]
    unknown = sorted(set(wanted) - set(names()))
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}")
    broken, missed = [], []
    for name in wanted:
        print(f"\n=== {name}", flush=True)
        began = time.monotonic()
        report = run_apart(name, is_quick=options.quick)
        if report is None:
            print(f"{name} broke; see the lines above.", file=sys.stderr)
            broken.append(name)
            continue
        seconds = time.monotonic() - began
        text = section(report, is_quick=options.quick, seconds=seconds)
        print(f"\n{text}", flush=True)
        missed += [row.what for row in report.results if row.is_met is False]
        if not options.no_write:
            # Written at once: what is measured is kept if a later one breaks.
            write_document({name: text}, names())
    if not options.no_write:
        print(f"\nWritten to {DOCUMENT.relative_to(ROOT)}.")
    for what in missed:
        print(f"Bar not met: {what}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
