"""Words for events, their rules and the reasons of a quality grade.

Pages, JSON and the admin say them the same way.
"""

from __future__ import annotations

from collections.abc import Sequence

# Name, short label in charts, and what the event is.
EVENTS: dict[str, tuple[str, str, str]] = {
    "load": ("Load", "load", "The pelvis is at its most closed."),
    "first_move": ("First move", "FM", "The pelvis begins its turn."),
    "foot_down": (
        "Foot down",
        "FD",
        "The lead foot comes down; full weight is on it later.",
    ),
    "peak_hand_speed": ("Peak hand speed", "peak hand", "The hands are fastest."),
    "bat_peak": ("Peak bat speed", "peak bat", "The sweet spot is fastest."),
    "contact": ("Contact", "contact", "The bat meets the ball."),
    "reference": ("Reference", "REF", "The instant from which times are counted."),
}


# Those that a person may see better than a rule. What is fastest is a matter of
# measurement, and is moved as the reference where it is that.
MOVABLE = ("load", "first_move", "foot_down", "reference")


_RULES = {
    "contact": "the vendor's contact event",
    "bat_peak": "the sweet spot at its fastest",
    "hand_peak": "the hands at their fastest",
    "pelvis_rate_15_percent": "the pelvis turns faster than 15 % of its peak",
    "pelvis_most_closed": "the pelvis is most closed before first move",
    "ankle_settles": "the lead ankle comes to rest after falling",
    "vendor_norm_time": "the vendor's foot down (norm_time 0)",
    "manual": "set by a person",
    "none": "not found",
}


_CONFIDENCE = {
    "vendor": "given by the vendor",
    "rule": "found by rule",
    "low": "doubtful: a check failed",
    "manual": "set by a person",
}


def rule_in_words(rule: str) -> str:
    """The rule that found an event, as the page says it."""
    return _RULES.get(rule, rule.replace("_", " "))


def reason_texts(reasons: Sequence[object]) -> tuple[str, ...]:
    """The sentences of a movement's quality reasons."""
    return tuple(
        str(reason.get("text") or reason.get("code") or "")
        if isinstance(reason, dict)
        else str(reason)
        for reason in reasons
    )


_NUMBERS = (
    *("no", "one", "two", "three", "four", "five"),
    *("six", "seven", "eight", "nine", "ten"),
)


def spelled(number: int) -> str:
    """Small numbers as words, as they stand in a sentence."""
    return _NUMBERS[number] if 0 <= number < len(_NUMBERS) else str(number)
