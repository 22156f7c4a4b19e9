"""Where two curves differ, in words: `torso faster from 60 to 20 ms before contact`."""

from __future__ import annotations

from athletes.display import number_of, number_text
from biomechanics.curve_differences import CurveDifference, Stretch
from biomechanics.definitions import SeriesDefinition
from biomechanics.units import MS_PER_S
from dashboard.phrases import list_in_words

_FASTER = ("faster", "slower")
_OPEN = ("more open", "less open")
_BENT = ("more bent", "straighter")

#: Of a curve what moves, and the words for more and less of it.
_WORDS: dict[str, tuple[str, tuple[str, str]]] = {
    "pelvis_omega": ("pelvis", _FASTER),
    "torso_omega": ("torso", _FASTER),
    "lead_arm_omega": ("lead arm", _FASTER),
    "lead_forearm_omega": ("lead forearm", _FASTER),
    "hand_omega": ("lead hand turning", _FASTER),
    "bat_omega": ("bat turning", _FASTER),
    "hand_speed": ("hands", _FASTER),
    "bat_speed": ("bat", _FASTER),
    "com_speed": ("body", _FASTER),
    "pelvis_rotation": ("pelvis", _OPEN),
    "torso_rotation": ("shoulders", _OPEN),
    "forward_bend": ("trunk", ("more bent forward", "less bent forward")),
    "side_bend": (
        "trunk",
        ("leaning more to the rear side", "leaning less to the rear side"),
    ),
    "lead_knee_flexion": ("lead knee", _BENT),
    "rear_knee_flexion": ("rear knee", _BENT),
    "lead_elbow_flexion": ("lead elbow", _BENT),
    "rear_elbow_flexion": ("rear elbow", _BENT),
}
# More of them are a chart to look at, not a sentence.
_MOST_STRETCHES = 4


def difference_words(
    found: CurveDifference, series: SeriesDefinition, *, zero: str, percent: bool
) -> str:
    """Where the difference is clear, or that it is nowhere, or what is missing.

    Without a capital or a full stop. `zero` names the event at time zero; with
    `percent` the grid is percent of the swing.
    """
    if found.band is None:
        return (
            "not enough yet, it needs "
            f"{number_of(found.swings_needed, 'included swing')} or more on each side"
        )
    what, words = _WORDS.get(
        series.id, (series.name[0].lower() + series.name[1:], ("higher", "lower"))
    )
    stretches = found.stretches()
    if not stretches:
        return "no clear difference at any time"
    told = [
        f"{words[0] if one.is_higher else words[1]} {_when(one, zero, percent=percent)}"
        for one in stretches[:_MOST_STRETCHES]
    ]
    if len(stretches) > _MOST_STRETCHES:
        more = len(stretches) - _MOST_STRETCHES
        told.append(f"clearly different in {number_of(more, 'more place')}")
    return f"{what} {list_in_words(told)}"


def _when(stretch: Stretch, zero: str, *, percent: bool) -> str:
    """The time of a stretch: `from 60 to 20 ms before contact`."""
    if percent:
        first, last = (number_text(at, 0) for at in (stretch.start, stretch.end))
        if first == last:
            return f"at {first}% of the swing"
        return f"from {first} to {last}% of the swing"
    start, end = (round(at * MS_PER_S) for at in (stretch.start, stretch.end))
    if start == end:
        side = "before" if start < 0 else "after"
        return f"{abs(start)} ms {side} {zero}" if start else f"at {zero}"
    if end < 0:
        return f"from {-start} to {-end} ms before {zero}"
    if end == 0:
        return f"from {-start} ms before {zero} until then"
    if start > 0:
        return f"from {start} to {end} ms after {zero}"
    if start == 0:
        return f"from {zero} to {end} ms after it"
    return f"from {-start} ms before to {end} ms after {zero}"
