"""What a number rests on beside its definition, and how two such bases differ.

A hand speed measured at the wrists is another number than one measured at the hands,
however alike the athlete and the definition. So every value carries its basis, a short
canonical text such as ``reference=bat_peak foot_down=ankle_settles hands=wrists``, and
averages, trends and comparisons take only values of one basis.
"""

from functools import lru_cache
from typing import Literal, get_args

from biomechanics.definitions import METRICS, MetricDefinition

Part = Literal[
    "reference",
    "foot_down",
    "forward",
    "hands",
    "head",
    "bat",
    "frame_rate",
    "energy",
    "mass",
    "momentum",
]
PARTS: tuple[Part, ...] = get_args(Part)
"""The parts of a basis, in the order in which the text has them."""

STRIDE_LINE = "stride_line"
HAND_PEAK = "hand_peak"

# What the windows do not say: parts that the value takes over from other metrics, or
# from the points it is read from.
_ALSO: dict[str, tuple[Part, ...]] = {
    "tempo": ("foot_down",),
    "hand_smoothness": ("reference", "hands"),
    "peak_hand_speed": ("hands",),
    "peak_hand_speed_lead": ("hands",),
    "peak_hand_speed_rear": ("hands",),
    "t_peak_hand": ("hands",),
    "KE_ratio_torso_lower": ("energy",),
}
# Read from the line of the bat or from its tip, not from the sweet spot.
_NO_SWEET_SPOT = frozenset(
    {"bat_path_length", "vertical_bat_angle", "bat_torso_fm", "bat_torso_ref"}
)


@lru_cache(maxsize=256)
def parts_of(metric_id: str) -> frozenset[Part]:
    """Return the parts that can matter to a metric.

    From its definition: the events in its window, the directions and columns it needs,
    and the points it is read from. Which of them a value has depends on the file as
    well (`basis_of`).

    Raises
    ------
    KeyError
        There is no such metric.
    """
    item = METRICS[metric_id]
    parts: set[Part] = set(_ALSO.get(metric_id, ()))
    # "Its own peak" lies in a window that ends at contact.
    if "contact" in item.window or item.window == "its own peak":
        parts.add("reference")
    if "foot down" in item.window:
        parts.add("foot_down")
    if "C" in item.robustness:
        parts |= {"forward", "foot_down"}
    if item.part == "head":
        parts.add("head")
    if _is_of_the_bat(item):
        parts.add("frame_rate")
        if item.group == "hands_bat" and metric_id not in _NO_SWEET_SPOT:
            parts.add("bat")
    if item.group == "momentum":
        parts.add("momentum")
    if item.group == "energy":
        if item.part == "legs":
            parts.add("energy")
        if item.unit == "J/kg":
            parts.add("mass")
    return frozenset(parts)


def _is_of_the_bat(item: MetricDefinition) -> bool:
    """Return whether a metric follows the bat, the fastest thing in the file."""
    return item.needs == "bat" or item.part == "bat"


@lru_cache(maxsize=4096)
def basis_of(metric_id: str, found: tuple[tuple[Part, str], ...]) -> str:
    """Return the basis of one metric of a swing.

    Parameters
    ----------
    found : tuple of (str, str)
        What each part was in the file; one that is not known is left out.
    """
    parts = set(parts_of(metric_id))
    values = dict(found)
    # A given direction owes nothing to the feet; the window of the metric may.
    if (
        "forward" in parts
        and values.get("forward") != STRIDE_LINE
        and "foot down" not in METRICS[metric_id].window
    ):
        parts.discard("foot_down")
    if "reference" in parts and values.get("reference") == HAND_PEAK:
        # The instant is that at which these points are fastest.
        parts.add("hands")
    return " ".join(
        f"{part}={values[part]}" for part in PARTS if part in parts and part in values
    )


def parts_in(basis: str) -> dict[str, str]:
    """Return the parts of a basis by name; a text of another form has none."""
    pairs = (word.partition("=") for word in without_setup(basis).split())
    return {name: value for name, sign, value in pairs if sign}


# --- Swings of another setup than their session's -----------------------------------
#
# A session may hold swings off a tee and others that were pitched. What a number of
# such a swing rests on ends with the setup, so that no average joins it with others.

_SETUP = "setup="


def with_setup(basis: str, setup: str) -> str:
    """Return the basis of a number of a swing with a setup of its own."""
    return f"{basis} {_SETUP}{setup}".strip()


def setup_in(basis: str) -> str | None:
    """Return the setup that a basis ends with; None: that of the session."""
    _, sign, setup = basis.rpartition(_SETUP)
    return setup if sign else None


def without_setup(basis: str) -> str:
    """Return the basis without the setup that it may end with."""
    before, sign, _ = basis.rpartition(_SETUP)
    return before.rstrip() if sign else basis
