"""Find the impact of bat and ball where the bat itself shows it.

A ball takes a good tenth to half of the bat's speed within a millisecond; nothing
else in a swing does, and a filter smears it over ten. So the fall is looked for in
the delivered points: the way that the end of the bat has gone is a smooth curve with
a kink at the impact. The kink lies between two frames, and its place is estimated.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from biomechanics import axes, rod, signals
from biomechanics.analysis_types import FloatArray
from biomechanics.points import BatPoints

AROUND_HAND_PEAK_S = (-0.030, 0.150)
FALL_LEAST = 0.08
FALL_BY_STEP = 0.30
"""A smooth end of a swing reads as a fall of this share at 120 frames a second, and
by the third power of the time between frames less at more."""
FALL_NOISES = 4.0
CLEAR_NOISES = 8.0
"""A fall this clear is no smooth end of a swing, whatever the time between frames."""
HIDES_WITHIN_S = 0.012
"""A frame that is missing so near to the bat's highest speed may hold the fall."""
HIDES_BALL = 0.115
HIDES_NOISES = 2.5
"""Noise in which a fall of this share, about the least that a ball takes, would not be
sure; and how clear a fall must be to leave open whether it was one."""
FASTER_SHARE, FASTER_NOISES = 1.1, 2.0
FAST_SHARE = 0.75
"""The ball is met while the bat is nearly at its fastest."""
SHARP_SHARE = 0.60
SHARP_WITHIN_S = 0.007
"""Of the fall within this time on both sides, the part that lies between the
intervals next to the impact's. Where less does, the points were smoothed across the
impact before delivery, and the frames before it moved."""
SHAKEN_M = 0.0005
"""Noise from frame to frame that no smoothing before delivery leaves."""
LONGEST_INTERVAL_S = 0.022
"""Between the last frame before the impact and the first after it."""
BEFORE_S = 0.030
AFTER_S = 0.018
"""Stretches of the fit. Shorter ones place the kink by noise, longer ones by what a
cubic curve is not (invented swings)."""
FEWEST_BEFORE, FEWEST_AFTER = 6, 3
CUBIC_FROM = 6
REPEATED_SHARE = 0.02
"""A step this small beside its neighbors is a frame delivered twice."""
LENGTH_SHARE, LENGTH_NOISES = 0.03, 8.0
"""A bat whose ends are by such a share, and so many times the usual scatter, nearer or
further apart than usual has one of them somewhere else (real swings: 0.07 %)."""
HALF_CONTACT_S = 0.0005
"""Bat and ball touch for about a millisecond; the kink lies in its middle."""
LATE_S = 0.0003
"""A fitted kink comes this late, as the bat does not run on as a cubic curve does."""
PLACE_ERROR_S = 0.00015
PLACE_ERROR_STEPS = 0.04
SLOW_HZ = 240.0
PLACE_ERROR_UNSEEN = 0.2
"""What the model of the kink leaves open: in seconds, in steps between frames, and as
a share of the time in which frames are missing at the impact. Below `SLOW_HZ` the part
of a step grows: fewer frames tell a kink from a curve."""
NOISE_COUNTS = 1.2
"""What a fit of a few frames says of its own error is too little by so much (40
invented swings with 2 to 5 mm of noise)."""
GAP_AS_STEP = 0.35
_PRIOR_FREEDOM = 3.0
_CANDIDATES = 4
_BESIDE = 3
_PLACES = 21
_UNIT_S = 0.02


@dataclass(frozen=True, slots=True)
class Impact:
    """The impact of the ball as the bat shows it.

    Attributes
    ----------
    position : float
        Fractional sample.
    uncertainty_s : float
        One standard deviation.
    last_clean, first_after : int
        The frames on both sides of it.
    fall : float
        Share of the speed that the end of the bat loses.
    """

    position: float
    uncertainty_s: float
    last_clean: int
    first_after: int
    fall: float


@dataclass(frozen=True, slots=True)
class ImpactSearch:
    """The impact, or why the bat shows none.

    Attributes
    ----------
    impact : Impact or None
    reason : str or None
        As part of a sentence.
    hidden : bool
        The bat was lost or smoothed where it may have met a ball, or shaken too much.
    coarse : bool
        It is hidden by noise alone, which nothing has smoothed away.
    """

    impact: Impact | None
    reason: str | None
    hidden: bool = False
    coarse: bool = False


def seen_frames(points: BatPoints, *, low: int, high: int) -> npt.NDArray[np.intp]:
    """Return the frames `low` to `high` in which the bat was really seen.

    Frames without a delivered value are left out, filled or not, and so is one that
    only repeats the frame before, or in which the bat has another length.
    """
    low, high = max(low, 0), min(high, points.knob.shape[0] - 1)
    seen = ~(points.unknown if points.missing is None else points.missing)
    # A bat at rest repeats itself rightly: the steps on both sides must be long.
    step = axes.length(points.end[1:] - points.end[:-1])
    again = step[1:-1] < REPEATED_SHARE * np.minimum(step[:-2], step[2:])
    seen[2:-1] &= ~again
    size = axes.length(points.end - points.knob)
    near = size[low : high + 1][seen[low : high + 1]]
    if near.size:
        usual = signals.median(near)
        spread = signals.MAD_TO_SD * signals.median(np.abs(near - usual))
        limit = max(LENGTH_SHARE * usual, LENGTH_NOISES * spread)
        seen &= np.abs(size - usual) <= limit
    return low + np.flatnonzero(seen[low : high + 1])


def find_impact(
    points: BatPoints, *, hand_peak: float, sampling_rate_hz: float, in_meters: bool
) -> ImpactSearch:
    """Return the impact near peak hand speed, from unfiltered points.

    Parameters
    ----------
    points : BatPoints
    hand_peak : float
        Sample of peak hand speed.
    sampling_rate_hz : float
    in_meters : bool
        The unit of the points is known and applied.
    """
    rate = sampling_rate_hz
    earliest = hand_peak + AROUND_HAND_PEAK_S[0] * rate
    latest = hand_peak + AROUND_HAND_PEAK_S[1] * rate
    frames = seen_frames(
        points,
        low=math.floor(earliest - 0.06 * rate),
        high=math.ceil(latest + 0.03 * rate),
    )
    if frames.size < FEWEST_BEFORE + FEWEST_AFTER:
        return ImpactSearch(None, "the bat was not seen around contact", hidden=True)
    end, knob = points.end[frames], points.knob[frames]
    way = _way(end, axes.unit(end - knob))
    noise = float(np.sqrt((rod.frame_noise(points.end, frames) ** 2).sum() / 3.0))
    speed = np.diff(way) / np.diff(frames)
    # Fall of speed from the interval before to the interval after each interval.
    fall = speed[:-2] - speed[2:]
    inside = (frames[1:-2] >= earliest) & (frames[1:-2] <= latest)
    kinks = [
        kink
        for place in _candidates(fall, inside)
        if (kink := _fit_kink(frames, way, place + 1, rate, noise)) is not None
        and not _faster_after(kink, speed * rate, noise * rate)
    ]
    best = max(kinks, key=lambda kink: kink.fall / kink.fall_error, default=None)
    fast = float(np.sort(speed)[-FEWEST_AFTER]) * rate
    if best is None or not best.sure or best.speed_before < FAST_SHARE * fast:
        if best is not None and best.hides_ball:
            return ImpactSearch(
                None,
                "the bat's points are too coarse to show whether it hit a ball",
                hidden=True,
                coarse=in_meters and noise > SHAKEN_M,
            )
        if _lost_when_fast(frames, speed, rate):
            return ImpactSearch(
                None, "the bat was not seen in all frames at the impact", hidden=True
            )
        return ImpactSearch(
            None, "the bat does not slow down the way it does when it hits a ball"
        )
    aside = 1 + max(1, round(SHARP_WITHIN_S * rate))
    whole = (
        speed[max(best.place - aside, 0)]
        - speed[min(best.place + aside, speed.size - 1)]
    )
    if fall[best.place - 1] < SHARP_SHARE * whole:
        return ImpactSearch(
            None,
            "the bat's points were smoothed across the impact before delivery",
            hidden=True,
        )
    place = best.place
    lost_before = place > 0 and frames[place] - frames[place - 1] > 1
    if lost_before and best.position < frames[place]:
        # The kink is the middle of the contact: this frame may have met the ball, and
        # the one that would show it is lost. Between neighbors it is as good as clean,
        # and without it speeds and angles at contact scatter by a third more.
        place -= 1
    first, after = int(frames[place]), int(frames[place + 1])
    if after - first > LONGEST_INTERVAL_S * rate:
        return ImpactSearch(None, "the bat was lost at the impact", hidden=True)
    return ImpactSearch(
        Impact(best.position, best.uncertainty_s, first, after, best.fall), None
    )


def _faster_after(kink: "_Kink", speed: FloatArray, noise: float) -> bool:
    """Return whether the bat is faster after a kink than before: no ball does that.

    One point of the bat that is off its way for a frame looks like a ball.

    Parameters
    ----------
    speed : ndarray, shape (n,)
        Between frames, like `noise` in the unit of the points for a second.
    """
    later = np.sort(speed[kink.place + 1 :])
    if later.size < FEWEST_AFTER:
        return False
    limit = FASTER_SHARE * kink.speed_before + FASTER_NOISES * noise
    return float(later[-FEWEST_AFTER]) > limit


def _candidates(fall: FloatArray, inside: npt.NDArray[np.bool_]) -> list[int]:
    """Return the intervals in which a kink is looked for, by the fall (n,) across each.

    Those of the largest falls, and those that stand out: a bat that slows down hard
    after contact falls by more there than at a light ball, but as much beside it.
    """
    beside = np.pad(fall, _BESIDE, mode="edge")
    stands_out = fall - np.maximum(beside[: fall.size], beside[2 * _BESIDE :])
    found: list[int] = []
    for size in (fall, stands_out):
        order = np.argsort(-np.where(inside, size, -np.inf))[:_CANDIDATES]
        found += [int(place) for place in order if inside[place]]
    return list(dict.fromkeys(found))


def _lost_when_fast(
    frames: npt.NDArray[np.intp], speed: FloatArray, rate: float
) -> bool:
    """Return whether a frame near the highest speed is missing."""
    fastest = float(frames[int(speed.argmax())])
    near = np.abs(frames - fastest) <= HIDES_WITHIN_S * rate
    places = np.flatnonzero(near)
    low, high = max(int(places[0]) - 1, 0), min(int(places[-1]) + 1, frames.size - 1)
    return bool((np.diff(frames[low : high + 1]) > 1).any())


def _way(end: FloatArray, line: FloatArray) -> FloatArray:
    """Return the way that points (n, 3) have gone, along arcs, shape (n,).

    The chord between two frames is shorter than the arc; the turn of `line` (n, 3)
    says by how much.
    """
    chord = axes.length(end[1:] - end[:-1])
    half = 0.5 * np.arccos(np.clip(axes.dot(line[1:], line[:-1]), -1.0, 1.0))
    arc = chord * np.where(half > 1e-6, half / np.sin(np.maximum(half, 1e-6)), 1.0)
    return np.concatenate(([0.0], np.cumsum(arc)))


@dataclass(frozen=True, slots=True)
class _Kink:
    """A smooth curve with one kink, fitted to the way of the bat's end."""

    place: int
    position: float
    uncertainty_s: float
    speed_before: float
    fall: float
    fall_error: float
    step_s: float

    @property
    def sure(self) -> bool:
        """Whether no smooth swing and no noise would look like this."""
        least = FALL_LEAST
        if self.fall < CLEAR_NOISES * self.fall_error:
            least += FALL_BY_STEP * (120.0 * self.step_s) ** 3
        return self.fall >= max(least, FALL_NOISES * self.fall_error)

    @property
    def hides_ball(self) -> bool:
        """Whether a ball may have been met although the fall is not sure."""
        near = self.fall >= max(FALL_LEAST, HIDES_NOISES * self.fall_error)
        return near or FALL_NOISES * self.fall_error > HIDES_BALL


def _fit_kink(
    frames: npt.NDArray[np.intp],
    way: FloatArray,
    place: int,
    rate: float,
    noise: float,
) -> _Kink | None:
    """Return the best kink between the seen frames `place` and `place` + 1.

    ``None`` when too few frames are near. Before the kink the way is a polynomial,
    cubic where there are enough frames; after it the speed is lower and changes by
    the same terms.
    """
    time = (frames - frames[place]) / rate
    first = min(int(np.searchsorted(time, -BEFORE_S - 1e-6)), place - FEWEST_BEFORE + 1)
    last = max(
        min(
            int(np.searchsorted(time, time[place + 1] + AFTER_S - 0.6 / rate)),
            frames.size - 1,
        ),
        place + FEWEST_AFTER,
    )
    if first < 0 or last >= frames.size:
        return None
    x, y = time[first : last + 1] / _UNIT_S, way[first : last + 1] - way[place]
    degree = 3 if place - first + 1 >= CUBIC_FROM else 2
    smooth = np.vander(x, degree + 1, increasing=True)
    # The intervals on both sides too: in noise the kink may as well lie there.
    edges = x[place - 1 - first], x[place + 2 - first]
    places = np.concatenate(
        (
            np.linspace(0.0, x[place + 1 - first], _PLACES),
            np.linspace(edges[0], 0.0, _PLACES)[:-1],
            np.linspace(x[place + 1 - first], edges[1], _PLACES)[1:],
        )
    )
    bends = np.maximum(x[:, None] - places, 0.0)
    across, _ = np.linalg.qr(smooth)
    left = y - across @ (across.T @ y)
    free = bends - across @ (across.T @ bends)
    change = (free * left[:, None]).sum(axis=0) / (free**2).sum(axis=0)
    misfit = ((left[:, None] - free * change) ** 2).sum(axis=0)
    best = int(misfit[:_PLACES].argmin())
    at, bend = places[best], change[best]
    terms = np.linalg.lstsq(smooth, y - bend * bends[:, best], rcond=None)[0]
    before = float(
        sum(power * terms[power] * at ** (power - 1) for power in range(1, degree + 1))
    )
    if before <= 0.0 or bend >= 0.0:
        return None
    freedom = x.size - degree - 3
    spread = math.sqrt(
        (float(misfit[best]) + _PRIOR_FREEDOM * noise**2)
        / (max(freedom, 0) + _PRIOR_FREEDOM)
    )
    design = np.column_stack((smooth, bends[:, best], np.where(x > at, -bend, 0.0)))
    errors = spread * np.sqrt(np.diag(np.linalg.pinv(design.T @ design)))
    error = max(float(errors[-1]), _spread_of_places(places, misfit, at, spread))
    step_s = max(
        signals.median(np.diff(time[first : last + 1])),
        GAP_AS_STEP * float(time[place + 1]),
    )
    # A kink beside a gap may as well lie in it.
    beside = np.diff(time[max(place - 1, 0) : place + 3])
    unseen_s = max(0.0, float(beside.max()) - 1.0 / rate)
    return _Kink(
        place=place,
        position=float(frames[place] + (at * _UNIT_S - HALF_CONTACT_S - LATE_S) * rate),
        uncertainty_s=math.sqrt(
            (NOISE_COUNTS * error * _UNIT_S) ** 2
            + PLACE_ERROR_S**2
            + (PLACE_ERROR_STEPS / rate * max(1.0, SLOW_HZ / rate)) ** 2
            + (PLACE_ERROR_UNSEEN * unseen_s) ** 2
        ),
        speed_before=before / _UNIT_S,
        fall=-float(bend) / before,
        fall_error=float(errors[-2]) / before + 1e-9,
        step_s=step_s,
    )


def _spread_of_places(
    places: FloatArray, misfit: FloatArray, at: float, spread: float
) -> float:
    """Return how far from `at` the kink may lie by how well each place (n,) fits.

    Beside a frame the fit is no smooth function of the place, and two places may fit
    as well: the slope at the best one then says too little.

    Parameters
    ----------
    misfit : ndarray, shape (n,)
        Sum of squares.
    spread : float
        Noise of one frame.
    """
    order = np.argsort(places)
    likely = np.exp(-0.5 * (misfit - misfit.min()) / max(spread, 1e-9) ** 2)[order]
    weights = likely * np.gradient(places[order])
    away = (places[order] - at) ** 2
    return math.sqrt(float((weights * away).sum() / weights.sum()))
