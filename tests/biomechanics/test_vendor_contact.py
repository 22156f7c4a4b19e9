"""When the vendor's contact may be used, told from frames and times alone."""

import numpy as np
import pytest

from biomechanics.vendor_contact import VendorEvents, find_vendor_contact

TIME_S = np.arange(480) / 240.0
PEAK_S, FOOT_DOWN_S, CONTACT_S = 400 / 240, 350 / 240, 410 / 240
EVENTS = VendorEvents(impact=410.0, peak_velocity=400.0, foot_down=350.0)


def find(events=EVENTS, peaks_s=(PEAK_S,), foot_down_s=FOOT_DOWN_S):
    return find_vendor_contact(events, TIME_S, peaks_s=peaks_s, foot_down_s=foot_down_s)


def test_frames_of_this_file_give_the_time_of_their_row():
    found = find()
    assert found.value == CONTACT_S
    assert found.evidence["impact_event"] == 410.0
    assert found.evidence["source"] == "hitting-processed-metrics"
    assert found.evidence["peak_off_ms"] == 0.0


def test_the_nearest_of_several_peaks_is_enough():
    assert find(peaks_s=(PEAK_S - 0.05, PEAK_S + 0.014)).value == CONTACT_S


def test_a_file_without_the_vendors_foot_down_is_checked_by_the_peak_alone():
    assert find(foot_down_s=None).value == CONTACT_S


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"impact": None}, "names no contact"),
        ({"impact": 480.0}, "not a frame of this clip"),
        ({"impact": -1.0}, "not a frame of this clip"),
        ({"impact": 410.5}, "not a frame of this clip"),
        ({"peak_velocity": None}, "no frame of peak speed"),
        ({"peak_velocity": 480.0}, "cannot be checked"),
        ({"peak_velocity": 404.0}, "17 ms from the nearest peak"),
        ({"foot_down": 354.0}, "foot down"),
        ({"foot_down": 481.0}, "foot down"),
    ],
)
def test_what_does_not_fit_is_not_used_and_says_why(changes, words):
    values = {"impact": 410.0, "peak_velocity": 400.0, "foot_down": 350.0}
    found = find(VendorEvents(**(values | changes)))
    assert found.value is None
    assert words in found.text


def test_without_any_peak_nothing_is_believed():
    assert find(peaks_s=()).value is None


def test_the_first_frame_is_frame_nought():
    events = VendorEvents(impact=10.0, peak_velocity=0.0)
    assert find(events, peaks_s=(0.0,)).value == 10 / 240


def test_frames_counted_at_another_rate_are_not_those_of_this_file():
    at_300_hz = VendorEvents(*(round(f * 300 / 240) for f in (380, 370, 320)))
    assert find(at_300_hz, peaks_s=(370 / 240,), foot_down_s=320 / 240).value is None
