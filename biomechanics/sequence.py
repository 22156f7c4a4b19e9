"""Put the peaks of a swing in order: a description, never a grade."""

import itertools
import math
from collections.abc import Mapping, Sequence

import scipy  # By its parts when first used; see `signals`.

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


def tie_limit_ms(sd_ms: float | None = None, n: int = 1) -> float:
    """Return how close the peaks of one delay must be to count as a tie, ms.

    The half-width of the 95 % interval of its mean over n swings (t, n − 1 degrees of
    freedom), and never less than for one swing.

    Parameters
    ----------
    sd_ms : float or None
        Standard deviation of the delay over the swings; ``None`` if not known.
    n : int
    """
    least = TIE_LIMIT_S * MS_PER_S
    if sd_ms is None or n < 2:
        return least
    quantile = float(scipy.special.stdtrit(n - 1, 0.975))
    return max(least, quantile * sd_ms / math.sqrt(n))


def sequence_groups(
    times_s: Mapping[str, float],
    *,
    tie_limit_s: float = TIE_LIMIT_S,
    limits_s: Mapping[frozenset[str], float] | None = None,
) -> tuple[tuple[str, ...], ...]:
    """Return the peaks in order, those too close to tell apart in one group.

    All peaks of a tie lie within the limit of each other (complete linkage): 0, 9, 18
    and 27 ms are two ties of two, since 0 and 27 ms can be told apart.

    Parameters
    ----------
    times_s : mapping of letter to float
        Clock times in seconds.
    tie_limit_s : float
        Seconds.
    limits_s : mapping of two letters to float, optional
        Seconds, for pairs that have a limit of their own.

    Returns
    -------
    tuple of tuple of str
        Inside a tie the letters stand in the order of `PEAK_LETTERS`, since their own
        order is not known.
    """
    own = limits_s or {}

    def span(ties: Sequence[Sequence[str]]) -> float:
        """How far apart the peaks are, as if the limit were `tie_limit_s` for all."""
        letters = [letter for tie in ties for letter in tie]
        return max(
            abs(times_s[a] - times_s[b])
            * (tie_limit_s / own.get(frozenset((a, b)), tie_limit_s))
            for a, b in itertools.combinations(letters, 2)
        )

    ties = [[letter] for letter in sorted(times_s, key=lambda one: times_s[one])]
    while len(ties) > 1:
        spans = [span(pair) for pair in itertools.pairwise(ties)]
        # The closest first; of two that are level the earlier. A hair's breadth, so
        # that what is equal does not hang on the last bit of a float.
        place = min(range(len(spans)), key=lambda i: (round(spans[i], 9), i))
        if spans[place] >= tie_limit_s - 1e-9:
            break
        ties[place : place + 2] = [ties[place] + ties[place + 1]]
    return tuple(tuple(sorted(tie, key=PEAK_LETTERS.index)) for tie in ties)


def sequence_order(
    times_s: Mapping[str, float], *, tie_limit_s: float = TIE_LIMIT_S
) -> str:
    """Return the order of peaks as text, with those within the tie limit joined.

    Parameters
    ----------
    times_s : mapping of letter to float
        Letters of `PEAK_LETTERS`; clock times in seconds.
    tie_limit_s : float
        Seconds.

    Returns
    -------
    str
        For instance ``P-(TA)-B``, as `sequence_groups` puts them.

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
    groups = sequence_groups(times_s, tie_limit_s=tie_limit_s)
    return "-".join(
        "".join(group) if len(group) == 1 else f"({''.join(group)})" for group in groups
    )
