"""The same motion in two clips is recognized, whatever was cut; nothing else is."""

import numpy as np
import pytest

from biomechanics.same_motion import clock_shift

RATE = 240.0


def clip(first=0, frames=400, clock_s=0.0, seed=1, share=1.0):
    """Five points, still at first and then on their way; named as in a file."""
    rng = np.random.default_rng(seed)
    at = (np.arange(first, first + frames) / RATE)[:, None]
    phase, reach = rng.uniform(0, 6, 15), rng.uniform(0.3, 1.0, 15) * share
    moving = np.clip(at - 0.8, 0.0, None)
    values = reach * np.sin(9 * moving + phase)
    columns = {
        f"p{place // 3}_{'xyz'[place % 3]}": values[:, place] for place in range(15)
    }
    return {"time": clock_s + np.arange(frames) / RATE, **columns}


def test_a_clock_that_counts_from_elsewhere():
    assert clock_shift(clip(), clip(clock_s=1.0), (1.2,)) == pytest.approx(1.0)


@pytest.mark.parametrize("first", [-48, 72])
def test_a_clip_cut_elsewhere(first):
    found = clock_shift(clip(), clip(first=first, frames=380), (1.2,))
    assert found == pytest.approx(-first / RATE, abs=1e-6)


def test_an_instant_that_was_cut_off_is_not_known():
    cut = clip(first=72)
    assert clock_shift(clip(), cut, (0.29,)) is None
    assert clock_shift(clip(), cut, (0.31,)) is not None


def test_another_swing_is_another():
    assert clock_shift(clip(), clip(seed=2)) is None


def test_a_motion_processed_again_is_not_the_same():
    again = {
        name: values if name == "time" else values * 1.002
        for name, values in clip().items()
    }
    assert clock_shift(clip(), again) is None


def test_rounding_and_a_lost_point_change_nothing():
    other = {name: np.round(values, 4) for name, values in clip().items()}
    other["p0_x"] = np.full_like(other["p0_x"], np.nan)
    old = clip() | {"p0_x": other["p0_x"]}
    assert clock_shift(old, other) == pytest.approx(0.0, abs=1e-4)


def test_a_stance_alone_is_in_many_clips():
    assert clock_shift(clip(frames=150), clip(frames=150)) is None
    assert clock_shift(clip(share=0.05), clip(share=0.05)) is None


def test_another_rate_is_another_clip():
    slow = {name: values[::2] for name, values in clip().items()}
    assert clock_shift(clip(), slow) is None


def test_nothing_to_compare():
    assert clock_shift({"time": np.zeros(3)}, clip()) is None
