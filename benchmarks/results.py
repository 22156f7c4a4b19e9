"""What every benchmark gives back, and the document that holds it."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "benchmarks.md"
#: What stands below is written by hand and kept.
MARKER = "## Where a bar is not met, and why"

HEAD = """\
# Benchmarks

`make bench` writes this page; `make bench ARGS="bench_frames --quick"` runs one part,
on smaller data. Every number is a ratio against something measured in the same run:
seconds of a shared machine say little, ratios hold better. A row without a bar is
there to be watched.
"""


@dataclass(frozen=True)
class Result:
    """One row: what was measured, against what, and the bar.

    `ratio` is how much better than, or how many times, `against`: the sentence in
    `bar` says which. `is_met` is None where there is no bar.
    """

    what: str
    measured: str
    against: str = "–"
    ratio: float | None = None
    bar: str = "–"
    is_met: bool | None = None


@dataclass(frozen=True)
class Report:
    """One benchmark: its rows, and what they were measured on."""

    name: str
    title: str
    data: str
    results: tuple[Result, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Report:
        """Return the report that `as_json` gave."""
        rows = tuple(Result(**row) for row in found["results"])
        return cls(found["name"], found["title"], found["data"], rows)


def table(results: Iterable[Result]) -> str:
    """Return the rows as a Markdown table."""
    lines = [
        "| what | measured | against | ratio | bar | met |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in results:
        ratio = "–" if row.ratio is None else f"{row.ratio:.3g}"
        met = {None: "–", True: "yes", False: "**no**"}[row.is_met]
        lines.append(
            f"| {row.what} | {row.measured} | {row.against} | {ratio} | {row.bar} |"
            f" {met} |"
        )
    return "\n".join(lines)


def machine() -> str:
    """Cores, memory and Python, in one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{len(os.sched_getaffinity(0))} cores ({platform.machine()}), "
        f"{memory:.0f} GB, {platform.system()}, "
        f"{platform.python_implementation()} {platform.python_version()}"
    )


def commit() -> str:
    """The commit, and whether the source differs from it."""

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", *words], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        name = git("rev-parse", "--short=10", "HEAD")
        changed = git("status", "--porcelain", "--untracked-files=no", "--", "*.py")
    except (OSError, subprocess.CalledProcessError):
        return "unknown commit"
    return f"commit {name}" + (" with changes" if changed else "")


def section(report: Report, *, is_quick: bool, seconds: float) -> str:
    """One benchmark's part of the document, between its own two marks."""
    date = datetime.now(UTC).date().isoformat()
    load = os.getloadavg()[0]
    note = "; **quick run, smaller data**" if is_quick else ""
    return (
        f"<!-- {report.name} -->\n"
        f"## {report.title}\n\n"
        f"{report.data}. `{report.name}`, {date}, {commit()}; {machine()}; "
        f"{seconds:.0f} s, load {load:.1f} at the end{note}.\n\n"
        f"{table(report.results)}\n"
        f"<!-- /{report.name} -->"
    )


def write_document(
    sections: dict[str, str], order: Sequence[str], document: Path = DOCUMENT
) -> None:
    """Put new sections in; those of benchmarks that did not run now stay."""
    text = document.read_text(encoding="utf-8") if document.exists() else ""
    _, _, by_hand = text.partition(MARKER)
    kept = {
        match["name"]: match[0]
        for match in re.finditer(
            r"<!-- (?P<name>bench_\w+) -->.*?<!-- /(?P=name) -->", text, re.DOTALL
        )
    }
    kept |= sections
    parts = [HEAD.rstrip(), *(kept[name] for name in order if name in kept)]
    body = "\n\n".join(parts)
    document.write_text(f"{body}\n\n{MARKER}{by_hand or chr(10)}", encoding="utf-8")
