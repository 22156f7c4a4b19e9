"""Body positions on the page of a swing: stills with the numbers of their instant."""

from __future__ import annotations

import numpy as np
import pytest

from athletes.frames.curves import load_curves
from dashboard.selectors.body_positions import NUMBERS, body_positions
from dashboard.selectors.posed import pose
from dashboard.selectors.swing_figure import load_points
from tests.dashboard.page_contents import swings_of, text_of

pytestmark = pytest.mark.django_db


def positions_of(swing, **changes):
    arguments = {
        "who": "Swing 1",
        "no_figure": "No points.",
        "curves": load_curves([swing.pk]).get(swing.pk),
        "posed": pose(swing, load_points(swing).columns),
    } | changes
    found = body_positions(
        swing, arguments.pop("curves"), arguments.pop("posed"), **arguments
    )
    return {position.event: position for position in found}


@pytest.fixture
def swing(session):
    return swings_of(session)[0]


def test_each_has_five_numbers_and_they_are_those_of_the_swing(swing):
    found = positions_of(swing)
    assert {len(position.numbers) for position in found.values()} == {5}
    for event in ("foot_down", "reference"):
        for number, (metric, label) in zip(
            found[event].numbers, NUMBERS[event], strict=True
        ):
            assert number.label == label
            assert number.metric == metric
            assert number.value == swing.metrics[metric]["value"]
            assert number.value is not None


def test_numbers_at_first_move_are_the_curves_and_agree_with_the_metrics(swing):
    curves = load_curves([swing.pk])[swing.pk]
    at = swing.events["first_move"]["time_s"]
    for number in positions_of(swing)["first_move"].numbers:
        series = number.definition.id
        assert number.value == pytest.approx(
            np.interp(at, curves.time_s, curves.values[series])
        )
        assert number.metric == ""
    # Read off at foot down the curves say what the metrics say.
    foot_down = swing.events["foot_down"]["time_s"]
    for series, metric in (
        ("pelvis_rotation", "pelvis_rot_fd"),
        ("torso_rotation", "torso_rot_fd"),
        ("x_factor", "x_factor_fd"),
        ("lead_knee_flexion", "lead_knee_flex_fd"),
    ):
        value = np.interp(foot_down, curves.time_s, curves.values[series])
        assert value == pytest.approx(swing.metrics[metric]["value"], abs=0.5)


def test_positions_stand_in_the_order_of_the_swing(swing):
    assert list(positions_of(swing)) == ["first_move", "foot_down", "reference"]
    first_move = swing.events["first_move"]["time_s"]
    swing.events["foot_down"]["time_s"] = first_move - 0.05
    found = positions_of(swing)
    assert list(found) == ["foot_down", "first_move", "reference"]
    contact = swing.events["reference"]["time_s"]
    ms = round(1000 * (contact - first_move + 0.05))
    assert found["foot_down"].when == f"{ms} ms before contact (est.)"
    assert found["reference"].label == "Contact (est.)"


def test_what_is_missing_has_its_reason(swing):
    swing.events["foot_down"] = {"time_s": None, "reason": "The ankle never rests."}
    swing.metrics["pelvis_rot_fd"] = {"value": None, "reason": "no foot down"}
    found = positions_of(swing)
    assert found["foot_down"].still is None
    assert found["foot_down"].missing == "The ankle never rests."
    assert found["foot_down"].numbers[0].reason == "no foot down"
    assert found["reference"].still is not None
    # Without points the numbers stay.
    found = positions_of(swing, posed=None)
    assert found["reference"].missing == "No points."
    assert found["reference"].numbers[0].value is not None
    # Without curves there is nothing to read at first move.
    numbers = positions_of(swing, curves=None)["first_move"].numbers
    assert {(one.value, one.reason) for one in numbers} == {
        (None, "This swing has no such curve.")
    }


def test_a_number_off_a_curve_is_no_surer_than_the_metrics_beside_it(swing):
    for metric in ("pelvis_rot_fd", "pelvis_rot_ref"):
        swing.metrics[metric] |= {"flagged": True, "reason": "the axes are tilted"}
    for metric in ("x_factor_fd", "x_factor_ref"):
        swing.metrics[metric] |= {"value": None, "reason": "no shoulders"}
    swing.metrics["torso_rot_fd"] |= {
        "flagged": True,
        "reason": "foot down is uncertain",
    }
    pelvis, torso, separation, *_ = positions_of(swing)["first_move"].numbers
    assert (pelvis.flagged, pelvis.reason) == (True, "the axes are tilted")
    assert (torso.flagged, torso.reason) == (False, "")
    assert (separation.value, separation.reason) == (None, "no shoulders")
    swing.events["first_move"] |= {"confidence": "low", "reason": "turns all along"}
    torso = positions_of(swing)["first_move"].numbers[1]
    assert torso.flagged
    assert torso.reason == "First move is uncertain: turns all along"


def test_page_shows_stills_with_names_and_numbers(client, coach, session, swing):
    response = client.get(f"/athletes/swings/{swing.pk}/")
    body = response.content.decode()
    assert body.count('<svg class="still"') == 3
    assert (
        'role="img" aria-label="Swing 1 at contact (est.), seen from the open side"'
        in body
    )
    assert " ms before contact (est.), seen from the open side" in body
    assert "Stride width" in text_of(response)
    # A walk-through has no events, so there is nothing to stand at.
    walk = session.movements.get(is_swing=False)
    assert "Body positions" not in text_of(client.get(f"/athletes/swings/{walk.pk}/"))
