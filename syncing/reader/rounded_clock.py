"""The clock of a movement whose times were rounded too far.

A spreadsheet that shows two decimals saves two: at 240 frames a second two or three
frames then carry one time. Their order is that of the file, and the time of each frame
follows from another clock of the file, or from the steady rate of the camera where the
rounded times are those of a steady clock to the last one.
"""

from collections.abc import Mapping

import numpy as np

from syncing.reader.table import FloatArray

#: Fewer frames tell no rate.
_LEAST_FRAMES = 40
#: To what times are rounded; tenths leave too much open without another clock.
_QUANTA_S = (0.1, 0.01, 0.001)
_COARSEST_S = 0.01
_RATES_HZ = (20.0, 2000.0)
#: Share of steps unlike the others from which a clock without repeated times is a
#: rounded one, not one that lost frames here and there.
_UNEVEN_SHARE = 0.1
#: Other clocks in an export file, in seconds or linear in time.
_OTHER_CLOCKS = (
    "time_from_max_hand",
    "time_from_swing_end",
    "time_from_max_height",
    "norm_time",
)
#: Values two frames on have changed more than values of the next frame; where two
#: recordings alternate they have not.
_SMOOTH_RATIO = 1.2


def rounding_of(time: FloatArray) -> float | None:
    """Return to what the times of a movement were rounded, in seconds.

    None when they run backward, or are finer than a millisecond.
    """
    if len(time) < _LEAST_FRAMES or (np.diff(time) < 0).any():
        return None
    for quantum in _QUANTA_S:
        scaled = time / quantum
        if np.abs(scaled - np.rint(scaled)).max() < 1e-6 * max(1.0, scaled[-1]):
            return quantum
    return None


def is_uneven(time: FloatArray) -> bool:
    """Return whether rising times are rounded to hundredths and uneven for it."""
    if rounding_of(time) != _COARSEST_S:
        return False
    steps = np.rint(np.diff(time) / _COARSEST_S)
    usual = np.median(steps)
    return bool(np.mean(steps != usual) >= _UNEVEN_SHARE)


def restored_clock(
    time: FloatArray, columns: Mapping[str, FloatArray]
) -> tuple[FloatArray, float] | None:
    """Return the times of frames before they were rounded, and frames a second.

    Parameters
    ----------
    time
        Rounded times in seconds, in the order of the file, none before another.
    columns
        All numbers of the movement's rows.

    Returns
    -------
    tuple or None
        None where the rate cannot be told: the times are not those of one steady
        clock, or the rows are those of two recordings in turns.
    """
    quantum = rounding_of(time)
    if quantum is None:
        return None
    for name in _OTHER_CLOCKS:
        other = columns.get(name)
        if other is None or not np.isfinite(other).all() or (np.diff(other) <= 0).any():
            continue
        ruler = other.astype(np.float64)
        found = _along(time, ruler, quantum, slope=None if name == "norm_time" else 1.0)
        if found is not None and not is_uneven(found[0]):
            return found
    if quantum > _COARSEST_S or not _is_one_recording(columns):
        return None
    return _along(time, np.arange(len(time), dtype=np.float64), quantum)


def _along(
    time: FloatArray, ruler: FloatArray, quantum: float, slope: float | None = None
) -> tuple[FloatArray, float] | None:
    """Return times on a line along a ruler; None when rounding alone explains less.

    ``slope`` is that of the line, fitted to all times unless it is known.
    """
    off = ruler - ruler.mean()
    spread = float(off @ off)
    if slope is None:
        slope = float(off @ (time - time.mean())) / spread if spread else 0.0
    line = time.mean() + slope * off
    if np.abs(line - time).max() > 0.52 * quantum:
        return None
    if time[0] == 0:
        # The vendor counts from a movement's first frame.
        line -= line[0]
    step = float(np.median(np.diff(line)))
    if not (step > 0 and _RATES_HZ[0] <= 1 / step <= _RATES_HZ[1]):
        return None
    return line, 1 / step


def _is_one_recording(columns: Mapping[str, FloatArray]) -> bool:
    """Return whether values go on from row to row as those of one movement do."""
    smooth = jagged = 0
    for name, values in columns.items():
        if "time" in name or not np.isfinite(values).all():
            continue
        next_frame = float(np.abs(np.diff(values)).sum())
        if next_frame == 0:
            continue
        second_frame = float(np.abs(values[2:] - values[:-2]).sum())
        if second_frame > _SMOOTH_RATIO * next_frame:
            smooth += 1
        else:
            jagged += 1
    return smooth > jagged
