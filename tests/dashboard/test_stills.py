"""A still of a hitter from points whose places are known."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard import stills

# Lead shoulder, rear shoulder, hips, neck, head, lead ankle, lead toe.
POINTS = np.array(
    [
        (0.2, 0.0, 1.4),
        (-0.2, 0.0, 1.4),
        (0.0, 0.0, 0.9),
        (0.0, 0.0, 1.5),
        (0.0, 0.0, 1.7),
        (0.4, 0.1, 0.1),
        (0.4, -0.1, 0.0),
    ]
)
BONES = ((0, 1, "torso"), (2, 3, "torso"), (5, 6, "legs"))


def figure(side="right", **changes):
    return stills.Figure(
        **(
            {
                "bones": BONES,
                "side": side,
                "head": 4,
                "chest": (0, 1, 2, 3),
                "front_foot": (5, 6),
            }
            | changes
        )
    )


VIEW = stills.View(low=-1.0, high=1.0, top=2.0, floor=0.0)


def test_a_place_is_in_centimeters_from_the_upper_left():
    assert (VIEW.width, VIEW.height) == (200.0, 210.0)
    assert VIEW.place(0.25, 0.5) == (125.0, 150.0)


def test_bones_head_and_front_foot_are_where_their_points_are():
    still = stills.draw(POINTS, figure(), VIEW)
    # What is drawn runs from −0.2 to 0.4 m, so its middle is 0.1 m to the left.
    shoulders = next(s for s in still.strokes if s.part == "torso" and s.y1 == s.y2)
    assert (shoulders.x1, shoulders.y1, shoulders.x2) == (110.0, 60.0, 70.0)
    assert shoulders.rim == (104.4, 60.0, 75.6, 60.0)
    assert still.head == (90.0, 30.0, 10.5)
    assert still.front == (130.0, 200.0, 17.0, 3.4)
    assert still.ground == 200.0


def test_a_left_hander_is_seen_from_across():
    still = stills.draw(POINTS, figure("left"), VIEW)
    shoulders = next(s for s in still.strokes if s.part == "torso" and s.y1 == s.y2)
    assert (shoulders.x1, shoulders.x2) == (90.0, 130.0)


def test_what_is_nearer_is_drawn_later():
    points = POINTS.copy()
    points[:4, 1] = -0.5  # toward who looks at a right-hander's chest
    order = [stroke.part for stroke in stills.draw(points, figure(), VIEW).strokes]
    assert order == ["legs", "torso", "torso"]
    order = [
        stroke.part for stroke in stills.draw(points, figure("left"), VIEW).strokes
    ]
    assert order == ["torso", "torso", "legs"]


def test_the_chest_looks_square_to_shoulders_and_trunk():
    np.testing.assert_allclose(stills.facing(POINTS, figure()), [0, -1, 0], atol=1e-9)
    np.testing.assert_allclose(
        stills.facing(POINTS, figure("left")), [0, 1, 0], atol=1e-9
    )
    # Turned to the pitcher the mark points there: to the right, 6 to 32 cm ahead.
    turned = POINTS.copy()
    turned[0], turned[1] = (0.0, 0.2, 1.4), (0.0, -0.2, 1.4)
    np.testing.assert_allclose(stills.facing(turned, figure()), [1, 0, 0], atol=1e-9)
    still = stills.draw(turned, figure(), VIEW)
    # The middle of what is drawn is at 0.2 m; the chest's at 0, 1.25 m high.
    assert still.chest == "M112 75L86 70L86 80Z"
    # Where it looks at the reader there is no arrow to draw.
    assert stills.draw(POINTS, figure(), VIEW).chest == ""


@pytest.mark.parametrize("lost", range(7))
def test_a_missing_point_takes_with_it_what_rests_on_it_alone(lost):
    points = POINTS.copy()
    points[lost] = np.nan
    still = stills.draw(points, figure(), VIEW)
    assert len(still.strokes) == sum(lost not in bone[:2] for bone in BONES)
    assert (still.head is None) == (lost == 4)
    assert still.front is not None
    assert (stills.facing(points, figure()) is None) == (lost < 4)


def test_the_view_holds_every_pose_and_is_as_wide_as_the_widest():
    wide = POINTS.copy()
    wide[4, 0] = 1.0
    view = stills.view_of([(POINTS, "right"), (wide, "left"), (POINTS * np.nan, "")])
    assert (view.low, view.high) == (pytest.approx(-0.72), pytest.approx(0.72))
    assert (view.top, view.floor) == (pytest.approx(1.82), 0.0)
    # A file whose ground is elsewhere.
    view = stills.view_of([(POINTS - [0, 0, 3.0], "right")])
    assert view.floor == pytest.approx(-3.0)
    # Without anything there is still a picture's shape.
    assert stills.view_of([]).height > 0


def test_poses_that_differ_in_a_digit_are_drawn_apart():
    moved = POINTS.copy()
    moved[:, 2] += 0.01
    first, again, other = (
        stills.draw(points, figure(), VIEW) for points in (POINTS, POINTS.copy(), moved)
    )
    assert first == again
    assert other != first
    assert stills.draw(POINTS, figure("left"), VIEW) != first
