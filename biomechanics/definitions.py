"""Define what every number and curve means, for pages, API and documents alike.

A metric that is computed but not defined here is a programming error, and a test
fails. Texts are for coaches: no word in them judges a swing, and only speeds say
that higher is better. Units are those of `units`; pages convert to mph or feet.
"""

from dataclasses import dataclass, replace
from typing import Literal

from biomechanics.ranges import RANGES
from biomechanics.units import MPH_PER_M_PER_S

METHOD_VERSION = "2026.10"
"""Stored with every value. Change it whenever a number could come out differently."""

Direction = Literal["higher", "none"]
Group = Literal["sequence", "rotation", "posture", "hands_bat", "momentum", "energy"]
BodyPart = Literal[
    "pelvis", "torso", "lead_arm", "hands", "bat", "separation", "legs", "head", "body"
]

GROUPS: dict[Group, str] = {
    "sequence": "Kinematic sequence",
    "rotation": "Rotation and separation",
    "posture": "Legs, posture and travel",
    "hands_bat": "Hands, bat and timing",
    "momentum": "Momentum",
    "energy": "Energy",
}

ROBUSTNESS: dict[str, str] = {
    "A": "joint centers alone: no axis, length unit or angle column needed",
    "B": "also needs to know which way is up",
    "C": "also needs the forward direction",
    "D": "also needs the length unit",
    "E": "uses Reboot Motion's angle columns",
    "F": "uses Reboot Motion's momentum and energy columns",
}


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """The meaning of one metric.

    Attributes
    ----------
    id : str
        Stable name in the API and in stored rows.
    name, short : str
        Full name; label for narrow tables.
    plain : str
        One sentence a coach would say.
    formula : str
        How it is computed, in words.
    unit : str
        deg, deg/s, ms, m, m/s, J, J/kg, W, kg·m²/s, %, ratio or text.
    window : str
        Event or stretch of time.
    direction : {'higher', 'none'}
        Only speeds may have 'higher'.
    decimals : int
        Digits to print; more would be a claim.
    ratio_scale : bool
        A coefficient of variation makes sense.
    robustness : str
        Letters of `ROBUSTNESS`.
    needs : {'joints', 'bat', 'energetics'}
        What the file must hold.
    usual : (float, float) or None
        Outside, a value is shown as unusual and still counted (`ranges`).
    plausible : (float, float) or None
        Outside, a value is flagged and left out of means.
    published_sd : float or None
        Typical standard deviation of one hitter inside one session, in `unit`; used
        only until the athlete's own scatter is known. At foot down it is that of the
        full-weight plant, the larger one. Own summary of the hitting
        table of the OpenBiomechanics Project (drivelineresearch/openbiomechanics).
    headline : int or None
        Rank among the numbers shown by default.
    retired : str
        Why it is no longer measured; empty while it is. A retired metric keeps its key
        in the API, without a value, and stands on no page.
    """

    id: str
    name: str
    short: str
    plain: str
    formula: str
    unit: str
    window: str
    group: Group
    part: BodyPart
    decimals: int
    robustness: str
    source: str
    direction: Direction = "none"
    ratio_scale: bool = False
    needs: Literal["joints", "bat", "energetics"] = "joints"
    usual: tuple[float, float] | None = None
    plausible: tuple[float, float] | None = None
    published_sd: float | None = None
    headline: int | None = None
    retired: str = ""
    method_version: str = METHOD_VERSION


@dataclass(frozen=True, slots=True)
class SeriesDefinition:
    """The meaning of one curve; fields as in `MetricDefinition`."""

    id: str
    name: str
    plain: str
    unit: str
    part: BodyPart
    group: Group
    decimals: int = 0
    method_version: str = METHOD_VERSION


SEQ = "first move to contact (+30 ms where peak hand speed stands in)"
FM_REF = "first move to contact"
FD, REF, LOAD_REF = "foot down", "contact", "load to contact"
BEFORE = "before contact; positive = earlier"

_RATE = "rotation speed of a body line, ω = ‖du/dt‖ (rigid-body kinematics)"
_CENTROID = "peak time: centroid of the part above 85 % of the peak (own simulation)"
_LINES = "vector geometry of joint centers (own convention)"
_VENDOR = (
    "Reboot Motion's momentum and energy columns (docs.rebootmotion.com/definitions)"
)

_LIST: list[MetricDefinition] = []


def _add(
    metric_id: str,
    name: str,
    short: str,
    plain: str,
    formula: str,
    unit: str,
    window: str,
    group: Group,
    part: BodyPart,
    robustness: str,
    source: str,
    *,
    decimals: int = 0,
    direction: Direction = "none",
    ratio_scale: bool = False,
    needs: Literal["joints", "bat", "energetics"] = "joints",
    published_sd: float | None = None,
    headline: int | None = None,
) -> None:
    """Add one metric; see `MetricDefinition` for the parameters."""
    limits = RANGES.get(metric_id)
    _LIST.append(
        MetricDefinition(
            id=metric_id,
            name=name,
            short=short,
            plain=plain,
            formula=formula,
            unit=unit,
            window=window,
            group=group,
            part=part,
            decimals=decimals,
            robustness=robustness,
            source=source,
            direction=direction,
            ratio_scale=ratio_scale,
            needs=needs,
            usual=limits.usual if limits else None,
            plausible=limits.plausible if limits else None,
            published_sd=published_sd,
            headline=headline,
        )
    )


# --- kinematic sequence ------------------------------------------------------

_add(
    "peak_pelvis_omega",
    "Peak pelvis rotation speed",
    "Pelvis speed",
    "How fast the hips rotate at their fastest.",
    "highest rotation speed of the line from rear to lead hip joint center, about the "
    "main axis of the turn",
    "deg/s",
    SEQ,
    "sequence",
    "pelvis",
    "A",
    _RATE,
    ratio_scale=True,
    published_sd=24,
    headline=4,
)
_add(
    "peak_torso_omega",
    "Peak torso rotation speed",
    "Torso speed",
    "How fast the torso rotates at its fastest: the line between the shoulders, not "
    "the ribcage.",
    "highest rotation speed of the line from rear to lead shoulder joint center, about "
    "the main axis of the turn",
    "deg/s",
    SEQ,
    "sequence",
    "torso",
    "A",
    _RATE,
    ratio_scale=True,
    published_sd=31,
    headline=5,
)
_add(
    "peak_lead_arm_omega",
    "Peak lead arm speed",
    "Lead arm speed",
    "How fast the lead upper arm rotates through space at its fastest.",
    "highest rotation speed of the line from lead shoulder to lead elbow, in the room",
    "deg/s",
    SEQ,
    "sequence",
    "lead_arm",
    "A",
    _RATE,
    ratio_scale=True,
    headline=6,
)
_add(
    "peak_lead_forearm_omega",
    "Peak lead forearm speed",
    "Forearm speed",
    "How fast the lead forearm rotates through space at its fastest.",
    "highest rotation speed of the line from lead elbow to lead wrist, in the room",
    "deg/s",
    SEQ,
    "sequence",
    "lead_arm",
    "A",
    _RATE,
    ratio_scale=True,
)
_add(
    "peak_hand_omega",
    "Peak lead hand rotation speed",
    "Hand rotation",
    "How fast the lead hand rotates at its fastest; needs tracked hand points.",
    "highest rotation speed of the line from lead wrist to the center of the lead "
    "hand; never derived from hand speed",
    "deg/s",
    SEQ,
    "sequence",
    "hands",
    "A",
    _RATE,
    ratio_scale=True,
)
_add(
    "peak_bat_omega",
    "Peak bat rotation speed",
    "Bat rotation",
    "How fast the bat rotates at its fastest; needs tracked bat points.",
    "highest rotation speed of the line from knob to tip of the bat",
    "deg/s",
    FM_REF,
    "sequence",
    "bat",
    "A",
    _RATE,
    ratio_scale=True,
    needs="bat",
    published_sd=56,
)
_Needs = Literal["joints", "bat", "energetics"]
_PEAKS: tuple[tuple[str, str, str, BodyPart, _Needs], ...] = (
    ("t_peak_pelvis", "pelvis rotation speed", "Pelvis time", "pelvis", "joints"),
    ("t_peak_torso", "torso rotation speed", "Torso time", "torso", "joints"),
    (
        "t_peak_lead_arm",
        "lead arm speed",
        "Lead arm time",
        "lead_arm",
        "joints",
    ),
    (
        "t_peak_lead_forearm",
        "lead forearm speed",
        "Forearm time",
        "lead_arm",
        "joints",
    ),
    (
        "t_peak_hand_omega",
        "lead hand rotation speed",
        "Hand rotation time",
        "hands",
        "joints",
    ),
    ("t_peak_bat", "bat rotation speed", "Bat time", "bat", "bat"),
)
for _id, _what, _short, _part, _needs in _PEAKS:
    _add(
        _id,
        f"Time of peak {_what}",
        _short,
        f"How long before contact the {_what} is at its highest.",
        f"time of contact minus the center of the peak {_what}; positive = before",
        "ms",
        BEFORE,
        "sequence",
        _part,
        "A",
        _CENTROID,
        needs=_needs,
    )
_add(
    "seq_order",
    "Kinematic sequence",
    "Sequence",
    "Which part peaks first, second and so on; parentheses mean too close to call. "
    "A description, not a grade.",
    "peak times of pelvis (P), torso (T, the shoulder line), lead arm (A) and bat (B) "
    "in order; those within the tie limit of each other (10 ms for one swing) are "
    "joined",
    "text",
    SEQ,
    "sequence",
    "body",
    "A",
    _CENTROID,
    headline=7,
)
_LEAD = {"arm": "lead arm", "hand": "lead hand"}
_GAPS: tuple[tuple[str, str, str, BodyPart, _Needs], ...] = (
    ("gap_pelvis_torso", "pelvis", "torso", "torso", "joints"),
    ("gap_torso_arm", "torso", "arm", "lead_arm", "joints"),
    ("gap_arm_bat", "arm", "bat", "bat", "bat"),
)
for _id, _first, _second, _part, _needs in _GAPS:
    _add(
        _id,
        f"{_first}-to-{_second} delay".capitalize(),
        f"{_first} to {_second}".capitalize(),
        f"Time from the {_LEAD.get(_first, _first)} peak to the "
        f"{_LEAD.get(_second, _second)} peak; positive = "
        f"{_LEAD.get(_first, _first)} first.",
        f"time of the {_LEAD.get(_second, _second)} peak minus time of the "
        f"{_LEAD.get(_first, _first)} peak",
        "ms",
        SEQ,
        "sequence",
        _part,
        "A",
        _CENTROID,
        needs=_needs,
    )
_GAINS: tuple[tuple[str, str, str, BodyPart, _Needs], ...] = (
    ("gain_torso_pelvis", "torso", "pelvis", "torso", "joints"),
    ("gain_arm_torso", "arm", "torso", "lead_arm", "joints"),
    ("gain_hand_arm", "hand", "arm", "hands", "joints"),
    ("gain_bat_hand", "bat", "hand", "bat", "bat"),
    ("gain_bat_torso", "bat", "torso", "bat", "bat"),
)
for _id, _first, _second, _part, _needs in _GAINS:
    _add(
        _id,
        f"{_second}-to-{_first} speed gain".capitalize(),
        f"{_first} ÷ {_second}".capitalize(),
        f"How many times faster the {_LEAD.get(_first, _first)} peak is than the "
        f"{_LEAD.get(_second, _second)} peak.",
        f"peak rotation speed of the {_LEAD.get(_first, _first)} ÷ peak rotation speed "
        f"of the {_LEAD.get(_second, _second)}",
        "ratio",
        SEQ,
        "sequence",
        _part,
        "A",
        _RATE,
        decimals=2,
        ratio_scale=True,
        needs=_needs,
    )
_add(
    "decel_pelvis",
    "Pelvis deceleration",
    "Pelvis deceleration",
    "How much of its top rotation speed the pelvis has lost by contact.",
    "(peak pelvis rotation speed − its value at contact) ÷ peak × 100",
    "%",
    "pelvis peak to contact",
    "sequence",
    "pelvis",
    "A",
    _RATE,
)

# --- rotation and separation -------------------------------------------------

_ROTATION = (
    "angle of the line to the forward direction, seen from above, 0 = sideways, "
    "+ = open; forward is the stride line (rear to lead ankle at foot down) unless "
    "a verified axis is given"
)
for _id, _line, _event, _short, _part, _sd in (
    ("pelvis_rot_fd", "hip line", FD, "Pelvis at foot down", "pelvis", 4.1),
    ("pelvis_rot_ref", "hip line", REF, "Pelvis at contact", "pelvis", None),
    ("torso_rot_fd", "shoulder line", FD, "Torso at foot down", "torso", 4.1),
    ("torso_rot_ref", "shoulder line", REF, "Torso at contact", "torso", None),
):
    _add(
        _id,
        f"{_part.capitalize()} rotation at {_event}",
        _short,
        f"How open the {_part} ({_line}) is at {_event}, from the stride line: "
        "0 is sideways, plus is open to the pitcher.",
        f"{_line}: {_ROTATION}",
        "deg",
        _event,
        "rotation",
        "pelvis" if _part == "pelvis" else "torso",
        "C",
        _LINES,
        published_sd=_sd,
        headline=9 if _id == "pelvis_rot_ref" else None,
    )
for _id, _line, _short, _part in (
    ("pelvis_turn_fd_ref", "hip line", "Pelvis turn", "pelvis"),
    ("torso_turn_fd_ref", "shoulder line", "Torso turn", "torso"),
):
    _add(
        _id,
        f"{_part.capitalize()} rotation, foot down to contact",
        _short,
        f"How far the {_part} ({_line}) rotates between foot down and contact.",
        f"rotation of the {_line} at contact minus at foot down, seen from above",
        "deg",
        "foot down to contact",
        "rotation",
        "pelvis" if _part == "pelvis" else "torso",
        "B",
        _LINES,
    )
_TWIST = (
    "angle between hip line and shoulder line, both seen along the trunk line "
    "(mid-hip to mid-shoulder); + = pelvis ahead"
)
_add(
    "x_factor_fd",
    "Hip-shoulder separation at foot down",
    "Separation at foot down",
    "How far the pelvis is open ahead of the shoulders when the lead foot is down.",
    _TWIST,
    "deg",
    FD,
    "rotation",
    "separation",
    "A",
    _LINES,
    published_sd=1.9,
)
_add(
    "x_factor_ref",
    "Hip-shoulder separation at contact",
    "Separation at contact",
    "How far the pelvis is ahead of the shoulders at contact.",
    _TWIST,
    "deg",
    REF,
    "rotation",
    "separation",
    "A",
    _LINES,
)
_add(
    "x_factor_max",
    "Max hip-shoulder separation",
    "Max separation",
    "The most the pelvis gets ahead of the shoulders.",
    f"largest {_TWIST}",
    "deg",
    LOAD_REF,
    "rotation",
    "separation",
    "A",
    _LINES,
    headline=8,
)
_add(
    "t_x_factor_max",
    "Time of max separation",
    "Max separation time",
    "How long before contact the separation is largest.",
    "time of contact minus the time of the largest separation; positive = before",
    "ms",
    BEFORE,
    "rotation",
    "separation",
    "A",
    _LINES,
)
_add(
    "x_factor_stretch",
    "Separation stretch",
    "Separation stretch",
    "How much the separation grows once the swing has started.",
    "largest separation from first move to contact minus separation at first move; "
    "never below zero, because it is a largest value",
    "deg",
    FM_REF,
    "rotation",
    "separation",
    "A",
    _LINES,
)
_add(
    "x_factor_zero",
    "Time the shoulders catch the pelvis",
    "Catch-up time",
    "How long before contact the shoulders have caught up with the pelvis.",
    "time of contact minus the time at which the separation falls through zero "
    "after its largest value",
    "ms",
    BEFORE,
    "rotation",
    "separation",
    "A",
    _LINES,
)

# --- legs, posture, travel ---------------------------------------------------

_add(
    "stride_spread_pct",
    "Stride width at foot down",
    "Stride width",
    "How far apart the feet are when the lead foot is down, in percent of body height.",
    "horizontal distance from rear to lead ankle ÷ body height × 100",
    "%",
    FD,
    "posture",
    "legs",
    "BD",
    _LINES,
    ratio_scale=True,
)
_add(
    "stride_spread_leg",
    "Stride width at foot down, by leg length",
    "Stride width ÷ leg",
    "How far apart the feet are when the lead foot is down, in percent of leg length.",
    "horizontal distance from rear to lead ankle ÷ (thigh + shank length, median "
    "from 50 ms "
    "before to 50 ms after) × 100",
    "%",
    FD,
    "posture",
    "legs",
    "B",
    _LINES,
    ratio_scale=True,
)
_add(
    "stride_travel_pct",
    "Lead foot travel",
    "Foot travel",
    "How far the lead foot moved to where it lands; near zero without a stride.",
    "horizontal distance of the lead ankle between the stance and foot down ÷ body "
    "height × 100; stance = last 0.1 s in which the ankle rests before its stride",
    "%",
    "stance to foot down",
    "posture",
    "legs",
    "BD",
    _LINES,
)
_add(
    "stride_direction",
    "Stride direction at foot down",
    "Stride direction",
    "How far the line of the feet points off the way to the pitcher when the lead foot "
    "is down: plus is open (to the pull side), minus closed.",
    "horizontal angle of the line from rear to lead ankle to the axis of the file that "
    "the facility has checked to point to the pitcher; missing where none has been "
    "checked, or where the feet are more than 45° off it",
    "deg",
    FD,
    "posture",
    "legs",
    "B",
    _LINES,
)
for _id, _event, _short in (
    ("lead_knee_flex_fd", FD, "Knee at foot down"),
    ("lead_knee_flex_ref", REF, "Knee at contact"),
):
    _add(
        _id,
        f"Lead knee bend at {_event}",
        _short,
        f"How bent the lead knee is at {_event}; 0 is straight.",
        "180° minus the angle hip-knee-ankle",
        "deg",
        _event,
        "posture",
        "legs",
        "A",
        _LINES,
    )
_add(
    "lead_knee_ext",
    "Lead leg extension",
    "Leg extension",
    "How much the lead knee straightens from foot down to contact.",
    "lead knee bend at foot down minus at contact; + = straightened",
    "deg",
    "foot down to contact",
    "posture",
    "legs",
    "A",
    _LINES,
    headline=10,
)
_add(
    "lead_knee_ext_rate",
    "Peak lead leg extension speed",
    "Extension speed",
    "How fast the lead knee straightens at its fastest.",
    "largest rate at which the lead knee bend falls",
    "deg/s",
    "foot down to contact",
    "posture",
    "legs",
    "A",
    _LINES,
)
_add(
    "rear_elbow_flex_fd",
    "Rear elbow bend at foot down",
    "Rear elbow",
    "How bent the rear elbow is at foot down; 0 is straight.",
    "180° minus the angle shoulder-elbow-wrist",
    "deg",
    FD,
    "posture",
    "lead_arm",
    "A",
    _LINES,
)
for _id, _event, _what, _rank in (
    ("side_bend_ref", REF, "Side bend at contact", 11),
    ("side_bend_max", LOAD_REF, "Max side bend", None),
):
    _add(
        _id,
        _what,
        "Side bend" if _rank else "Max side bend",
        "How far the trunk tilts sideways, however far it bends forward; plus is "
        "toward the rear side.",
        "angle of the trunk line to the upright plane square to the shoulder line",
        "deg",
        _event,
        "posture",
        "torso",
        "B",
        _LINES,
        headline=_rank,
    )
for _id, _event, _short in (
    ("fwd_bend_fd", FD, "Bend at foot down"),
    ("fwd_bend_ref", REF, "Bend at contact"),
):
    _add(
        _id,
        f"Forward bend at {_event}",
        _short,
        "How far the trunk leans over the plate.",
        "lean of the trunk line in the upright plane square to the shoulder line",
        "deg",
        _event,
        "posture",
        "torso",
        "B",
        _LINES,
    )
_add(
    "head_fwd",
    "Head movement toward the pitcher",
    "Head forward",
    "How far the head moves toward the pitcher during the swing.",
    "travel of the head point along the forward direction",
    "m",
    FM_REF,
    "posture",
    "head",
    "CD",
    _LINES,
    decimals=2,
)
_add(
    "head_drop",
    "Head drop",
    "Head drop",
    "How far the head goes down during the swing.",
    "travel of the head point downward",
    "m",
    FM_REF,
    "posture",
    "head",
    "BD",
    _LINES,
    decimals=2,
)
_add(
    "head_excursion",
    "Head movement",
    "Head movement",
    "The farthest the head gets from where it was at load, in any direction.",
    "largest distance of the head point (the one that was tracked: head, skull, eyes "
    "or middle of the shoulders) from its place at load",
    "m",
    LOAD_REF,
    "posture",
    "head",
    "D",
    _LINES,
    decimals=2,
)
_add(
    "pelvis_fwd",
    "Pelvis travel to foot down",
    "Pelvis travel",
    "How far the hips move toward the pitcher by foot down.",
    "travel of the mid-hip point along the forward direction from the stance (last "
    "0.1 s in which the lead ankle rests before its stride) to foot down",
    "m",
    "stance to foot down",
    "posture",
    "pelvis",
    "CD",
    _LINES,
    decimals=2,
)
_add(
    "pelvis_fwd_fd_ref",
    "Pelvis travel after foot down",
    "Travel after",
    "How far the hips move toward the pitcher from foot down to contact.",
    "travel of the mid-hip point along the forward direction",
    "m",
    "foot down to contact",
    "posture",
    "pelvis",
    "CD",
    _LINES,
    decimals=2,
)
_add(
    "com_speed_max",
    "Peak body speed",
    "Body speed",
    "How fast the whole body's center of mass moves at its fastest.",
    "largest speed of Reboot Motion's center of mass from the start to 150 ms after "
    "contact",
    "m/s",
    "start to contact + 150 ms",
    "posture",
    "body",
    "F",
    _VENDOR,
    decimals=1,
    ratio_scale=True,
    needs="energetics",
    published_sd=0.1,
)

# --- hands, bat, timing ------------------------------------------------------

for _id, _what, _short, _rank in (
    ("peak_hand_speed", "hand", "Hand speed", 3),
    ("peak_hand_speed_lead", "lead hand", "Lead hand speed", None),
    ("peak_hand_speed_rear", "rear hand", "Rear hand speed", None),
):
    _add(
        _id,
        f"Peak {_what} speed",
        _short,
        "How fast the hands move at their fastest."
        if _rank == 3
        else f"How fast the {_what} moves at its fastest.",
        (
            "largest speed of the midpoint of both hands"
            if _rank == 3
            else f"largest speed of the {_what}"
        )
        + " (the wrists where no hand is tracked)",
        "m/s",
        "first move to contact + 30 ms",
        "hands_bat",
        "hands",
        "D",
        "speed of a tracked point",
        decimals=1,
        direction="higher",
        ratio_scale=True,
        headline=_rank,
    )
_add(
    "t_peak_hand",
    "Time of peak hand speed",
    "Hand speed time",
    "How long before contact the hands are at their fastest.",
    "time of contact minus the time of peak hand speed; 0 where that stands in for "
    "contact",
    "ms",
    BEFORE,
    "hands_bat",
    "hands",
    "A",
    _CENTROID,
)
_SWEET = "speed of the sweet spot, 0.152 m (6 in) from the tip on the bat's line"
_add(
    "bat_speed_max",
    "Peak bat speed",
    "Bat speed",
    "How fast the sweet spot moves at its fastest; needs tracked bat points.",
    f"largest {_SWEET}",
    "m/s",
    FM_REF,
    "hands_bat",
    "bat",
    "D",
    "point used by Statcast and Blast; speed of a tracked point",
    decimals=1,
    direction="higher",
    ratio_scale=True,
    needs="bat",
    published_sd=round(1.7 / MPH_PER_M_PER_S, 3),
    headline=1,
)
_add(
    "bat_speed_ref",
    "Bat speed at contact",
    "Speed at contact",
    "How fast the sweet spot moves at contact.",
    _SWEET,
    "m/s",
    REF,
    "hands_bat",
    "bat",
    "D",
    "point used by Statcast and Blast; speed of a tracked point",
    decimals=1,
    direction="higher",
    ratio_scale=True,
    needs="bat",
)
_add(
    "attack_angle",
    "Attack angle, last 10 ms",
    "Attack angle",
    "Whether the sweet spot travels up (plus) or down, on average over the last 10 ms "
    "before contact.",
    "how steeply the sweet spot's path rises, on average over the last 10 ms before "
    "contact; at contact itself it is about 7° higher",
    "deg",
    "contact − 10 ms to contact",
    "hands_bat",
    "bat",
    "B",
    "angle of a velocity to the horizontal",
    needs="bat",
    published_sd=3.6,
    headline=2,
)
_add(
    "attack_direction",
    "Attack direction from the stride line",
    "Attack direction",
    "Whether the sweet spot travels to the pull side (plus) of the stride line or away "
    "from it, at contact.",
    "horizontal direction of the sweet spot's velocity from the stride line, at the "
    "instant of contact",
    "deg",
    REF,
    "hands_bat",
    "bat",
    "C",
    "angle of a velocity to the stride line",
    needs="bat",
)
_add(
    "attack_side",
    "Attack direction: pull, center or opposite",
    "Pull or opposite",
    "Whether the sweet spot travels to the pull side, the center or the opposite side "
    "of the field, at contact.",
    "horizontal direction of the sweet spot's velocity at contact, from the axis "
    "of the "
    "file that the facility has checked to point to the pitcher: center within 15° "
    "(the middle third of fair territory), else pull or opposite; every word that the "
    "uncertainty allows; missing where it allows all three, or where the attack "
    "direction is withheld",
    "text",
    REF,
    "hands_bat",
    "bat",
    "B",
    "thirds of fair territory",
    needs="bat",
)
_add(
    "swing_tilt",
    "Swing path tilt",
    "Swing path tilt",
    "How steep the plane of the swing is just before contact.",
    "angle between the ground and the plane fitted to the last 40 ms of the sweet "
    "spot's path",
    "deg",
    "contact − 40 ms to contact",
    "hands_bat",
    "bat",
    "B",
    "least-squares plane (singular value decomposition)",
    needs="bat",
)
_add(
    "bat_path_length",
    "Swing length",
    "Swing length",
    "How far the tip of the bat travels from first move to contact.",
    "distance the tip travels, added up from frame to frame; Statcast adds up the "
    "same way from the start of its data",
    "m",
    FM_REF,
    "hands_bat",
    "bat",
    "D",
    "length of a tracked path",
    decimals=1,
    ratio_scale=True,
    needs="bat",
)
for _id, _from, _short, _needed in (
    ("contact_depth_hip", "the front hip", "Depth from hip", "CD"),
    ("contact_depth_com", "the body's center of mass", "Depth from body", "CDF"),
):
    _add(
        _id,
        f"Contact depth from {_from}, along the stride line",
        _short,
        f"How far ahead of {_from} the sweet spot is along the stride line, at "
        "contact; plus is toward the front foot.",
        f"distance of the sweet spot from {_from} along the stride line",
        "m",
        REF,
        "hands_bat",
        "bat",
        _needed,
        "as Statcast measures the intercept from the batter, but along the line of "
        "the feet",
        decimals=2,
        needs="bat",
    )
_add(
    "vertical_bat_angle",
    "Vertical bat angle at contact",
    "Vertical bat angle",
    "How far the barrel is below (minus) or above the hands at contact.",
    "angle of the line from knob to tip to the ground",
    "deg",
    REF,
    "hands_bat",
    "bat",
    "B",
    "angle of a line to the horizontal",
    needs="bat",
)
for _id, _event, _called, _short in (
    ("bat_torso_fm", "first move", "Early connection", "Early connection"),
    ("bat_torso_ref", "contact", "Connection at contact", "Connection"),
):
    _add(
        _id,
        f"{_called} (bat-torso angle)",
        _short,
        f"The angle between bat and trunk at {_event}: 90 is square; higher means the "
        "barrel is nearer the head.",
        "angle between the line from knob to tip and the trunk line from mid-shoulder "
        "to mid-hip",
        "deg",
        _event,
        "hands_bat",
        "bat",
        "A",
        "bat-torso angle of the OpenBiomechanics Project, with the line of the joint "
        "centers for the thorax",
        needs="bat",
    )
_add(
    "time_to_ref",
    "Time to contact",
    "Time to contact",
    "How long the swing takes from first move to contact.",
    "time of contact minus first move; a true time to contact only where contact was "
    "measured",
    "ms",
    FM_REF,
    "hands_bat",
    "body",
    "A",
    "difference of two events",
    ratio_scale=True,
    headline=12,
)
_add(
    "tempo",
    "Tempo, load to launch",
    "Tempo",
    "Time from load to foot down compared with time from foot down to contact.",
    "(foot down − load) ÷ (contact − foot down)",
    "ratio",
    "load to contact",
    "hands_bat",
    "body",
    "A",
    "difference of events",
    decimals=2,
)
_add(
    "tempo_load_fd",
    "Load to foot down",
    "Load to foot down",
    "How long it takes from the most closed pelvis to foot down.",
    "foot down minus load",
    "ms",
    "load to foot down",
    "hands_bat",
    "body",
    "A",
    "difference of events",
)
_add(
    "tempo_fd_ref",
    "Foot down to contact",
    "Foot down to contact",
    "How long it takes from foot down to contact.",
    "contact minus foot down",
    "ms",
    "foot down to contact",
    "hands_bat",
    "body",
    "A",
    "difference of events",
    ratio_scale=True,
)
_add(
    "hand_smoothness",
    "Hand smoothness (log dimensionless jerk)",
    "Smoothness",
    "How evenly the hands speed up; closer to zero is more even. Compare an athlete "
    "only with their own swings; nothing ties it to hitting results.",
    "−ln of (duration³ ÷ peak speed² × integral of squared second derivative of "
    "hand speed), from first move to peak hand speed",
    "ratio",
    "first move to peak hand speed",
    "hands_bat",
    "hands",
    "A",
    "log dimensionless jerk, doi 10.1186/s12984-015-0090-9",
    decimals=2,
)

# --- momentum and energy -----------------------------------------------------

_GROUPS_L: tuple[tuple[str, str, BodyPart], ...] = (
    ("pelvis", "pelvis", "pelvis"),
    ("torso", "upper trunk", "torso"),
    ("arms", "arms", "lead_arm"),
    ("bat", "bat", "bat"),
)
_MOMENTUM = {
    "pelvis": "Pelvis momentum",
    "torso": "Trunk momentum",
    "arms": "Arm momentum",
    "bat": "Bat momentum",
}
_WINDOW_ME = (
    "first move to contact (+10 ms where peak bat speed stands in, +30 ms where peak "
    "hand speed does)"
)
for _key, _what, _part in _GROUPS_L:
    _add(
        f"peak_L_{_key}",
        f"Peak angular momentum, {_what}",
        _MOMENTUM[_key],
        f"The most angular momentum of the {_what}.",
        "largest magnitude of Reboot Motion's angular-momentum vector about the body's "
        "center of mass",
        "kg·m²/s",
        _WINDOW_ME,
        "momentum",
        _part,
        "F",
        _VENDOR,
        decimals=1,
        ratio_scale=True,
        needs="energetics",
    )
for _key, _what, _part in _GROUPS_L:
    _add(
        f"t_peak_L_{_key}",
        f"Time of peak angular momentum, {_what}",
        f"{_MOMENTUM[_key]} time",
        f"How long before contact the angular momentum of the {_what} is highest.",
        "time of contact minus the center of the peak; positive = before",
        "ms",
        BEFORE,
        "momentum",
        _part,
        "F",
        _CENTROID,
        needs="energetics",
    )
for _id, _first, _second, _part in (
    ("L_ratio_torso_pelvis", "upper trunk", "pelvis", "torso"),
    ("L_ratio_arms_torso", "arms", "upper trunk", "lead_arm"),
    ("L_ratio_bat_arms", "bat", "arms", "bat"),
):
    _add(
        _id,
        f"Momentum ratio, {_first} over {_second}",
        f"Momentum, {_first} ÷ {_second}",
        f"Peak momentum of the {_first} divided by that of the {_second}; it does not "
        "say how much was passed on.",
        f"peak of the {_first} ÷ peak of the {_second}",
        "ratio",
        _WINDOW_ME,
        "momentum",
        "torso" if _part == "torso" else "bat" if _part == "bat" else "lead_arm",
        "F",
        _VENDOR,
        decimals=2,
        ratio_scale=True,
        needs="energetics",
    )
for _key, _what, _part in _GROUPS_L:
    _add(
        f"L_share_{_key}",
        f"Momentum share, {_what}",
        f"{_MOMENTUM[_key]} share",
        f"The {_what}'s share of the momentum of pelvis, trunk, arms and bat when it "
        "peaks.",
        "its angular momentum ÷ sum over pelvis, upper trunk, arms and bat × 100, at "
        "its own peak",
        "%",
        "its own peak",
        "momentum",
        _part,
        "F",
        _VENDOR,
        needs="energetics",
    )
_GROUPS_KE: tuple[tuple[str, str, BodyPart], ...] = (
    ("lower", "lower half", "legs"),
    ("torso", "upper trunk", "torso"),
    ("arms", "arms", "lead_arm"),
    ("bat", "bat", "bat"),
    ("total", "total as delivered", "body"),
)
_ENERGY = {
    "lower": "Lower-half energy",
    "torso": "Trunk energy",
    "arms": "Arm energy",
    "bat": "Bat energy",
    "total": "Total energy",
}
_OF_TOTAL = " Whether Reboot Motion includes the bat is not known."
for _key, _what, _part in _GROUPS_KE:
    _add(
        f"peak_KE_{_key}",
        f"Peak kinetic energy, {_what}",
        _ENERGY[_key],
        f"The most kinetic energy of the {_what}."
        + (_OF_TOTAL if _key == "total" else ""),
        "largest kinetic energy in Reboot Motion's data",
        "J",
        _WINDOW_ME,
        "energy",
        _part,
        "F",
        _VENDOR,
        ratio_scale=True,
        needs="energetics",
    )
for _key, _what, _part in _GROUPS_KE:
    _add(
        f"t_peak_KE_{_key}",
        f"Time of peak kinetic energy, {_what}",
        f"{_ENERGY[_key]} time",
        f"How long before contact the kinetic energy of the {_what} is highest.",
        "time of contact minus the center of the peak; positive = before",
        "ms",
        BEFORE,
        "energy",
        _part,
        "F",
        _CENTROID,
        needs="energetics",
    )
for _id, _first, _second, _part in (
    ("KE_ratio_torso_lower", "upper trunk", "lower half", "torso"),
    ("KE_ratio_arms_torso", "arms", "upper trunk", "lead_arm"),
    ("KE_ratio_bat_arms", "bat", "arms", "bat"),
):
    _add(
        _id,
        f"Energy ratio, {_first} over {_second}",
        f"Energy, {_first} ÷ {_second}",
        f"Peak energy of the {_first} divided by that of the {_second}; it does not "
        "say how much was passed on.",
        f"peak of the {_first} ÷ peak of the {_second}",
        "ratio",
        _WINDOW_ME,
        "energy",
        "torso" if _part == "torso" else "bat" if _part == "bat" else "lead_arm",
        "F",
        _VENDOR,
        decimals=2,
        ratio_scale=True,
        needs="energetics",
    )
_add(
    "KE_share_bat_ref",
    "Bat's share of the energy at contact",
    "Bat energy share",
    "How much of all kinetic energy is in the bat at contact.",
    "kinetic energy of the bat ÷ total kinetic energy × 100",
    "%",
    REF,
    "energy",
    "bat",
    "F",
    _VENDOR,
    needs="energetics",
)
for _key, _what, _part in _GROUPS_KE:
    _add(
        f"KE_rate_max_{_key}",
        f"Fastest energy gain, {_what}",
        f"{_ENERGY[_key]} gain",
        f"How fast the energy of the {_what} grows at its fastest.",
        "largest time derivative of the kinetic energy after a 20 Hz low-pass",
        "W",
        FM_REF,
        "energy",
        _part,
        "F",
        _VENDOR,
        needs="energetics",
        ratio_scale=True,
    )
_add(
    "KE_lower_drop",
    "Lower-half energy drop by contact",
    "Lower-half drop",
    "How much of its peak energy the lower half has lost by contact.",
    "(peak − value at contact) ÷ peak × 100",
    "%",
    "peak to contact",
    "energy",
    "legs",
    "F",
    _VENDOR,
    needs="energetics",
)
for _key, _what, _part in _GROUPS_KE:
    _add(
        f"KE_per_kg_{_key}",
        f"Peak kinetic energy per body mass, {_what}",
        f"{_ENERGY[_key]} per kg",
        f"The most kinetic energy of the {_what} for each kilogram of the athlete.",
        "peak kinetic energy ÷ body mass",
        "J/kg",
        _WINDOW_ME,
        "energy",
        _part,
        "F",
        _VENDOR,
        decimals=1,
        ratio_scale=True,
        needs="energetics",
    )

_SHORT_LINE = (
    "the line from wrist to hand is only 8 cm (3 in) long, so without markers its "
    "noise is larger than its rotation"
)
_OWN_INSTANTS = (
    "the shares are magnitudes of vectors at different instants, so they don't add up "
    "to a whole"
)
_RETIRED: dict[str, str] = {
    "peak_hand_omega": _SHORT_LINE,
    "t_peak_hand_omega": _SHORT_LINE,
    "gain_hand_arm": _SHORT_LINE,
    "gain_bat_hand": _SHORT_LINE,
    "x_factor_zero": "in most swings the shoulders have not caught up by "
    "contact, and an average of the rest would describe other swings",
    "tempo": "the ratio follows the start of the clip and noise more than the swing; "
    "both of its durations remain",
    "hand_smoothness": "2 mm of noise move it as much as one swing differs from the "
    "next",
    **{f"L_share_{_key}": _OWN_INSTANTS for _key, _, _ in _GROUPS_L},
    "KE_ratio_torso_lower": "which segments Reboot Motion counts as the lower half "
    "is not known",
    "KE_share_bat_ref": "whether Reboot Motion's total includes the bat is not known",
    "KE_per_kg_bat": "a bat's energy does not grow with the body mass of the hitter",
}
METRICS: dict[str, MetricDefinition] = {
    item.id: replace(item, retired=_RETIRED.get(item.id, "")) for item in _LIST
}
"""All metrics by id, in the order in which tables show them."""

SHOWN_METRICS = tuple(item for item in METRICS.values() if not item.retired)
"""The metrics that are measured, for whatever offers or lists them."""

HEADLINES: tuple[str, ...] = tuple(
    item.id
    for item in sorted(
        (item for item in _LIST if item.headline is not None),
        key=lambda item: item.headline or 0,
    )
)
"""Ids of the numbers shown by default, first first."""

NUMERIC_HEADLINES = tuple(name for name in HEADLINES if METRICS[name].unit != "text")
"""Headlines that are numbers: all but the kinematic sequence, which is text."""


def _series(*items: SeriesDefinition) -> dict[str, SeriesDefinition]:
    """Return the curves by id."""
    return {item.id: item for item in items}


SERIES: dict[str, SeriesDefinition] = _series(
    SeriesDefinition(
        "pelvis_omega",
        "Pelvis rotation speed",
        "How fast the pelvis (hip line) rotates.",
        "deg/s",
        "pelvis",
        "sequence",
    ),
    SeriesDefinition(
        "torso_omega",
        "Torso rotation speed",
        "How fast the torso (shoulder line) rotates.",
        "deg/s",
        "torso",
        "sequence",
    ),
    SeriesDefinition(
        "lead_arm_omega",
        "Lead arm speed",
        "How fast the lead upper arm rotates through space.",
        "deg/s",
        "lead_arm",
        "sequence",
    ),
    SeriesDefinition(
        "lead_forearm_omega",
        "Lead forearm speed",
        "How fast the lead forearm rotates through space.",
        "deg/s",
        "lead_arm",
        "sequence",
    ),
    SeriesDefinition(
        "hand_omega",
        "Lead hand rotation speed",
        "How fast the lead hand rotates.",
        "deg/s",
        "hands",
        "sequence",
    ),
    SeriesDefinition(
        "bat_omega",
        "Bat rotation speed",
        "How fast the bat rotates.",
        "deg/s",
        "bat",
        "sequence",
    ),
    SeriesDefinition(
        "hand_speed",
        "Hand speed",
        "Speed of the midpoint of both hands.",
        "m/s",
        "hands",
        "hands_bat",
        1,
    ),
    SeriesDefinition(
        "bat_speed",
        "Bat speed",
        "Speed of the sweet spot.",
        "m/s",
        "bat",
        "hands_bat",
        1,
    ),
    SeriesDefinition(
        "x_factor",
        "Hip-shoulder separation",
        "Pelvis ahead of the shoulders (+), about the trunk line.",
        "deg",
        "separation",
        "rotation",
    ),
    SeriesDefinition(
        "pelvis_rotation",
        "Pelvis rotation",
        "Hip line from above: 0 sideways, + open.",
        "deg",
        "pelvis",
        "rotation",
    ),
    SeriesDefinition(
        "torso_rotation",
        "Torso rotation",
        "Shoulder line from above: 0 sideways, + open.",
        "deg",
        "torso",
        "rotation",
    ),
    SeriesDefinition(
        "side_bend",
        "Side bend",
        "Sideways tilt of the trunk, + to the rear side.",
        "deg",
        "torso",
        "posture",
    ),
    SeriesDefinition(
        "forward_bend",
        "Forward bend",
        "Lean of the trunk over the plate.",
        "deg",
        "torso",
        "posture",
    ),
    SeriesDefinition(
        "lead_knee_flexion",
        "Lead knee bend",
        "0 is straight.",
        "deg",
        "legs",
        "posture",
    ),
    SeriesDefinition(
        "rear_knee_flexion",
        "Rear knee bend",
        "0 is straight.",
        "deg",
        "legs",
        "posture",
    ),
    SeriesDefinition(
        "lead_elbow_flexion",
        "Lead elbow bend",
        "0 is straight.",
        "deg",
        "lead_arm",
        "posture",
    ),
    SeriesDefinition(
        "rear_elbow_flexion",
        "Rear elbow bend",
        "0 is straight.",
        "deg",
        "lead_arm",
        "posture",
    ),
    SeriesDefinition(
        "com_speed",
        "Body speed",
        "Speed of the center of mass.",
        "m/s",
        "body",
        "posture",
        1,
    ),
    SeriesDefinition(
        "l_pelvis",
        "Angular momentum, pelvis",
        "Magnitude of the angular-momentum vector.",
        "kg·m²/s",
        "pelvis",
        "momentum",
        1,
    ),
    SeriesDefinition(
        "l_torso",
        "Angular momentum, upper trunk",
        "Magnitude of the angular-momentum vector.",
        "kg·m²/s",
        "torso",
        "momentum",
        1,
    ),
    SeriesDefinition(
        "l_arms",
        "Angular momentum, arms",
        "Magnitude of the angular-momentum vector.",
        "kg·m²/s",
        "lead_arm",
        "momentum",
        1,
    ),
    SeriesDefinition(
        "l_bat",
        "Angular momentum, bat",
        "Magnitude of the angular-momentum vector.",
        "kg·m²/s",
        "bat",
        "momentum",
        1,
    ),
    SeriesDefinition(
        "ke_lower",
        "Kinetic energy, lower half",
        "Energy of motion.",
        "J",
        "legs",
        "energy",
    ),
    SeriesDefinition(
        "ke_torso",
        "Kinetic energy, upper trunk",
        "Energy of motion.",
        "J",
        "torso",
        "energy",
    ),
    SeriesDefinition(
        "ke_arms",
        "Kinetic energy, arms",
        "Energy of motion.",
        "J",
        "lead_arm",
        "energy",
    ),
    SeriesDefinition(
        "ke_bat", "Kinetic energy, bat", "Energy of motion.", "J", "bat", "energy"
    ),
    SeriesDefinition(
        "ke_total",
        "Kinetic energy, total as delivered",
        "Energy of motion.",
        "J",
        "body",
        "energy",
    ),
)
"""All curves by name."""
