"""Differences between two recordings, without what may differ.

Left out of both sides are script tags that name a file, preloads of scripts, and the
hash in the name of a static file. Data that a page carries inside a script tag stays.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SCRIPT_TAG = re.compile(
    r"""[ \t]*(?:<script\b[^>]*\ssrc=[^>]*>\s*</script>"""
    r"""|<link\b[^>]*\brel=["']?modulepreload\b[^>]*>)[ \t]*\n?"""
)
HASHED_ASSET = re.compile(
    r"(/static/[^\s\"'()<>?#]*?)\.[0-9a-f]{8,16}(?=\.[A-Za-z0-9.]+)"
)
# Lines longer than this are cut into pieces, so that a difference can be read.
LONG_LINE = 160
BETWEEN_TAGS = re.compile(r"(?<=>)(?=<)")
BETWEEN_VALUES = re.compile(r"(?<=,)(?=[\"{\[])")
REPLACED_BY = " => "


@dataclass(frozen=True)
class Ignored:
    """Differences that a change may make: lines to overlook, and replaced texts."""

    lines: tuple[re.Pattern[str], ...] = ()
    replaced: tuple[tuple[re.Pattern[str], str], ...] = ()

    @classmethod
    def read(cls, path: Path) -> Ignored:
        """The rules of a file; raises ValueError where a line is no pattern.

        Each line is a regular expression: a changed line that it is found in is no
        difference. `PATTERN => TEXT` is stricter: the first recording is read as if
        TEXT stood wherever PATTERN is found. Empty lines and lines with # are notes.
        """
        lines, replaced = [], []
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            pattern, arrow, text = line.partition(REPLACED_BY)
            try:
                compiled = re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{path}, line {number}: {error}.") from error
            if arrow:
                replaced.append((compiled, text))
            else:
                lines.append(compiled)
        return cls(tuple(lines), tuple(replaced))

    def overlooks(self, line: str) -> bool:
        """Whether a changed line is one of those listed."""
        return any(pattern.search(line) for pattern in self.lines)

    def as_after(self, text: str) -> str:
        """A text of the first recording with the listed texts replaced."""
        for pattern, replacement in self.replaced:
            text = pattern.sub(lambda _, new=replacement: new, text)  # type: ignore[misc]
        return text


def normalized(text: str) -> str:
    """The answer without script tags and without hashes in names of static files."""
    return HASHED_ASSET.sub(r"\1", SCRIPT_TAG.sub("", text))


def readable_lines(text: str) -> list[str]:
    """The lines of an answer, long ones in pieces that end at tags and values."""
    return [piece for line in text.splitlines() for piece in _pieces(line)]


def _pieces(line: str) -> Iterator[str]:
    if len(line) <= LONG_LINE:
        yield line
        return
    for part in BETWEEN_TAGS.split(line):
        for piece in BETWEEN_VALUES.split(part) if len(part) > LONG_LINE else [part]:
            for start in range(0, max(1, len(piece)), LONG_LINE):
                yield piece[start : start + LONG_LINE]


def difference(before: str, after: str, ignored: Ignored, name: str = "") -> list[str]:
    """Lines of the unified diff of two answers; none where only listed lines differ."""
    before, after = normalized(ignored.as_after(before)), normalized(after)
    if before == after:
        return []
    old, new = readable_lines(before), readable_lines(after)
    if old == new:
        return [f"{name}: differs only in the ends of lines"]
    lines = list(difflib.unified_diff(old, new, name, name, lineterm="", n=1))
    changed = [line for line in lines[2:] if line.startswith(("+", "-"))]
    if all(ignored.overlooks(line[1:]) for line in changed):
        return []
    return [
        line
        for line in lines
        if line in lines[:2]
        or not line.startswith(("+", "-"))
        or not ignored.overlooks(line[1:])
    ]


def differences(
    before: Path, after: Path, ignored: Ignored
) -> Iterator[tuple[str, list[str]]]:
    """Name and diff of every answer that differs, or that only one recording has."""
    names = [
        {str(path.relative_to(folder)) for path in folder.rglob("*.txt")}
        for folder in (before, after)
    ]
    for name in sorted(names[0] | names[1]):
        if name not in names[1]:
            yield name, [f"{name}: only in the first recording"]
        elif name not in names[0]:
            yield name, [f"{name}: only in the second recording"]
        else:
            texts = [(folder / name).read_text("utf-8") for folder in (before, after)]
            found = difference(texts[0], texts[1], ignored, name)
            if found:
                yield name, found


def compare(before: Path, after: Path, ignored: Ignored, *, most_lines: int) -> int:
    """Print the differences; 0 where there are none, else 1.

    Two empty recordings are a difference: they prove nothing.
    """
    asked = sum(1 for _ in before.rglob("*.txt"))
    if not asked:
        print(f"There is no recording in {before}: make one with `record`.")
        return 1
    count = 0
    for _, lines in differences(before, after, ignored):
        count += 1
        print("\n".join(_first(lines, most_lines)), end="\n\n")
    print(f"{count} of {asked} answers differ.")
    return 1 if count else 0


def _first(lines: Sequence[str], most: int) -> list[str]:
    more = len(lines) - most
    return [*lines[:most], *([f"… {more} more lines"] if more > 0 else [])]
