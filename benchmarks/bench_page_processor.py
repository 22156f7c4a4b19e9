"""Processor time of the web process for each page, beside an earlier commit.

    python -m benchmarks bench_page_processor [--quick]
    python -m benchmarks.bench_page_processor [--against COMMIT]

The whole application answers in one process, without a web server: as the server has
it, the objects of the start frozen, answers compressed. SQLite, what a sync of a
simulator brings. The earlier commit is checked out beside it, synced with the same
simulator, and asked in turn for the same pages, so that a loaded machine is as loaded
for both: only the ratio counts. Where that commit is not at hand (a copy without
history) a plain table of Django's own is the measure, and the bars are milliseconds.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.page_requests import WHICH, YARDSTICK
from benchmarks.product import filled
from benchmarks.results import ROOT, Report, Result, section

#: The commit at which the goals were set, and what each page took there, ms.
START = "91a9b9b"
GOALS_MS = {
    "home": (35, 20),
    "athletes": (33, 20),
    "athlete": (40, 20),
    "session": (96, 35),
    "swing": (71, 35),
    "comparison": (46, 20),
}
HTML_BAR_KB = {"swing": 120}
PLAYERS, SESSIONS, SWINGS = 30, 35, 8
WARM, ROUNDS = 3, 9
Json = dict[str, Any]


@dataclass
class Tree:
    """One commit's application, and what was found of its pages."""

    process: subprocess.Popen[str]
    looked: Json = field(default_factory=dict)

    def ask(self, line: str) -> Json:
        """Send an address or a word; return what it cost."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        told = self.process.stdout.readline()
        if not told:
            raise SystemExit(f"The process that was asked for {line} ended.")
        found: Json = json.loads(told)
        if found.get("status", 200) != 200:
            raise SystemExit(f"{line} answers {found['status']}.")
        return found


@contextmanager
def tree(root: Path, folder: Path, shape: dict[str, int]) -> Iterator[Tree]:
    """Fill a database by the source in `root`, and have it answer."""
    environment = filled(folder, root=root, **shape) | {"PYTHONPATH": str(root)}
    process = subprocess.Popen(
        # Not the folder of the file: what is measured is the source in `root`.
        [sys.executable, "-P", str(Path(__file__).with_name("page_requests.py"))],
        cwd=root,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        answering = Tree(process)
        answering.looked = answering.ask(WHICH)
        yield answering
    finally:
        process.kill()
        process.wait()


@contextmanager
def checked_out(commit: str) -> Iterator[Path | None]:
    """A folder with the source of a commit; None where it is not at hand."""
    folder = Path(tempfile.mkdtemp(prefix="bench-commit-"))
    added = subprocess.run(
        ["git", "worktree", "add", "--detach", "--force", str(folder / "tree"), commit],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        yield folder / "tree" if added.returncode == 0 else None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if added.returncode == 0:
            subprocess.run(["git", "worktree", "prune"], cwd=ROOT, check=False)


def in_turn(trees: list[Tree], page: str, rounds: int) -> list[list[Json]]:
    """Ask each tree for its page, in turn; what it cost after the first few."""
    found: list[list[Json]] = [[] for _ in trees]
    for round_ in range(WARM + rounds):
        for one, costs in zip(trees, found, strict=True):
            cost = one.ask(one.looked["pages"][page])
            if round_ >= WARM:
                costs.append(cost)
    return found


def row(
    page: str, now: list[Json], before: list[Json], plain_ms: float
) -> list[Result]:
    """The rows of one page: what it costs, and where there is a bar how long it is."""
    ms = median(one["ms"] for one in now)
    html_kb = now[-1]["bytes"] / 1e3
    was, wanted = GOALS_MS[page]
    what = f"{page}: {now[-1]['queries']} queries, {html_kb:.0f} kB of HTML"
    if before:
        before_ms = median(one["ms"] for one in before)
        against = f"{before_ms:.1f} ms, {before[-1]['queries']} queries"
        ratio, bar = ms / before_ms, wanted / was
        result = Result(
            what, f"{ms:.1f} ms", against, ratio, f"at most {bar:.2f}", ratio <= bar
        )
    else:
        against = f"a table of 2 000 numbers: {plain_ms:.1f} ms"
        bar_words = f"at most {wanted} ms"
        result = Result(
            what, f"{ms:.1f} ms", against, ms / plain_ms, bar_words, ms <= wanted
        )
    rows = [result]
    if limit := HTML_BAR_KB.get(page):
        is_met = html_kb <= limit
        kb = f"{html_kb:.0f} kB"
        compressed = f"compressed: {now[-1]['sent'] / 1e3:.1f} kB"
        rows.append(
            Result(f"{page}: HTML", kb, compressed, None, f"at most {limit} kB", is_met)
        )
    return rows


def measure(against: str, rounds: int, shape: dict[str, int]) -> Report:
    """Ask both commits for each page in turn."""
    with ExitStack() as stack:
        there = stack.enter_context(checked_out(against)) if against else None
        roots = [ROOT, *([there] if there else [])]
        trees = []
        for root in roots:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            trees.append(stack.enter_context(tree(root, Path(folder), shape)))
        rows = []
        for page in GOALS_MS:
            plain = [trees[0].ask(YARDSTICK)["ms"] for _ in range(rounds)]
            now, *before = in_turn(trees, page, rounds)
            rows += row(page, now, before[0] if before else [], median(plain))
        looked = trees[0].looked
    beside = f", in turn with commit {against}" if there else ""
    return Report(
        "bench_page_processor",
        "Processor time of pages, one client",
        f"The whole application in one process, SQLite, {looked['athletes']} athletes,"
        f" {looked['sessions']} sessions, {looked['movements']} movements, a session"
        f" of {looked['swings']} swings; processor time of a request, median of"
        f" {rounds} after {WARM} of the same address{beside}",
        tuple(rows),
    )


def run(is_quick: bool) -> Report:
    """For `make bench`."""
    shape = {"players": PLAYERS, "sessions": SESSIONS, "swings": SWINGS}
    if is_quick:
        shape = {"players": 8, "sessions": 10, "swings": SWINGS}
    return measure(START, ROUNDS, shape)


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", default=START, help="a commit; '' for none")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    shape = {"players": PLAYERS, "sessions": SESSIONS, "swings": SWINGS}
    found = measure(options.against, options.rounds, shape)
    print(section(found, is_quick=False, seconds=0))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
