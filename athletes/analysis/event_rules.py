"""Events of movements, and which swings may meet on one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from athletes.models import Movement


def event_time(events: Mapping[str, Any], name: str) -> float | None:
    """When an event is, on the clock of the file."""
    time_s = (events.get(name) or {}).get("time_s")
    return None if time_s is None else float(time_s)


def event_rules(movement: Movement) -> dict[str, str]:
    """The rule behind each event.

    Where a person moved one it is the rule of the automatic one: the event is still
    the same, only better placed.
    """
    rules = {}
    for name, entry in movement.events.items():
        rule = str((entry or {}).get("rule") or "")
        if rule == "manual":
            automatic = (movement.automatic_events or {}).get(name) or {}
            rule = str(automatic.get("rule") or "")
        rules[name] = rule
    return rules


def commonest(rules: Iterable[str]) -> str:
    """The rule of most swings; of several the first by name, so that it is stable."""
    counts = Counter(rules)
    return min(counts, key=lambda rule: (-counts[rule], rule)) if counts else ""
