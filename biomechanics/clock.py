"""The uniform clock of a movement, found from the time stamps of its rows."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy

from biomechanics import signals
from biomechanics.analysis_types import FloatArray

LEAST_FRAMES = 20
RATES_HZ = (20.0, 5000.0)
"""Rates outside are no camera's: milliseconds taken for seconds, say."""


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """The uniform clock of one movement and how the rows fall on it.

    Attributes
    ----------
    start_s, step_s : float
    count : int
        Samples of the uniform clock.
    rows : ndarray of int or None
        Order in which the delivered rows are taken; ``None``: as delivered.
    slots : ndarray of int or None
        Place of each row on the uniform clock; ``None``: one after the other.
    row_times_s : ndarray or None
        Given when the rows do not fall on a uniform clock and values must be
        interpolated.
    irregular_share : float
        Share of the steps that are off the median by more than 2 %, rounding of
        the stamps apart.
    """

    start_s: float
    step_s: float
    count: int
    rows: npt.NDArray[np.intp] | None
    slots: npt.NDArray[np.intp] | None
    row_times_s: FloatArray | None
    irregular_share: float

    @property
    def sampling_rate_hz(self) -> float:
        """Samples per second of the uniform clock."""
        return 1.0 / self.step_s

    def times(self) -> FloatArray:
        """Return the uniform clock, shape (count,)."""
        return self.start_s + self.step_s * np.arange(self.count, dtype=np.float64)


class ClockError(ValueError):
    """The stamps give no usable clock; the message is for people."""


def read_clock(time_s: npt.ArrayLike) -> Clock:
    """Return the uniform clock behind the time stamps of one movement.

    Exporters round stamps (0.1 ms in a public 360 Hz file): the median step then
    reads 2.8 ms instead of 2.778, a rate and every speed 0.8 % off. The step is
    therefore fitted to all stamps once the number of steps is known, and rounding is
    not mistaken for an unsteady clock.

    Parameters
    ----------
    time_s : array_like, shape (n_frames,)
        Seconds; NaN rows are left out.

    Returns
    -------
    Clock

    Raises
    ------
    ClockError
        Fewer than 20 stamps, or many rows with the same stamp (several movements
        stacked on one another).
    """
    stamps, rows = _ordered_stamps(np.asarray(time_s, dtype=np.float64))
    steps = stamps[1:] - stamps[:-1]
    median_step = signals.median(steps)
    counts = np.maximum(np.rint(steps / median_step), 1.0)
    slots = np.concatenate(([0.0], np.cumsum(counts)))
    start, step = _fit_line(slots, stamps)
    if not RATES_HZ[0] <= 1.0 / step <= RATES_HZ[1]:
        raise ClockError(
            f"its frames are {step:.3g} s apart; between {RATES_HZ[0]:.0f} and "
            f"{RATES_HZ[1]:.0f} a second are expected"
        )
    rounding = _rounding_s(stamps)
    off = np.abs(steps - median_step) > 0.02 * median_step + 1.01 * rounding
    share = float(np.count_nonzero(off)) / steps.size
    residual = np.abs(stamps - (start + step * slots)).max()
    if residual <= 0.02 * step + 0.51 * rounding + 1e-9:
        whole = int(slots[-1]) + 1 == stamps.size
        return Clock(
            start_s=start,
            step_s=step,
            count=int(slots[-1]) + 1,
            rows=rows,
            slots=None if whole else slots.astype(np.intp),
            row_times_s=None,
            irregular_share=share,
        )
    count = math.floor((stamps[-1] - stamps[0]) / median_step + 1e-6) + 1
    if count > 20 * stamps.size:
        raise ClockError("the times of the frames are too far apart to be one clip")
    return Clock(
        start_s=float(stamps[0]),
        step_s=median_step,
        count=count,
        rows=rows,
        slots=None,
        row_times_s=stamps,
        irregular_share=max(share, 0.021),
    )


def _ordered_stamps(
    stamps: FloatArray,
) -> tuple[FloatArray, npt.NDArray[np.intp] | None]:
    """Return the stamps in rising order, each once, and the rows they come from.

    Rows are ``None`` when they are all there and in order.
    """
    rows: npt.NDArray[np.intp] | None = None
    finite = np.isfinite(stamps)
    if not finite.all():
        rows = np.flatnonzero(finite)
        stamps = stamps[rows]
    if stamps.size < LEAST_FRAMES:
        raise ClockError(
            f"the clip has {stamps.size} frames with a time; {LEAST_FRAMES} are needed"
        )
    steps = stamps[1:] - stamps[:-1]
    if steps.min() > 0:
        return stamps, rows
    order = np.argsort(stamps, kind="stable")
    if (
        np.count_nonzero(steps < 0) == 1
        and np.count_nonzero(np.diff(stamps[order]) <= 1e-9) > 0.2 * stamps.size
    ):
        raise ClockError("the clock runs twice over the same seconds")
    rows = order if rows is None else rows[order]
    stamps = stamps[order]
    keep = np.concatenate(([True], np.diff(stamps) > 1e-9))
    repeated = stamps.size - int(keep.sum())
    if repeated > 0.02 * stamps.size + 1:
        raise ClockError(
            f"{repeated} frames share their time with another frame; several movements "
            "seem to be mixed together"
        )
    rows, stamps = rows[keep], stamps[keep]
    if stamps.size < LEAST_FRAMES:
        raise ClockError(
            f"only {stamps.size} different times; {LEAST_FRAMES} are needed"
        )
    return stamps, rows


def _fit_line(slots: FloatArray, stamps: FloatArray) -> tuple[float, float]:
    """Return start and step (s) of the line through all stamps, by least squares.

    A rounded first or last stamp then tilts nothing.
    """
    middle, center = signals.mean(slots), signals.mean(stamps)
    off_middle = slots - middle
    step = float(off_middle @ (stamps - center) / (off_middle @ off_middle))
    return center - step * middle, step


def _rounding_s(stamps: FloatArray) -> float:
    """Return to what the stamps were rounded, 1 ms or 0.1 ms; 0 when to neither."""
    for quantum in (1e-3, 1e-4):
        scaled = stamps / quantum
        if float(np.abs(scaled - np.rint(scaled)).max()) < 1e-3:
            return quantum
    return 0.0


def on_clock(values: FloatArray, clock: Clock) -> FloatArray:
    """Return delivered rows on the uniform clock.

    Parameters
    ----------
    values : ndarray, shape (n_rows, n_columns)
    clock : Clock

    Returns
    -------
    ndarray, shape (clock.count, n_columns)
        NaN where no row stands; interpolated (PCHIP) if the clock is unsteady, but
        not across more than `signals.GAP_FILLED_S`.
    """
    if clock.rows is not None:
        values = values[clock.rows]
    if clock.row_times_s is not None:
        grid = clock.times()
        times = clock.row_times_s
        answer = np.full((clock.count, values.shape[1]), np.nan)
        for column in range(values.shape[1]):
            there = np.isfinite(values[:, column])
            if np.count_nonzero(there) < 2:
                continue
            stamps = times[there]
            filled = scipy.interpolate.PchipInterpolator(stamps, values[there, column])(
                grid, extrapolate=False
            )
            after = np.searchsorted(stamps, grid, side="left").clip(1, stamps.size - 1)
            wide = (
                stamps[after] - stamps[after - 1] > signals.GAP_FILLED_S + clock.step_s
            )
            filled[wide & (np.abs(grid - stamps[after]) > 1e-9)] = np.nan
            answer[:, column] = filled
        return answer
    if clock.slots is not None:
        answer = np.full((clock.count, values.shape[1]), np.nan)
        answer[clock.slots] = values
        return answer
    return values
