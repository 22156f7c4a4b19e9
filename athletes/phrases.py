"""Words for events, their rules, the bases of numbers and batting sides.

Pages, sheets and the admin say them the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from athletes.models import Condition
from biomechanics.basis import PARTS, parts_in, setup_in, without_setup
from biomechanics.metrics.values import FOOT_DOWN_WORDS, REFERENCE_WORDS

#: For each event its name, its short label in charts, and a sentence that defines it.
EVENTS: dict[str, tuple[str, str, str]] = {
    "load": ("Load", "Load", "The pelvis is at its most closed."),
    "first_move": ("First move", "Move", "The pelvis starts to rotate."),
    "foot_down": (
        "Foot down",
        "Foot down",
        "The lead foot is down and bears full weight, about 40 ms after its first "
        "touch.",
    ),
    "peak_hand_speed": ("Peak hand speed", "Peak hand", "The hands are fastest."),
    "bat_peak": ("Peak bat speed", "Peak bat", "The sweet spot is fastest."),
    "contact": ("Contact", "Contact", "The bat meets the ball."),
    "reference": (
        "Contact",
        "Contact",
        "The bat meets the ball. Where that was not measured, peak bat speed stands in "
        "(est.); without a tracked bat, peak hand speed does, and is named so.",
    ),
}

#: Events that a person may move, because a person may see them better than a rule. A
#: peak is a matter of measurement; where it is the reference, the reference is moved.
MOVABLE = ("load", "first_move", "foot_down", "reference")

_FOUND_BY = {
    "contact": "Reboot Motion's contact event",
    "bat_impact": "the bat loses speed at the ball",
    "bat_peak": "the sweet spot at its fastest",
    "hand_peak": "the hands at their fastest",
    "pelvis_rate_15_percent": "the pelvis rotates faster than 15% of its peak",
    "pelvis_most_closed": "the pelvis is most closed before first move",
    "ankle_settles": "the lead ankle comes to rest after falling",
    "vendor_norm_time": "Reboot Motion's foot down (norm_time 0)",
    "manual": "set by a coach",
    "none": "not found",
}

_CONFIDENCES = {
    "vendor": "from Reboot Motion",
    "rule": "found by rule",
    "low": "doubtful: a check failed",
    "manual": "set by a coach",
}

#: For an event that a person moved, the rule of the automatic event is named.
_RULE_NAMES = {
    rule: words for rule, words in REFERENCE_WORDS.items() if rule != "manual"
}

_SIDES = {
    "right": "batting right",
    "left": "batting left",
    "": "batting side not known",
}


_CONDITIONS = dict(Condition.choices)

_SEGMENTS = {"P": "Pelvis", "T": "Torso", "A": "Arm", "B": "Bat"}


def sequence_in_words(order: str) -> str:
    """A stored order of peaks in words: `(PT)-A-B` is `(Pelvis, Torso) › Arm › Bat`."""
    groups = []
    for group in order.split("-"):
        words = ", ".join(_SEGMENTS.get(one, one) for one in group.strip("()"))
        groups.append(f"({words})" if group.startswith("(") else words)
    return " › ".join(groups)


def rule_in_words(rule: str) -> str:
    """What a rule looks for, in words: `the hands at their fastest`."""
    return _FOUND_BY.get(rule, rule.replace("_", " "))


def rule_name(rule: str) -> str:
    """The short name of a rule: `contact`, `contact (est.)`, `peak hand speed`."""
    return _RULE_NAMES.get(rule, rule.replace("_", " "))


def confidence_in_words(confidence: str) -> str:
    """How sure it is when an event was, in words: `found by rule`."""
    return _CONFIDENCES.get(confidence, confidence)


def side_in_words(side: str) -> str:
    """`batting left`, as it stands beside a number; `side` may be empty."""
    return _SIDES[side]


def setup_words(setup: str) -> str:
    """A setup as it stands within a sentence: `live BP`, `no setup recorded`."""
    words = str(_CONDITIONS.get(setup, "no setup recorded"))
    # What is an abbreviation stays one: `live BP`.
    return words[:1].lower() + words[1:]


def reason_texts(reasons: Sequence[object]) -> tuple[str, ...]:
    """The sentences of stored reasons, each of which is a text or a JSON object."""
    return tuple(
        str(reason.get("text") or reason.get("code") or "")
        if isinstance(reason, dict)
        else str(reason)
        for reason in reasons
    )


# What was looked for in a file, where the stored name says it in a programmer's words.
_FINDINGS = {
    "energy": "size of kinetic energy",
    "names_exchanged": "left and right names",
    "pelvis_rot_sign": "sign of pelvis_rot",
    "smoothing": "smoothing before delivery",
    "torso_rot_frame": "what torso_rot is measured from",
}


def finding_name(name: str) -> str:
    """What was looked for in a file, in words: `left and right names`."""
    return _FINDINGS.get(name, name.replace("_", " "))


# What the reader mended in a file, by its code; after a colon stands a number or name.
_REPAIRS = {
    "rows_gathered": "The swing's rows were scattered through the file",
    "rows_sorted": "Frames were out of order",
    "duplicate_rows_dropped": "Duplicate rows dropped: {}",
    "blank_rows_dropped": "Empty rows dropped: {}",
    "headers_dropped": "Repeated header lines dropped: {}",
    "decimal_commas_read": "Numbers were written with decimal commas",
    "numbers_respelled": "Numbers in other formats converted: {}",
    "clock_restored": "Times were rounded; restored at {} frames a second",
    "infinite_to_missing": "Infinite values treated as missing: {}",
    "other_movements_left_out": "Other swings in the file, skipped: {}",
}


def repair_texts(repairs: Sequence[str]) -> tuple[str, ...]:
    """What the reader mended in a file, in words."""
    texts = []
    for repair in repairs:
        code, _, rest = repair.partition(":")
        texts.append(_REPAIRS[code].format(rest) if code in _REPAIRS else repair)
    return tuple(texts)


# --- What a number rests on -------------------------------------------------------

# For each part of a basis its label, what is said where it differs, and its values.
_PARTS: dict[str, tuple[str, str, Mapping[str, str]]] = {
    "reference": ("times from", "timed from a different event", REFERENCE_WORDS),
    "foot_down": ("foot down", "a different rule for foot down", FOOT_DOWN_WORDS),
    "forward": (
        "forward",
        "a different forward direction",
        {"stride_line": "the stride line", "given": "the field's axis"},
    ),
    "hands": ("measured at", "measured at a different point", {}),
    "head": (
        "measured at",
        "measured at a different point",
        {
            "skull": "base of the skull",
            "eyes": "middle of the eyes",
            "shoulders": "middle of the shoulders",
        },
    ),
    "bat": (
        "bat point",
        "measured at a different point of the bat",
        {"sweet_spot": "the tracked sweet spot", "six_inches": "6 in from the tip"},
    ),
    "frame_rate": (
        "frame rate",
        "recorded at a different frame rate",
        {"to_150_hz": "150 Hz or less", "over_150_hz": "more than 150 Hz"},
    ),
    "energy": (
        "energy of",
        "energy of a different part of the body",
        {"lowerhalf": "the lower half", "legs": "the legs"},
    ),
    "mass": (
        "body mass from",
        "body mass from a different source",
        {"profile": "the profile", "file": "the file"},
    ),
    "momentum": (
        "momentum about",
        "angular momentum about a different center",
        {"own_center": "each segment's own center"},
    ),
}


def _part_in_words(part: str, value: str) -> str:
    return _PARTS[part][2].get(value, value.replace("_", " "))


def basis_in_words(basis: str) -> str:
    """A basis in words: `times from: contact (est.) · measured at: wrists`.

    That forward is the stride line is not said: it goes without saying.
    """
    parts, setup, basis = parts_in(basis), setup_in(basis), without_setup(basis)
    if setup is not None:
        own = f"setup: {setup_words(setup) if setup else 'none recorded'}"
        return " · ".join(filter(None, (own, basis_in_words(basis))))
    if not parts:
        return f"times from: {rule_name(basis)}" if basis else ""
    return " · ".join(
        f"{_PARTS[part][0]}: {_part_in_words(part, parts[part])}"
        for part in PARTS
        if part in parts and (part, parts[part]) != ("forward", "stride_line")
    )


def basis_difference(basis: str, other: str) -> str:
    """How `basis` differs from the `other`, in words; empty where they are equal.

    For example `measured at a different point: wrists instead of hands`.
    """
    if basis == other:
        return ""
    if setup_in(basis) != setup_in(other):
        return "a different setup"
    basis, other = without_setup(basis), without_setup(other)
    here, there = parts_in(basis), parts_in(other)
    if bool(here) != bool(there):
        return "a different version of the method"
    if not here:
        here, there = {"reference": basis}, {"reference": other}
    words = [
        f"{_PARTS[part][1]}: {_part_in_words(part, here[part])} instead of "
        f"{_part_in_words(part, there[part])}"
        for part in PARTS
        if part in here and part in there and here[part] != there[part]
    ]
    return "; ".join(words) or "measured from different events or points"


#: By the slug that Reboot Motion has for them.
_CAPTURE_SYSTEMS = {
    "rebootmotion": "Reboot Motion cameras",
    "hawkeye": "Hawk-Eye",
    "hawkeyehfr": "Hawk-Eye high frame rate",
    "hawkeyelfr": "Hawk-Eye low frame rate",
    "mediapipepose": "MediaPipe Pose",
}


def capture_system(slug: str) -> str:
    """Return the name of what captured a session; a slug that is new here stays."""
    return _CAPTURE_SYSTEMS.get(slug, slug)
