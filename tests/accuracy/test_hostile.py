"""Damaged files, and what the report says of them."""

import numpy as np
import pytest

from accuracy import damage, hostile
from accuracy.swings import clean_swing
from biomechanics.definitions import METRICS

FILES = 30
"""The fixed part of the nightly run: two of every damage."""
WRONG_AT_MOST = 0
"""Numbers of it that are wrong and do not say so. May only be lowered."""


@pytest.fixture(scope="module")
def report():
    return hostile.run(1, FILES)


def test_same_seed_makes_the_same_file():
    first, again = hostile.hostile_file(3, 7), hostile.hostile_file(3, 7)
    assert first.what == again.what
    for name, values in first.swing.kinematics.items():
        assert np.array_equal(values, again.swing.kinematics[name], equal_nan=True)
    assert hostile.hostile_file(4, 7).what != first.what


@pytest.mark.parametrize("name", sorted(set(damage.DAMAGES) - {"nothing"}))
def test_every_damage_changes_the_file_and_not_the_swing_it_came_from(name):
    clean = clean_swing(0, "hit", "right", 240.0)
    before = {n: v.copy() for n, v in (clean.kinematics | clean.energetics).items()}
    done = damage.DAMAGES[name](np.random.default_rng(5), clean).swing
    after = done.kinematics, done.energetics
    assert any(
        part.keys() != own.keys()
        or any(not np.array_equal(part[n], own[n], equal_nan=True) for n in own)
        for part, own in zip(after, (clean.kinematics, clean.energetics), strict=True)
    )
    for column, values in (clean.kinematics | clean.energetics).items():
        assert np.array_equal(values, before[column], equal_nan=True)


def test_tilt_keeps_every_distance():
    clean = clean_swing(0, "hit", "right", 240.0)
    done = damage.tilted(np.random.default_rng(1), clean).swing

    def shank(swing):
        return np.linalg.norm(
            [
                swing.kinematics[f"lkjc_{a}"] - swing.kinematics[f"lajc_{a}"]
                for a in "xyz"
            ],
            axis=0,
        )

    assert np.allclose(shank(done), shank(clean), atol=1e-12)


def test_report_names_the_wrong_numbers_and_how_to_see_them(report):
    text = hostile.as_text(report)
    assert f"{FILES} files of seed 1" in text
    for item in report.wrong:
        assert abs(item.error) > item.limit
    if report.wrong:
        worst = report.wrong[0]
        assert worst.metric in text
        told = hostile.replay(1, worst.place)
        assert worst.damage in told
        assert f"{worst.metric}: true" in told


def test_right_numbers_of_undamaged_files_stay(report):
    shown, left = report.shown["nothing"], report.left_out["nothing"]
    assert shown / (shown + left) > 0.97


def test_no_more_wrong_numbers_than_before(report):
    assert len(report.wrong) <= WRONG_AT_MOST


@pytest.mark.parametrize(
    ("seed", "place"),
    [
        *((2026, at) for at in (427, 718, 890, 977, 1250, 1315, 1344, 1775, 1880)),
        (8081, 99),
        *((9102, at) for at in (86, 849, 1292)),
        *((9103, at) for at in (500, 680, 1131, 1481)),
        *((9301, at) for at in (260, 1955)),
    ],
)
def test_a_file_that_was_wrong_without_a_mark_is_no_more(seed, place):
    assert hostile.run(seed, 1, place).wrong == []


def test_every_metric_has_a_tolerance():
    for metric, item in METRICS.items():
        if item.unit != "text":
            assert hostile.tolerance(metric, 0.0) > 0, metric
