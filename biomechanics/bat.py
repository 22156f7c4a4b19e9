"""Speed, directions and path of the bat, from its tracked points alone.

Nothing about the bat is ever derived from hands or energy.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import scipy  # By its parts when first used; see `signals`.

from biomechanics import axes, kinematics, peaks, rod, signals
from biomechanics.analysis_types import FloatArray
from biomechanics.impact import Impact, ImpactSearch, find_impact, seen_frames
from biomechanics.motion import BAT_CUTOFF_HZ, BAT_CUTOFF_LOW_RATE_HZ, BAT_LOW_RATE_HZ
from biomechanics.peaks import Peak
from biomechanics.points import BatPoints
from biomechanics.rod import RodMotion
from biomechanics.units import DEG_PER_RAD

SWEET_SPOT_FROM_TIP_M = 0.1524
"""Six inches, the point that Statcast and Blast use."""
Read = Callable[[RodMotion, float], FloatArray]
"""Reads a number from a fitted motion at a sample: one, or one for each of several
motions whose coefficients have a first axis more."""
BAT_LENGTH_WANDER = 0.05
BAT_LENGTH_M = (0.60, 0.95)
"""Between knob and tip: the shortest tee-ball bat and more than the longest bat."""
HANDLE_TO_SWEET_SPOT_M = (0.35, 0.95)
"""Between some point of the handle and a delivered sweet spot."""
BEFORE_HAND_PEAK_S = 0.30
AFTER_HAND_PEAK_S = 0.02
"""The bat is needed at least this long around peak hand speed."""
PEAK_AROUND_S = (-0.03, 0.15)
ATTACK_S = 0.010
TILT_S = 0.040
FIT_S = 0.040
"""Stretch from which the motion at an instant is fitted."""
FIT_AFTER_S = 0.020
"""Part of it that may follow the instant, where no impact is near."""
FIT_LONGEST_S = 0.065
FALL_AFTER_S, FALL_SHARE, FALL_OVER_S = 0.015, 0.16, 0.010
"""A swing without a ball loses less of its speed in the time after its peak."""
AT_CONTACT_LEAST = 0.945
"""A bat that meets a ball is nearly at its fastest: at least so much of its highest
speed (invented hits of 24 hitters with up to 5 mm of noise: 0.952 and more; noise taken
for a ball: 0.83 to 0.941)."""
CARRY_S = 0.012
"""How far a fit may be carried past its last frame."""
_INSTANTS = 21

Ends = Literal["as named", "exchanged", "unclear"]


@dataclass(frozen=True, slots=True, eq=False)
class BatMotion:
    """Filtered bat on the movement's clock, and its motion at single instants.

    The curves are filtered up to the impact and never across it: after the last
    frame before it they are carried on by the fitted motion.

    Attributes
    ----------
    line : ndarray, shape (n, 3)
        Unit vectors from knob to tip. Rows after `last` are NaN.
    rate : ndarray, shape (n,)
        Turn rate, deg/s.
    sweet_spot, velocity : ndarray, shape (n, 3), or None
        ``None`` when the sweet spot cannot be placed without a length unit.
    speed : ndarray, shape (n,), or None
    tip : ndarray, shape (n, 3), or None
    last : int
        Last sample: the one after the impact, or the end of what was tracked.
    clean : int
        Last frame before the impact, or of what was tracked.
    impact : ImpactSearch
    along : float or None
        Distance of the sweet spot from the knob.
    points : BatPoints
    frames : ndarray of int
        Frames up to `clean` in which the bat was seen.
    noise_mm : float
        Of one coordinate of its points; with an unknown length unit, 0.
    fits : dict of float to RodMotion or None
        Motions that were asked for once already.
    """

    line: FloatArray
    rate: FloatArray
    sweet_spot: FloatArray | None
    velocity: FloatArray | None
    speed: FloatArray | None
    tip: FloatArray | None
    last: int
    clean: int
    low_rate: bool
    impact: ImpactSearch
    along: float | None
    points: BatPoints
    frames: npt.NDArray[np.intp]
    rate_hz: float
    noise_mm: float
    fits: dict[float, RodMotion | None] = field(default_factory=dict, init=False)

    def fit(self, at: float) -> RodMotion | None:
        """Return the fitted motion around an instant, ``None`` without the frames."""
        if at not in self.fits:
            self.fits[at] = _fit_around(self.points, self.frames, at, self.rate_hz)
        return self.fits[at]


@dataclass(frozen=True, slots=True)
class BatCheck:
    """Whether the points of a bat may be used.

    Attributes
    ----------
    reason : str or None
        Why not.
    evidence : dict
        Length of the bat in meters, and by which share of it the length changes.
    """

    usable: bool
    reason: str | None
    evidence: dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Reading:
    """A number at an instant, with one standard deviation of its measurement."""

    value: float
    uncertainty: float


def tracked_until(
    points: BatPoints, *, hand_peak: float, sampling_rate_hz: float
) -> int:
    """Return the last frame before the bat is lost for long, after peak hand speed."""
    start = max(0, math.ceil(hand_peak + AFTER_HAND_PEAK_S * sampling_rate_hz))
    lost = np.flatnonzero(points.unknown[start:])
    return start + int(lost[0]) - 1 if lost.size else points.unknown.size - 1


def which_ends(
    points: BatPoints, hands: FloatArray, *, hand_peak: float, sampling_rate_hz: float
) -> Ends:
    """Return whether knob and tip are what their names say.

    The knob is nearer the hands in most frames of the swing, and the tip is faster in
    the 50 ms around peak hand speed; ``unclear`` when the two contradict each other.

    Parameters
    ----------
    hands : ndarray, shape (n, 3)
        Middle of both hands.
    """
    rate, middle = sampling_rate_hz, round(hand_peak)
    low = max(0, middle - math.ceil(BEFORE_HAND_PEAK_S * rate))
    swing = slice(low, middle + math.ceil(0.1 * rate) + 1)
    known = np.isfinite(hands[swing]).all(axis=1) & ~points.unknown[swing]
    if np.count_nonzero(known) < 3:
        return "as named"
    turned = _turned(points, hands)[swing]
    nearer = np.count_nonzero(turned[known]) <= 0.5 * np.count_nonzero(known)
    reach = math.ceil(0.05 * rate)
    rows = slice(max(0, middle - reach), middle + reach + 1)
    knob, end = points.knob[rows].copy(), points.end[rows].copy()
    other = _turned(points, hands)[rows] == nearer
    knob[other], end[other] = end[other].copy(), knob[other].copy()
    slower = (
        axes.length(np.diff(knob, axis=0)).sum()
        <= axes.length(np.diff(end, axis=0)).sum()
    )
    if nearer == slower:
        return "as named" if nearer else "exchanged"
    return "unclear"


def _turned(points: BatPoints, hands: FloatArray) -> npt.NDArray[np.bool_]:
    """Return the frames (n,) in which the end of the bat is nearer the hands."""
    answer: npt.NDArray[np.bool_] = axes.length(points.end - hands) < axes.length(
        points.knob - hands
    )
    return answer


def without_turned_frames(points: BatPoints, hands: FloatArray) -> BatPoints:
    """Return the points without the frames in which knob and tip change places.

    Frames in which the end of the bat is nearer the hands: there the two points were
    taken for each other.

    Parameters
    ----------
    hands : ndarray, shape (n, 3)
        Middle of both hands.
    """
    turned = _turned(points, hands)
    if not turned.any():
        return points
    missing = points.unknown if points.missing is None else points.missing
    return replace(points, unknown=points.unknown | turned, missing=missing | turned)


def exchanged(points: BatPoints) -> BatPoints:
    """Return the points with knob and tip exchanged."""
    return replace(
        points,
        knob=points.end,
        tip=None if points.tip is None else points.knob,
        sweet_spot=points.sweet_spot if points.tip is not None else points.knob,
    )


def check_bat(
    points: BatPoints | None,
    *,
    hand_peak: float,
    sampling_rate_hz: float,
    scale: float | None,
) -> BatCheck:
    """Return whether the bat was tracked well enough through the swing.

    Refused when points are missing before and at peak hand speed, when the distance
    of the two points wanders by more than 5 % of its median (95th percentile of the
    deviations), or when it is no bat's length. A bat that is lost later keeps what
    lies before.
    """
    if points is None:
        return BatCheck(False, "no bat was tracked", {})
    rate = sampling_rate_hz
    low = max(0, math.floor(hand_peak - BEFORE_HAND_PEAK_S * rate))
    high = math.ceil(hand_peak + AFTER_HAND_PEAK_S * rate) + 1
    if points.unknown[low:high].any():
        return BatCheck(False, "the bat was lost during the swing", {})
    high = 1 + min(
        math.ceil(hand_peak + 0.1 * rate),
        tracked_until(points, hand_peak=hand_peak, sampling_rate_hz=rate),
    )
    size = axes.length(points.end[low:high] - points.knob[low:high])
    median = signals.median(size) if size.size else 0.0
    if median <= 0.0:
        return BatCheck(False, "no bat was tracked: its points coincide", {})
    wander = float(np.sort(np.abs(size / median - 1.0))[int(0.95 * (size.size - 1))])
    evidence: dict[str, float | None] = {
        "length_m": round(median, 3) if scale else None,
        "wander": round(wander, 4),
    }
    if wander > BAT_LENGTH_WANDER:
        return BatCheck(
            False,
            f"the bat's length changes by {wander * 100:.0f}% during the swing, so "
            "its points can't be trusted",
            evidence,
        )
    least, most = BAT_LENGTH_M if points.sweet_spot is None else HANDLE_TO_SWEET_SPOT_M
    if scale is not None and not least <= median <= most:
        return BatCheck(False, f"the bat's points are {median:.2f} m apart", evidence)
    return BatCheck(True, None, evidence)


def bat_motion(
    points: BatPoints,
    *,
    sampling_rate_hz: float,
    scale: float | None,
    hand_peak: float | None,
    contact: float | None,
) -> BatMotion:
    """Return the bat's motion up to its impact.

    Parameters
    ----------
    hand_peak : float or None
        Sample of peak hand speed, near which the impact is looked for.
    contact : float or None
        Sample of a contact that was delivered or set by hand. It ends the motion
        where the bat itself does not show its impact.
    """
    rate = sampling_rate_hz
    count = points.knob.shape[0]
    until = count - 1
    search = ImpactSearch(None, "not checked")
    if hand_peak is not None:
        until = tracked_until(points, hand_peak=hand_peak, sampling_rate_hz=rate)
        search = find_impact(
            _cut(points, until),
            hand_peak=hand_peak,
            sampling_rate_hz=rate,
            in_meters=scale is not None,
        )
    clean, last = _ends(search.impact, contact, until)
    frames = seen_frames(points, low=0, high=clean)
    along = _sweet_spot_along(points, frames, scale)
    smooth = _filtered_up_to(points, frames, clean, rate)
    last = min(last, count - 1, smooth.shape[0] - 1)
    knob, end = smooth[:, :3], smooth[:, 3:6]
    line = axes.unit(end - knob)
    turning = axes.length(kinematics.turn(line, sampling_rate_hz=rate))
    sweet = None if along is None else knob + along * line
    velocity = (
        None if sweet is None else signals.derivative(sweet, sampling_rate_hz=rate)
    )
    hidden = points.unknown

    def whole(values: FloatArray) -> FloatArray:
        answer = np.full((count, *values.shape[1:]), np.nan)
        answer[: last + 1] = values[: last + 1]
        answer[: clean + 1][hidden[: clean + 1]] = np.nan
        return answer

    return BatMotion(
        line=whole(line),
        rate=whole(turning),
        sweet_spot=None if sweet is None else whole(sweet),
        velocity=None if velocity is None else whole(velocity),
        speed=None if velocity is None else whole(axes.length(velocity)),
        tip=whole(end) if points.tip is not None else None,
        last=last,
        clean=clean,
        low_rate=rate <= BAT_LOW_RATE_HZ,
        impact=search,
        along=along,
        points=points,
        frames=frames,
        rate_hz=rate,
        noise_mm=0.0 if scale is None else _noise_mm(points, frames),
    )


def _noise_mm(points: BatPoints, frames: npt.NDArray[np.intp]) -> float:
    """Return the noise of one coordinate of the bat's points, mm."""
    both = np.hstack((points.knob, points.end))
    return math.sqrt(float((rod.frame_noise(both, frames) ** 2).mean())) * 1000.0


def why_no_peak(bat: BatMotion, peak: Peak) -> str | None:
    """Return why the highest bat speed may be no peak of a swing, ``None`` if it is.

    A swing that meets no ball slows down gently. Where the speed falls faster, or the
    bat is lost soon after, there may have been an impact that the points do not show,
    and then it comes some milliseconds after the highest speed.
    """
    if bat.speed is None:
        return None
    if (bat.last - peak.top) / bat.rate_hz < FALL_AFTER_S:
        return "the bat is lost, or the clip ends, just after its highest speed"
    later = peaks.value_at(bat.speed, peak.top + FALL_AFTER_S * bat.rate_hz)
    if later is None or later < (1.0 - FALL_SHARE) * peak.value:
        return (
            "the bat slows down the way it does when it hits a ball, but its points "
            "don't show when"
        )
    return None


def why_too_slow(bat: BatMotion, at: float, *, start: float) -> str | None:
    """Return why a bat is too slow at an instant for a contact, ``None`` if it is not.

    Held against its highest speed between the samples `start` and `at`.
    """
    motion = bat.fit(at)
    if bat.speed is None or bat.along is None or motion is None:
        return None
    before = bat.speed[max(0, math.ceil(start)) : math.floor(at) + 1]
    before = before[np.isfinite(before)]
    if before.size == 0 or (top := float(before.max())) <= 0.0:
        return None
    share = float(speed_at(bat.along)(motion, at)) / top
    if share >= AT_CONTACT_LEAST:
        return None
    return f"the bat is {(1.0 - share) * 100:.0f}% slower at contact than before it"


def falls_as_at_ball(bat: BatMotion, contact: float) -> bool:
    """Return whether the delivered points slow down after a contact as at a ball.

    Over stretches of 10 ms, so that noise and smoothing before delivery hardly count.
    """
    half = FALL_OVER_S * bat.rate_hz / 2.0
    speeds = []
    for middle in (contact, contact + FALL_AFTER_S * bat.rate_hz):
        ends = [peaks.rows_at(bat.points.end, middle + step) for step in (-half, half)]
        if ends[0] is None or ends[1] is None:
            return False
        speeds.append(float(np.linalg.norm(ends[1] - ends[0])))
    return speeds[1] < (1.0 - FALL_SHARE) * speeds[0]


def _cut(points: BatPoints, last: int) -> BatPoints:
    """Return the points with nothing seen after frame `last`."""
    if last >= points.unknown.size - 1:
        return points
    missing = points.unknown if points.missing is None else points.missing
    missing = missing.copy()
    missing[last + 1 :] = True
    return replace(points, missing=missing)


def _ends(impact: Impact | None, contact: float | None, until: int) -> tuple[int, int]:
    """Return the last frame before the impact, and the last row of the curves."""
    if impact is not None:
        return impact.last_clean, impact.first_after
    if contact is not None:
        # A time on a clock of frames may be half a frame late.
        clean = max(3, min(until, math.floor(contact - 0.5)))
        return clean, max(clean, min(until + 1, math.ceil(contact)))
    return until, until


def _sweet_spot_along(
    points: BatPoints, frames: npt.NDArray[np.intp], scale: float | None
) -> float | None:
    """Return the distance of the sweet spot from the knob, ``None`` if not known."""
    end = points.end if points.sweet_spot is None else points.sweet_spot
    distance = axes.length(end[frames] - points.knob[frames])
    if distance.size == 0:
        return None
    along = signals.median(distance)
    if points.sweet_spot is not None:
        return along
    return None if scale is None else along - SWEET_SPOT_FROM_TIP_M


def _filtered_up_to(
    points: BatPoints, frames: npt.NDArray[np.intp], clean: int, rate: float
) -> FloatArray:
    """Return knob and end, (n, 6), filtered as if there had been no impact.

    The motion before the impact is carried on past it, so that the filter does not
    end on its last frame: a reflection there takes speed from the last milliseconds.
    """
    both = _refilled(np.hstack((points.knob, points.end))[: clean + 1], points, frames)
    ahead = math.ceil(2.0 * CARRY_S * rate)
    fitted = _fit_around(points, frames, float(clean), rate)
    if clean < points.knob.shape[0] - 1 and fitted is not None:
        instants = np.arange(clean + 1, clean + 1 + ahead, dtype=np.float64)
        size = signals.median(axes.length(points.end[frames] - points.knob[frames]))
        both = np.vstack(
            (
                both,
                np.hstack(
                    (fitted.points(instants, 0.0), fitted.points(instants, size))
                ),
            )
        )
    cutoff = BAT_CUTOFF_LOW_RATE_HZ if rate <= BAT_LOW_RATE_HZ else BAT_CUTOFF_HZ
    return signals.lowpass(both, cutoff_hz=cutoff, sampling_rate_hz=rate)


def _refilled(
    both: FloatArray, points: BatPoints, frames: npt.NDArray[np.intp]
) -> FloatArray:
    """Return knob and end, (n, 6), with short unseen stretches drawn as curves.

    What fills a gap in general does not overshoot, and so cuts a fast turn short; a
    frame delivered twice stands still.
    """
    unseen = ~points.unknown[: both.shape[0]]
    unseen[frames] = False
    unseen[: frames[0] if frames.size else None] = False
    if not unseen.any() or frames.size < rod.FEWEST:
        return both
    answer: FloatArray = both.copy()
    gone = np.flatnonzero(unseen)
    answer[gone] = scipy.interpolate.CubicSpline(frames, both[frames])(gone)
    return answer


def _fit_around(
    points: BatPoints, frames: npt.NDArray[np.intp], at: float, rate: float
) -> RodMotion | None:
    """Return the motion fitted to the seen frames around an instant.

    ``None`` when there are too few, or none near the instant.
    """
    high = int(np.searchsorted(frames, at + FIT_AFTER_S * rate, side="right"))
    if high == 0 or frames[high - 1] < at - CARRY_S * rate - 1.0:
        return None
    low = int(np.searchsorted(frames, frames[high - 1] - FIT_S * rate - 1e-6))
    low = min(low, high - rod.FEWEST)
    if low < 0 or frames[high - 1] - frames[low] > FIT_LONGEST_S * rate:
        return None
    chosen = frames[low:high]
    around = frames[max(0, low - (high - low)) : high]
    line = axes.unit(points.end - points.knob)
    turning = rod.frame_noise(line, around)
    angular = math.sqrt(float((turning**2).sum()) / 2.0)
    noise = np.concatenate((rod.frame_noise(points.knob, around), [angular, angular]))
    return rod.fit_rod(
        points.knob,
        points.end,
        chosen,
        origin=at,
        rate_hz=rate,
        unit_s=FIT_S,
        noise=noise,
    )


def read_at(
    bat: BatMotion,
    at: float,
    read: Read,
    *,
    instant_error_s: float,
) -> Reading | None:
    """Return a number of the bat at an instant, with its standard deviation.

    ``None`` where the motion is not known. The deviation joins the noise of the
    points and the change of the number in the time by which the instant is unsure;
    what the model leaves open is not in it (`measurement_error`).

    Parameters
    ----------
    read : Read
    instant_error_s : float
        One standard deviation.
    """
    motion = bat.fit(at)
    if motion is None:
        return None
    value = float(read(motion, at))
    half = max(instant_error_s, 1e-4) * bat.rate_hz
    slope = 0.5 * float(read(motion, at + half) - read(motion, at - half))
    slope *= instant_error_s * bat.rate_hz / half
    noise = motion.deviation(lambda moved: read(moved, at))
    return Reading(value, math.hypot(noise, slope))


def speed_at(along: float) -> Read:
    """Return what reads the speed of the sweet spot."""

    def read(motion: RodMotion, at: float) -> FloatArray:
        speed: FloatArray = axes.length(motion.velocity(np.array([at]), along))[..., 0]
        return speed

    return read


def attack_angle_at(along: float, vertical: FloatArray) -> Read:
    """Return what reads the climb of the sweet spot over the 10 ms before, degrees.

    The mean over fixed instants, so that neither frame rate nor frame phase counts.
    """

    def read(motion: RodMotion, at: float) -> FloatArray:
        before = np.linspace(at - ATTACK_S * motion.rate_hz, at, _INSTANTS)
        rows = motion.velocity(before, along)
        level = axes.length(axes.horizontal(rows, vertical))
        angle: FloatArray = np.arctan2(rows @ vertical, level).mean(axis=-1)
        return angle * DEG_PER_RAD

    return read


def attack_direction_at(
    along: float, vertical: FloatArray, forward: FloatArray, hand: float
) -> Read:
    """Return what reads the level direction of the sweet spot to `forward`, degrees.

    + = pull side.
    """

    def read(motion: RodMotion, at: float) -> FloatArray:
        row = motion.velocity(np.array([at]), along)[..., 0, :]
        sine = axes.cross(forward, row) @ vertical
        answer: FloatArray = hand * np.arctan2(sine, row @ forward) * DEG_PER_RAD
        return answer

    return read


def swing_tilt(bat: BatMotion, *, at: float, vertical: FloatArray) -> float | None:
    """Return the angle between the ground and the plane of the sweet spot's path.

    Degrees, over fixed instants of the 40 ms before `at`; ``None`` where the sweet
    spot is not known.
    """
    if bat.sweet_spot is None:
        return None
    rows = []
    # The row after the last is empty: the end of the path is read just before it.
    end = min(at, bat.last - 1e-6)
    for instant in np.linspace(at - TILT_S * bat.rate_hz, end, _INSTANTS):
        row = peaks.rows_at(bat.sweet_spot, float(instant))
        if row is None:
            return None
        rows.append(row)
    centered = np.array(rows) - np.mean(rows, axis=0)
    normal = np.linalg.svd(centered, full_matrices=False)[2][2]
    return math.acos(min(1.0, abs(float(normal @ vertical)))) * DEG_PER_RAD


def path_length(points: FloatArray, *, start: float, end: float) -> float | None:
    """Return the length of the path of `points` (n, 3) between two samples.

    ``None`` when a point is missing on the way.
    """
    first, last = peaks.rows_at(points, start), peaks.rows_at(points, end)
    if first is None or last is None:
        return None
    inner = points[math.ceil(start) : math.floor(end) + 1]
    rows = np.vstack((first, inner, last))
    if not np.isfinite(rows).all():
        return None
    return float(axes.length(rows[1:] - rows[:-1]).sum())
