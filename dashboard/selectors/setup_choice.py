"""The setups that lists can be narrowed to, as an address holds them."""

from __future__ import annotations

from athletes.models import Condition

#: In an address, for sessions whose setup nobody has recorded.
NO_SETUP = "none"

SETUP_CHOICES: list[tuple[str, str]] = [
    ("", "Any"),
    *Condition.choices,
    (NO_SETUP, "No setup recorded"),
]


def setup_of(asked: str) -> str:
    """The setup as sessions and swings store it; empty is none recorded."""
    return "" if asked == NO_SETUP else asked
