"""The mean time of an event, for the marks of a chart of averages."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from dashboard.selectors.aligned_curves import (
    Alignment,
    event_marks,
    mean_offset_s,
    on_axis,
    zero_label,
)


def swing(**times):
    return {name: {"time_s": time_s, "rule": "any"} for name, time_s in times.items()}


def test_time_of_an_event_is_the_mean_over_swings_that_have_both():
    swings = [
        swing(first_move=0.80, reference=1.00),
        swing(first_move=1.70, reference=2.00),
        swing(reference=3.00),
        swing(first_move=4.00),
        swing(first_move=None, reference=5.00),
    ]
    assert mean_offset_s(swings, "first_move", "reference") == pytest.approx(-0.25)
    assert mean_offset_s(swings, "reference", "first_move") == pytest.approx(0.25)


def test_event_that_no_swing_has_has_no_time():
    swings = [swing(reference=1.00), swing(first_move=1.0)]
    assert mean_offset_s(swings, "first_move", "reference") is None
    assert mean_offset_s([], "first_move", "reference") is None


WHOLE = swing(load=0.5, first_move=0.8, foot_down=0.9, reference=1.0)


def test_an_axis_in_ms_and_one_in_percent_put_events_where_they_are():
    assert Alignment("foot_down").place(WHOLE, "reference") == pytest.approx(100.0)
    percent = Alignment("percent")
    assert percent.place(WHOLE, "foot_down") == pytest.approx(50.0)
    assert percent.place(WHOLE, "load") == pytest.approx(-150.0)
    assert percent.clock(WHOLE) == pytest.approx((0.8, 500.0))
    for lacking in (
        swing(reference=1.0),
        swing(first_move=0.8),
        swing(first_move=1.0, reference=1.0),
    ):
        assert percent.clock(lacking) is None
        assert percent.place(lacking, "reference") is None


def test_a_doubtful_load_opens_no_window():
    assert Alignment("reference").window([WHOLE]) == (-550, 150)
    doubtful = WHOLE | {"load": {"time_s": 0.1, "rule": "any", "confidence": "low"}}
    assert Alignment("reference").window([doubtful]) == (-300, 150)
    assert Alignment("load").window([doubtful]) == (0, 1050)


QUICK = swing(first_move=0.999, reference=1.0)


def test_percent_of_next_to_no_time_has_no_axis():
    percent = Alignment("percent")
    assert percent.clock(QUICK) is None
    assert percent.window([QUICK]) is None
    assert percent.why_no_place(QUICK) == (
        "first move is less than 50 ms before contact"
    )
    assert percent.why_no_place(swing(reference=1.0)) == (
        "no first move or contact was found"
    )
    # 50 ms are enough, and more than twice the swing is not drawn.
    least = swing(first_move=0.9, reference=0.951)
    assert percent.clock(least) == pytest.approx((0.9, 100 / 0.051))
    assert percent.window([least]) == (-200, 200)
    assert percent.window([WHOLE, QUICK]) == (-180, 180)


@dataclass(frozen=True)
class Swing:
    events: dict[str, object]


def unsure(name, **times):
    events = swing(**times)
    return Swing(events | {name: events[name] | {"confidence": "low"}})


def test_an_unsure_event_places_no_swing_among_several():
    sure = [Swing(swing(foot_down=at, reference=1.0)) for at in (0.9, 0.8)]
    doubtful = unsure("foot_down", foot_down=0.5, reference=1.0)
    lacking = Swing(swing(reference=1.0))
    on_foot = Alignment("foot_down")
    assert on_axis([*sure, doubtful, lacking], on_foot) == (
        sure,
        {"foot down is uncertain": 1, "no foot down was found": 1},
    )
    assert on_axis([doubtful], on_foot) == ([doubtful], {})
    # Where foot down is not what they meet on, it matters to its mean place alone.
    on_contact = Alignment("reference")
    assert on_axis([*sure, doubtful], on_contact)[0] == [*sure, doubtful]
    events = [one.events for one in (*sure, doubtful)]
    marks = {one.name: one.at for one in event_marks(on_contact, events, rule="")}
    assert marks["foot_down"] == pytest.approx(-150.0)
    assert mean_offset_s(events, "foot_down", "reference") == pytest.approx(-0.15)
    (alone, _) = event_marks(on_contact, [doubtful.events], rule="")
    assert alone.at == pytest.approx(-500.0)


def test_in_percent_both_ends_have_to_be_sure():
    percent = Alignment("percent")
    first = unsure("first_move", first_move=0.7, reference=1.0)
    last = unsure("reference", first_move=0.7, reference=1.0)
    assert on_axis([first, last], percent) == (
        [],
        {"first move is uncertain": 1, "contact is uncertain": 1},
    )


def test_marks_are_mean_places_and_name_the_reference_by_its_rule():
    later = swing(first_move=0.7, peak_hand_speed=0.9995, reference=1.0)
    marks = event_marks(Alignment("reference"), [WHOLE, later], rule="bat_peak")
    assert [(one.name, one.label, round(one.at, 6)) for one in marks] == [
        ("load", "Load", -500.0),
        ("first_move", "Move", -250.0),
        ("foot_down", "Foot down", -100.0),
        ("reference", "Contact (est.)", 0.0),
    ]
    assert {one.rule for one in marks} == {"average of the swings"}
    (alone,) = event_marks(
        Alignment("reference"), [swing(reference=1.0)], rule="contact", sign="B"
    )
    assert (alone.label, alone.sign, alone.rule) == ("Contact", "B", "")


def test_contact_is_called_so_only_where_it_was_measured():
    assert zero_label("contact", "reference") == "contact"
    assert zero_label("bat_impact", "reference") == "contact"
    assert zero_label("bat_peak", "reference") == "contact (est.)"
    assert zero_label("hand_peak", "reference") == "peak hand speed"
    assert zero_label("", "foot_down") == "foot down"
