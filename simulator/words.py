"""Long lists of short names, readable in the source."""

from __future__ import annotations


def words(text: str) -> tuple[str, ...]:
    """The blank-separated words of a text."""
    return tuple(text.split())
