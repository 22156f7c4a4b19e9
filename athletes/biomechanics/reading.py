"""One movement, read: clock, side, axes, events and curves.

Numbers are taken from a `Reading` by `metrics`, and its worth judged by `quality`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from athletes.biomechanics import (
    angle_columns,
    axes,
    bat,
    events,
    kinematics,
    momentum,
    side,
    signals,
)
from athletes.biomechanics.events import Found, HandPeak
from athletes.biomechanics.kinematics import Body
from athletes.biomechanics.momentum import Energetics
from athletes.biomechanics.motion import (
    PLACES,
    Columns,
    Motion,
    Points,
    VendorClock,
    read_motion,
    read_vendor_clock,
    spoken,
)
from athletes.biomechanics.results import AngleUnit, Finding, FloatArray, Kind
from athletes.biomechanics.side import Bats, SideVerdict
from athletes.biomechanics.signals import Clock
from athletes.biomechanics.units import DEG_PER_RAD

SHORTEST_S = 0.4
AFTER_HAND_PEAK_S = 0.030
AFTER_BAT_PEAK_S = 0.010
START_BACK_S = 1.5
AROUND_HANDS_S = 0.05
HANDS_APART_ARMS = 1.5
"""Wrists further apart than this many upper arms do not hold one bat (choice)."""
# Below two of these three nothing is swung (choice; a good half of the plausible
# minimum of a swing).
SWING_PELVIS_DEG_PER_S = 180.0
SWING_TORSO_DEG_PER_S = 250.0
SWING_HAND_M_PER_S = 3.0

REFERENCE_WORDS = {
    "contact": "contact",
    "bat_peak": "peak bat speed",
    "hand_peak": "peak hand speed",
    "manual": "set by hand",
}


@dataclass(eq=False)
class Reading:
    """What is known of one movement; filled in order by `read`.

    Positions are fractional samples of `clock`. Arrays have shape (n,) or (n, 3).
    """

    motion: Motion
    kind: Kind
    kind_reason: str | None
    low: int
    high: int
    side: SideVerdict
    exchanged: bool
    raw: Points
    trunk: Points
    limbs: Points
    body: Body
    hand_peak: HandPeak | None
    hand_speed: FloatArray
    lead_hand_speed: FloatArray
    rear_hand_speed: FloatArray
    vendor: VendorClock
    energetics: Energetics
    bat: bat.BatMotion | None
    bat_reason: str | None
    events: dict[str, Found]
    automatic: dict[str, Found]
    vertical: FloatArray | None
    forward: FloatArray | None
    pelvis_rate: FloatArray
    torso_rate: FloatArray
    separation: FloatArray
    angle_unit: AngleUnit = "unknown"
    angle_doubtful: bool = False
    findings: dict[str, Finding] = field(default_factory=dict)
    cache: dict[str, FloatArray] = field(default_factory=dict)

    @property
    def clock(self) -> Clock:
        """The uniform clock."""
        return self.motion.clock

    @property
    def rate_hz(self) -> float:
        """Sampling rate."""
        return self.motion.rate_hz

    @property
    def hand(self) -> float:
        """+1 when the left limbs lead."""
        return self.side.hand

    def position(self, event: str) -> float | None:
        """Position of an event, ``None`` if it was not found."""
        found = self.events.get(event)
        return None if found is None else found.position

    @property
    def reference_rule(self) -> str:
        """The rule behind the reference."""
        return self.events["reference"].rule

    def lead(self, point: str) -> str:
        """Name of a leading joint centre, e.g. ``lead("kjc")``."""
        return ("l" if self.hand > 0 else "r") + point

    def rear(self, point: str) -> str:
        """Name of a rear joint centre."""
        return ("r" if self.hand > 0 else "l") + point

    def sequence_window(self) -> tuple[int, int] | None:
        """First move to reference, plus 30 ms when that is peak hand speed."""
        start, end = self.position("first_move"), self.position("reference")
        if start is None or end is None:
            return None
        if self.reference_rule == "hand_peak":
            end += AFTER_HAND_PEAK_S * self.rate_hz
        return self.window(start, end)

    def window(self, start: float, end: float) -> tuple[int, int]:
        """Samples from `start` to `end`, held to the usable part of the clip."""
        return (
            max(math.ceil(start - 1e-6), self.low),
            min(math.floor(end + 1e-6), self.high),
        )

    def why(self, names: Sequence[str], low: float, high: float) -> str | None:
        """Say which of the points is not in the file or lost in samples low…high."""
        for name in names:
            delivered = name
            if self.exchanged and name != "head":
                delivered = ("r" if name[0] == "l" else "l") + name[1:]
            if delivered in self.motion.absent:
                return f"the {spoken(name)} is not in the file"
            gap = self.gap_s(delivered, low, high)
            if gap > 0.0:
                return f"the {spoken(name)} is missing for {gap * 1000:.0f} ms"
        return None

    def gap_s(self, delivered: str, low: float, high: float) -> float:
        """Longest stretch without a point that touches samples low…high, seconds."""
        unknown = self.motion.unknown
        if unknown is None:
            return 0.0
        rows = unknown[:, PLACES[delivered]]
        margin = self.motion.gap_margin
        start = max(math.floor(low) - margin, 0)
        end = min(math.ceil(high) + margin, rows.size - 1)
        if not rows[start : end + 1].any():
            return 0.0
        edges = np.flatnonzero(np.diff(np.concatenate(([0], rows.view(np.int8), [0]))))
        longest = 0
        for first, after in edges.reshape(-1, 2):
            if first <= end and after > start:
                longest = max(longest, int(after - first))
        return longest / self.rate_hz

    def flexion(self, which: str, joint: str) -> FloatArray:
        """Bend of ``knee`` or ``elbow`` of the ``lead`` or ``rear`` limb, degrees."""
        key = f"{which}_{joint}_flexion"
        if key not in self.cache:
            name = self.lead if which == "lead" else self.rear
            chain = ("hjc", "kjc", "ajc") if joint == "knee" else ("sjc", "ejc", "wjc")
            self.cache[key] = kinematics.flexion(
                *(self.limbs[name(point)] for point in chain)
            )
        return self.cache[key]

    def limb_rate(self, key: str) -> FloatArray:
        """Turn rate of ``lead_arm``, ``lead_forearm`` or ``hand``, deg/s."""
        if key not in self.cache:
            ends = {
                "lead_arm": ("sjc", "ejc"),
                "lead_forearm": ("ejc", "wjc"),
                "hand": ("wjc", "hand"),
            }[key]
            line = axes.unit(
                self.limbs[self.lead(ends[1])] - self.limbs[self.lead(ends[0])]
            )
            # ‖du/dt‖ and ‖u × du/dt‖ are the same; this one needs no cross product.
            self.cache[key] = DEG_PER_RAD * axes.length(
                signals.derivative(line, sampling_rate_hz=self.rate_hz)
            )
        return self.cache[key]

    def rotation(self, which: str) -> FloatArray | None:
        """Heading of ``pelvis`` or ``torso`` to forward, degrees, on FD's branch."""
        if self.vertical is None or self.forward is None:
            return None
        key = f"{which}_rotation"
        if key not in self.cache:
            line = self.body.pelvis if which == "pelvis" else self.body.shoulders
            angle = kinematics.rotation(
                line, forward=self.forward, vertical=self.vertical, hand=self.hand
            )
            self.cache[key] = kinematics.on_branch(
                angle, self.position("foot_down") or self.position("reference")
            )
        return self.cache[key]

    def heading(self, which: str) -> FloatArray:
        """Heading of ``pelvis`` or ``torso`` to some level direction, degrees."""
        if self.vertical is None:
            raise ValueError("a heading needs a vertical")
        axis = np.roll(self.vertical, 1)
        line = self.body.pelvis if which == "pelvis" else self.body.shoulders
        return kinematics.rotation(
            line, forward=axis, vertical=self.vertical, hand=self.hand
        )

    def bend(self, which: str) -> FloatArray | None:
        """``side`` or ``forward`` bend, degrees."""
        if self.vertical is None:
            return None
        key = f"{which}_bend"
        if key not in self.cache:
            self.cache[key] = (
                kinematics.side_bend(
                    self.body.trunk, self.body.shoulders, vertical=self.vertical
                )
                if which == "side"
                else kinematics.forward_bend(
                    self.body.trunk,
                    self.body.shoulders,
                    vertical=self.vertical,
                    hand=self.hand,
                )
            )
        return self.cache[key]

    def com_speed(self) -> FloatArray | None:
        """Speed of the delivered centre of mass, m/s."""
        centre = self.energetics.centre_of_mass
        if centre is None or not np.isfinite(centre).any():
            return None
        if "com_speed" not in self.cache:
            filled, unknown = signals.fill_gaps(centre, sampling_rate_hz=self.rate_hz)
            smooth = signals.lowpass(
                filled, cutoff_hz=12.0, sampling_rate_hz=self.rate_hz
            )
            speed = axes.length(
                signals.derivative(smooth, sampling_rate_hz=self.rate_hz)
            )
            if unknown is not None:
                speed = np.where(unknown.any(axis=1), np.nan, speed)
            self.cache["com_speed"] = speed
        return self.cache["com_speed"]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that gives no motion at all."""

    code: str
    reason: str
    clock: Clock | None


def _hands(points: Points, hands: bool) -> tuple[FloatArray, FloatArray]:
    kind = "hand" if hands else "wjc"
    return points["l" + kind], points["r" + kind]


def _nothing(count: int) -> FloatArray:
    return np.full(count, np.nan)


def read(
    columns: Columns,
    energetics: Columns | None,
    *,
    bats: Bats | None,
    contact_time_s: float | None,
    overrides: Mapping[str, float],
    forward_axis: Sequence[float] | None,
) -> Reading | Unreadable:
    """Read one movement; see `swing.analyse_swing` for the parameters."""
    if "time" not in columns:
        return Unreadable("no_clock", "The file has no time column.", None)
    try:
        clock = signals.read_clock(columns["time"])
    except signals.ClockError as error:
        return Unreadable("no_clock", f"The clock cannot be read: {error}.", None)
    length_s = clock.step_s * (clock.count - 1)
    if length_s < SHORTEST_S:
        return Unreadable(
            "too_short",
            f"The clip is {length_s:.2f} s long; a swing needs {SHORTEST_S} s.",
            clock,
        )
    motion = read_motion(columns, clock)
    for needed in ("lhjc", "rhjc", "lsjc", "rsjc"):
        if needed in motion.absent:
            return Unreadable(
                "no_points",
                f"The {spoken(needed)} is not in the file; without hips and shoulders "
                "there is nothing to measure.",
                clock,
            )
    rate = motion.rate_hz
    edge = math.ceil(signals.EDGE_S * rate - 1e-6)
    low, high = edge, motion.count - 1 - edge
    vendor = read_vendor_clock((columns, energetics), step_s=clock.step_s)
    vendor_position = (
        None if vendor.max_hand_s is None else motion.index(vendor.max_hand_s)
    )
    if vendor_position is not None and not 0 <= vendor_position <= motion.count - 1:
        vendor_position = None

    left, right = _hands(motion.limbs, motion.hand_is == "hands")
    both = np.hstack((left, right, 0.5 * (left + right)))
    velocity = signals.derivative(both, sampling_rate_hz=rate)
    left_speed = axes.length(velocity[:, :3])
    right_speed = axes.length(velocity[:, 3:6])
    hand_speed = axes.length(velocity[:, 6:])

    def peak_of(speed: FloatArray) -> HandPeak | None:
        return events.find_hand_peak(
            speed,
            sampling_rate_hz=rate,
            low=low,
            high=high,
            vendor_position=vendor_position,
        )

    hand_peak = peak_of(hand_speed)
    one_handed = False
    if hand_peak is not None:
        apart = _hands_apart(motion, hand_peak.peak.index)
        if apart is not None and apart > HANDS_APART_ARMS:
            one_handed = True
            choices = [
                (found.peak.value, found, speed)
                for speed in (left_speed, right_speed)
                if (found := peak_of(speed)) is not None
            ]
            if choices:
                _, hand_peak, hand_speed = max(choices, key=lambda item: item[0])
    contact_given = overrides.get("contact", contact_time_s)
    anchor: float | None = None
    if hand_peak is not None:
        anchor = hand_peak.peak.top
    elif contact_given is not None:
        anchor = motion.index(contact_given)
    elif "reference" in overrides:
        anchor = motion.index(overrides["reference"])
    if anchor is None:
        why = next(
            (
                f"the {spoken(name)} is not in the file"
                for name in ("lwjc", "rwjc")
                if name in motion.absent
            ),
            "the hands could not be followed",
        )
        return Unreadable("no_hands", f"No swing was found: {why}.", clock)

    # The lines do not depend on the side but for their sign: left leads until known.
    before = math.floor(anchor - 0.6 * rate)
    at = math.ceil(anchor)
    exchange = side.names_exchanged(motion, before, at)
    exchanged = exchange.value is True
    trunk = Points(motion.trunk.values, exchanged)
    limbs = Points(motion.limbs.values, exchanged)
    body = kinematics.body_lines(
        (trunk["lhjc"], trunk["rhjc"]),
        (trunk["lsjc"], trunk["rsjc"]),
        hand=1.0,
        sampling_rate_hz=rate,
    )
    turn_low, turn_high = max(low, math.floor(anchor - 0.3 * rate)), min(high, at)
    share, _ = side.turn_direction(body, turn_low, turn_high)
    kind, kind_reason = _kind(
        body,
        hand_peak,
        motion,
        low=turn_low,
        high=min(high, at + round(0.05 * rate)),
        one_handed=one_handed,
    )
    verdict = side.find_side(share, bats=bats, moving=kind != "not_swing")
    if verdict.hand < 0:
        body = kinematics.Body(
            hand=-1.0,
            pelvis=-body.pelvis,
            shoulders=-body.shoulders,
            trunk=body.trunk,
            mid_hip=body.mid_hip,
            mid_shoulder=body.mid_shoulder,
            pelvis_turn=body.pelvis_turn,
            torso_turn=body.torso_turn,
        )
    left_leads = (verdict.hand > 0) != exchanged
    energy = momentum.read_energetics(energetics, kinematics=columns, clock=clock)
    reading = Reading(
        motion=motion,
        kind=kind,
        kind_reason=kind_reason,
        low=low,
        high=high,
        side=verdict,
        exchanged=exchanged,
        raw=Points(motion.raw.values, exchanged),
        trunk=trunk,
        limbs=limbs,
        body=body,
        hand_peak=hand_peak,
        hand_speed=hand_speed,
        lead_hand_speed=left_speed if left_leads else right_speed,
        rear_hand_speed=right_speed if left_leads else left_speed,
        vendor=vendor,
        energetics=energy,
        bat=None,
        bat_reason=None,
        events={},
        automatic={},
        vertical=None,
        forward=None,
        pelvis_rate=_nothing(motion.count),
        torso_rate=_nothing(motion.count),
        separation=kinematics.twist(
            body.pelvis, body.shoulders, body.trunk, hand=body.hand
        ),
    )
    reading.findings |= {
        "side": verdict.finding,
        "mirrored": verdict.mirror_finding,
        "names_exchanged": exchange,
        "length_unit": motion.scale_finding,
        "sampling_rate": Finding(
            round(rate, 4),
            f"The clip runs at {rate:.0f} frames a second.",
            {
                "irregular_share": round(clock.irregular_share, 4),
                "resampled": clock.row_times_s is not None,
            },
        ),
        "hands": Finding(
            motion.hand_is, f"Hand speed is that of the {motion.hand_is}."
        ),
        "head": Finding(motion.head_is, f"The head point is the {motion.head_is}."),
    }
    _find_vertical(reading, before, at)
    _signed_rates(reading, turn_low, turn_high)
    if kind != "not_swing":
        _find_bat(reading, anchor, contact_given)
        _find_events(reading, contact_time_s, overrides)
    else:
        reading.events = _no_events(kind_reason or "this is not a swing")
        reading.automatic = dict(reading.events)
    _find_forward(reading, forward_axis)
    _read_angles(reading, columns, anchor)
    return reading


def _hands_apart(motion: Motion, index: int) -> float | None:
    reach = round(AROUND_HANDS_S * motion.rate_hz)
    rows = slice(max(index - reach, 0), index + reach + 1)
    p = motion.limbs
    apart = axes.length(p["lwjc"][rows] - p["rwjc"][rows])
    arm = axes.length(p["lsjc"][rows] - p["lejc"][rows])
    if not (np.isfinite(apart).all() and np.isfinite(arm).all()):
        return None
    size = float(np.median(arm))
    return float(np.median(apart)) / size if size > 0 else None


def _kind(
    body: Body,
    hand_peak: HandPeak | None,
    motion: Motion,
    *,
    low: int,
    high: int,
    one_handed: bool,
) -> tuple[Kind, str | None]:
    tops: list[tuple[float, float, str]] = []
    for turning, least, what in (
        (body.pelvis_turn, SWING_PELVIS_DEG_PER_S, "the pelvis turns at"),
        (body.torso_turn, SWING_TORSO_DEG_PER_S, "the shoulders turn at"),
    ):
        size = axes.length(turning[low : high + 1])
        size = size[np.isfinite(size)]
        if size.size:
            tops.append((float(size.max()), least, what))
    slow = [item for item in tops if item[0] < item[1]]
    words = [f"{what} {top:.0f} °/s" for top, _, what in slow]
    if hand_peak is not None and motion.scale is not None:
        tops.append((hand_peak.peak.value, SWING_HAND_M_PER_S, ""))
        if hand_peak.peak.value < SWING_HAND_M_PER_S:
            slow.append(tops[-1])
            words.append(f"the hands move at {hand_peak.peak.value:.1f} m/s")
    if len(slow) >= 2 or (slow and len(tops) < 2):
        return "not_swing", ("this is not a swing: at most " + " and ".join(words))
    if one_handed:
        return "one_handed", "the hands are apart at their fastest: not a bat swing"
    return "swing", None


def _find_vertical(reading: Reading, low: int, high: int) -> None:
    p = reading.motion.limbs
    rows = slice(max(low, 0), high + 1)
    ankles = 0.5 * (p["lajc"][rows] + p["rajc"][rows])
    if {"lajc", "rajc"} & reading.motion.absent:
        ankles = reading.body.mid_hip[rows]
    found = axes.find_vertical(reading.body.mid_shoulder[rows] - ankles)
    reading.vertical = found.axis
    lean = found.lean_deg
    reading.findings["vertical"] = Finding(
        found.name,
        f"Up is {found.name}."
        if found.name
        else "No axis of the file points up along the standing body; numbers that "
        "need the vertical are left out.",
        {"body_lean_deg": None if lean is None else round(lean, 1)},
    )


def _signed_rates(reading: Reading, low: int, high: int) -> None:
    body = reading.body
    for name in ("pelvis", "torso"):
        turning = body.pelvis_turn if name == "pelvis" else body.torso_turn
        axis = kinematics.main_axis(turning, low, high)
        rate = _nothing(reading.motion.count) if axis is None else turning @ axis
        if name == "pelvis":
            reading.pelvis_rate = rate
        else:
            reading.torso_rate = rate


def _find_bat(reading: Reading, anchor: float, contact_s: float | None) -> None:
    motion, rate = reading.motion, reading.rate_hz
    check = bat.check_bat(
        motion.bat, hand_peak=anchor, sampling_rate_hz=rate, scale=motion.scale
    )
    reason = check.reason
    out_of_range = momentum.bat_out_of_range(
        reading.energetics,
        low=math.floor(anchor - 0.2 * rate),
        high=math.ceil(anchor + 0.1 * rate),
    )
    if out_of_range is not None:
        reason = out_of_range
    elif reading.kind == "one_handed":
        reason = "not a bat swing"
    if reason is None and motion.bat is not None:
        reading.bat = bat.bat_motion(
            motion.bat,
            sampling_rate_hz=rate,
            scale=motion.scale,
            contact=None if contact_s is None else motion.index(contact_s),
        )
    reading.bat_reason = reason
    reading.findings["bat"] = Finding(
        reading.bat is not None,
        "The bat was tracked."
        if reading.bat is not None
        else f"No bat numbers from points: {reason}.",
        {**check.evidence, "points": list(motion.bat.names) if motion.bat else []},
    )


def _no_events(reason: str) -> dict[str, Found]:
    return {
        name: Found(None, rule, "low", reason)
        for name, rule in (
            ("load", "pelvis_most_closed"),
            ("first_move", "pelvis_rate_15_percent"),
            ("foot_down", "ankle_settles"),
            ("peak_hand_speed", "hand_peak"),
            ("reference", "hand_peak"),
        )
    }


def _find_events(
    reading: Reading, contact_time_s: float | None, overrides: Mapping[str, float]
) -> None:
    """Fill `events` and `automatic`; a moved event moves what depends on it."""
    reading.automatic = _events(reading, contact_time_s, {})
    reading.events = (
        _events(reading, contact_time_s, overrides)
        if overrides
        else dict(reading.automatic)
    )


def _events(
    reading: Reading, contact_time_s: float | None, overrides: Mapping[str, float]
) -> dict[str, Found]:
    motion, rate, low = reading.motion, reading.rate_hz, reading.low
    found: dict[str, Found] = {}

    def moved(name: str) -> Found | None:
        if name not in overrides:
            return None
        return Found(motion.index(overrides[name]), "manual", "manual")

    hand = reading.hand_peak
    trusted = False
    if hand is None:
        found["peak_hand_speed"] = Found(
            None, "hand_peak", "low", "the hands could not be followed"
        )
    else:
        trusted = hand.agrees is True
        mismatch = hand.agrees is False
        found["peak_hand_speed"] = Found(
            hand.peak.top,
            "hand_peak",
            "low" if mismatch else "rule",
            f"the vendor puts peak hand speed {abs(hand.off_s or 0.0) * 1000:.0f} ms "
            f"{'earlier' if (hand.off_s or 0.0) > 0 else 'later'}"
            if mismatch
            else None,
        )
    found["peak_hand_speed"] = moved("peak_hand_speed") or found["peak_hand_speed"]
    hand_at = found["peak_hand_speed"].position

    manual_contact = moved("contact")
    usable_contact: float | None = None
    if manual_contact is not None:
        found["contact"] = manual_contact
        usable_contact = manual_contact.position
    elif contact_time_s is not None:
        position = motion.index(contact_time_s)
        inside = 0 <= position <= motion.count - 1
        after, until = events.CONTACT_AROUND_HAND_PEAK_S
        fits = hand_at is None or after <= (position - hand_at) / rate <= until
        found["contact"] = Found(
            position if inside else None,
            "contact",
            "vendor" if inside and fits else "low",
            None
            if inside and fits
            else "the delivered contact does not fit peak hand speed and was not used"
            if inside
            else "the delivered contact lies outside the clip",
        )
        usable_contact = position if inside and fits else None

    if reading.bat is not None and reading.bat.speed is not None:
        around = hand_at if hand_at is not None else usable_contact
        peak = None
        if around is not None:
            start, end = reading.window(
                around + bat.PEAK_AROUND_S[0] * rate,
                min(around + bat.PEAK_AROUND_S[1] * rate, reading.bat.last),
            )
            peak = signals.find_peak(
                reading.bat.speed, start, end, limit=reading.bat.last
            )
        found["bat_peak"] = (
            Found(None, "bat_peak", "low", "bat speed has no peak near the hands'")
            if peak is None
            else Found(
                peak.top,
                "bat_peak",
                "low" if peak.at_edge and usable_contact is None else "rule",
                "bat speed is still rising where the search ends"
                if peak.at_edge and usable_contact is None
                else None,
            )
        )
    if "bat_peak" in overrides:
        found["bat_peak"] = Found(
            motion.index(overrides["bat_peak"]), "manual", "manual"
        )

    bat_peak = found.get("bat_peak")
    reference = moved("reference")
    if reference is not None:
        pass
    elif usable_contact is not None:
        chosen = found["contact"]
        reference = Found(usable_contact, "contact", chosen.confidence, chosen.reason)
    elif bat_peak is not None and bat_peak.position is not None:
        reference = Found(
            bat_peak.position, "bat_peak", bat_peak.confidence, bat_peak.reason
        )
    else:
        chosen = found["peak_hand_speed"]
        reference = Found(
            chosen.position, "hand_peak", chosen.confidence, chosen.reason
        )
    found["reference"] = reference
    at = reference.position
    if at is None:
        return found | {
            name: moved(name) or item
            for name, item in _no_events("there is no reference event").items()
            if name in ("load", "first_move", "foot_down")
        }

    found["first_move"] = moved("first_move") or events.find_first_move(
        reading.pelvis_rate, reference=at, sampling_rate_hz=rate, low=low
    )
    first = found["first_move"].position
    found["load"] = moved("load") or (
        Found(None, "pelvis_most_closed", "low", "first move was not found")
        if first is None
        else events.find_load(
            reading.pelvis_rate, first_move=first, sampling_rate_hz=rate, low=low
        )
    )
    found["foot_down"] = moved("foot_down") or _foot_down(reading, at, trusted=trusted)
    return found


def _foot_down(reading: Reading, reference: float, *, trusted: bool) -> Found:
    motion, rate = reading.motion, reading.rate_hz
    ankle = reading.lead("ajc")
    if reading.vertical is None:
        rule = Found(
            None,
            "ankle_settles",
            "low",
            "which way is up could not be told, so the foot's landing neither",
        )
    else:
        height = reading.limbs[ankle] @ reading.vertical
        still = events.FOOT_STILL_M_PER_S
        if motion.scale is None:
            leg = leg_length(reading)
            still = still * (leg / events.LEG_M if leg is not None else 1.0)
        rule = events.find_foot_down(
            signals.derivative(height, sampling_rate_hz=rate),
            reference=reference,
            sampling_rate_hz=rate,
            low=reading.low,
            still=still,
        )
        if rule.position is None:
            why = reading.why([ankle], reference - rate, reference)
            if why is not None:
                rule = Found(None, rule.rule, "low", why)
    vendor_s = reading.vendor.foot_down_s
    return events.choose_foot_down(
        rule,
        vendor_position=None if vendor_s is None else motion.index(vendor_s),
        vendor_trusted=trusted,
        reference=reference,
        sampling_rate_hz=rate,
    )


def leg_length(reading: Reading) -> float | None:
    """Median thigh plus shank of the lead leg, in the unit of the points."""
    p = reading.limbs
    hip, knee, ankle = (p[reading.lead(name)] for name in ("hjc", "kjc", "ajc"))
    parts = axes.length(hip - knee) + axes.length(knee - ankle)
    parts = parts[np.isfinite(parts)]
    return float(np.median(parts)) if parts.size else None


def _find_forward(reading: Reading, forward_axis: Sequence[float] | None) -> None:
    """Set the forward direction, then sign the rates over the real window."""
    window = reading.sequence_window()
    if window is not None and window[1] > window[0]:
        _signed_rates(reading, *window)
    vertical = reading.vertical
    if vertical is None:
        reading.findings["forward"] = Finding(
            None, "Without a vertical there is no forward direction."
        )
        return
    if forward_axis is not None:
        given = axes.horizontal(np.asarray(forward_axis, dtype=np.float64), vertical)
        size = float(np.sqrt(given @ given))
        if not size > 1e-6:
            raise ValueError(
                f"forward_axis {tuple(forward_axis)} must have a level part"
            )
        reading.forward = given / size
        reading.findings["forward"] = Finding(
            [round(float(v), 4) for v in reading.forward],
            "Forward is the given axis.",
            {"source": "given"},
        )
        return
    down = reading.position("foot_down")
    line: FloatArray | None = None
    if down is not None:
        ankles = reading.limbs[reading.lead("ajc")] - reading.limbs[reading.rear("ajc")]
        line = signals.rows_at(ankles, down)
    if line is None:
        reading.findings["forward"] = Finding(
            None,
            "The forward direction is the line of the feet at foot down, and that "
            "could not be found.",
        )
        return
    level = axes.horizontal(line, vertical)
    size = float(np.sqrt(level @ level))
    if size <= 0.0:
        reading.findings["forward"] = Finding(None, "The feet stand on one point.")
        return
    forward = level / size
    reading.forward = forward
    vendor_y = axes.horizontal(np.array([0.0, 1.0, 0.0]), vertical)
    off = None
    if float(vendor_y @ vendor_y) > 0.5:
        off = math.degrees(
            math.acos(max(-1.0, min(1.0, float(forward @ axes.unit(vendor_y)))))
        )
    reading.findings["forward"] = Finding(
        [round(float(v), 4) for v in forward],
        "Forward is the line of the feet at foot down (stride line), not the field's.",
        {
            "source": "stride_line",
            "off_axis_y_deg": None if off is None else round(off, 1),
        },
    )


def _read_angles(reading: Reading, columns: Columns, anchor: float) -> None:
    rate = reading.rate_hz
    flexions = {}
    for column_side, letter in (("left", "l"), ("right", "r")):
        leads = reading.lead("kjc").startswith(letter) != reading.exchanged
        which = "lead" if leads else "rear"
        for joint in ("knee", "elbow"):
            if f"{column_side}_{joint}" in columns:
                flexions[f"{column_side}_{joint}"] = reading.flexion(which, joint)
    verdict = angle_columns.read_angle_columns(
        columns,
        reading.clock,
        flexions=flexions,
        pelvis_rate=reading.pelvis_rate,
        torso_rate=reading.torso_rate,
        separation=reading.separation,
        low=max(reading.low, math.floor(anchor - 0.5 * rate)),
        high=min(reading.high, math.ceil(anchor + 0.15 * rate)),
    )
    reading.angle_unit = verdict.unit
    reading.angle_doubtful = verdict.doubtful
    reading.findings |= verdict.findings
