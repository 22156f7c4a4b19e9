"""When the events of a swing are, and by which rule each was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from athletes.models import Movement
from biomechanics.basis import parts_in, without_setup


def event_time(events: Mapping[str, Any], name: str) -> float | None:
    """The time of an event in seconds on the clock of the file; None without one."""
    time_s = (events.get(name) or {}).get("time_s")
    return None if time_s is None else float(time_s)


def event_rule(movement: Movement, event: str) -> str:
    """The rule by which an event of this movement was found; empty without one.

    Where a person moved the event it is the rule of the automatic one: the event is
    still the same, only better placed.
    """
    entry = movement.events.get(event) or {}
    if entry.get("rule") == "manual":
        entry = (movement.automatic_events or {}).get(event) or entry
    return str(entry.get("rule") or "")


def event_rules(movement: Movement) -> dict[str, str]:
    """The rule of each event of a movement, as `event_rule` gives it."""
    return {name: event_rule(movement, name) for name in movement.events}


def rule_in_basis(basis: str) -> str:
    """The rule of the event that a basis names first: the reference, else foot down.

    Before version 2026.2 of the method the stored basis was such a rule alone.
    """
    parts = parts_in(basis)
    if not parts:
        return without_setup(basis)
    return parts.get("reference") or parts.get("foot_down") or ""


def commonest(rules: Iterable[str]) -> str:
    """The rule of most swings; of several the first by name, so that it is stable."""
    counts = Counter(rules)
    return min(counts, key=lambda rule: (-counts[rule], rule)) if counts else ""
