"""Put the peaks of a swing in order: a description, never a grade."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from biomechanics.units import MS_PER_S

TIE_LIMIT_S = 0.010
"""Peaks of one swing closer than this are not told apart: with 2–5 mm of noise on
joint centers a single peak time is uncertain by 2–6 ms (own simulation)."""
PEAK_LETTERS = ("P", "T", "A", "B")
"""Pelvis, shoulder line (torso), lead arm, bat."""
TIME_METRICS = {
    "P": "t_peak_pelvis",
    "T": "t_peak_torso",
    "A": "t_peak_lead_arm",
    "B": "t_peak_bat",
}
"""The metric that holds the time of each peak before the reference."""
GAP_METRICS = {
    "gap_pelvis_torso": ("P", "T"),
    "gap_torso_arm": ("T", "A"),
    "gap_arm_bat": ("A", "B"),
}
"""The metrics of delays, and the peaks that each lies between."""


def tie_limit_ms(standard_errors_ms: Iterable[float]) -> float:
    """Return how close averages of several swings must be to count as a tie, ms.

    Twice the largest standard error of the delays, and never less than for one swing.
    """
    return max([TIE_LIMIT_S * MS_PER_S, *(2.0 * error for error in standard_errors_ms)])


def sequence_order(
    times_s: Mapping[str, float], *, tie_limit_s: float = TIE_LIMIT_S
) -> str:
    """Return the order of peaks, with neighbors within the tie limit joined.

    Parameters
    ----------
    times_s : mapping of letter to float
        Letters of `PEAK_LETTERS`; clock times in seconds.
    tie_limit_s : float
        For the mean of several swings see `tie_limit_ms`.

    Returns
    -------
    str
        For instance ``P-(TA)-B``. Inside a tie the letters stand in the order of
        `PEAK_LETTERS`, since their own order is not known.

    Raises
    ------
    ValueError
        An unknown letter, or fewer than two peaks.
    """
    unknown = set(times_s) - set(PEAK_LETTERS)
    if unknown or len(times_s) < 2:
        raise ValueError(
            f"The order of peaks needs times_s of two or more of {PEAK_LETTERS}, not "
            f"{sorted(times_s)}."
        )
    ordered = sorted(times_s, key=lambda letter: times_s[letter])
    ties = [[ordered[0]]]
    for before, letter in itertools.pairwise(ordered):
        # A hair's breadth so that a gap of exactly the limit does not hang on the
        # last bit of a float.
        if times_s[letter] - times_s[before] < tie_limit_s - 1e-9:
            ties[-1].append(letter)
        else:
            ties.append([letter])
    parts = []
    for tie in ties:
        joined = "".join(sorted(tie, key=PEAK_LETTERS.index))
        parts.append(joined if len(tie) == 1 else f"({joined})")
    return "-".join(parts)


@dataclass(frozen=True, slots=True)
class SequenceShare:
    """How often one order of the peaks occurred.

    `share` is of all swings that have an order, 0 to 1.
    """

    order: str
    count: int
    share: float


def order_distribution(orders: Sequence[str | None]) -> tuple[SequenceShare, ...]:
    """Return how often each order occurred in a session, most frequent first.

    ``None`` (no order in that swing) is left out; ties in count go by the text, so
    that the same swings always give the same list.
    """
    known = [order for order in orders if order is not None]
    counts = {order: known.count(order) for order in set(known)}
    return tuple(
        SequenceShare(order, count, count / len(known))
        for order, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )
