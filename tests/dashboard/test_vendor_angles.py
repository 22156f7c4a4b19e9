"""The vendor's own angles on the angles tab: asked for, converted, explained."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from django.db import connection

from athletes.analysis import run
from athletes.frames import load
from athletes.models import DataType
from dashboard.selectors.swing_curves import swing_curves
from dashboard.selectors.vendor_angles import VENDOR_GROUPS
from tests.factories import (
    make_session,
    make_user,
    simulated_movements,
    store_simulated,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def swing():
    session = make_session()
    store_simulated(session, simulated_movements()[:1])
    run.analyze_session(session.pk)
    return session.movements.get()


def decoded(trace, name="y"):
    import base64

    return np.frombuffer(base64.b64decode(trace[name]["bdata"]), dtype="<f4")


def test_columns_are_drawn_in_degrees_on_the_clock_of_the_swing(swing):
    stored = load.load_columns(
        [swing.pk], DataType.INVERSE_KINEMATICS, ["time", "left_elbow"]
    )[swing.pk]
    curves = swing_curves(swing, tab="angles", vendor="left_arm")
    trace = next(
        one for one in curves.detail.figure["data"] if one["key"] == "left_elbow"
    )
    assert swing.angle_unit_found == "rad"
    assert decoded(trace) == pytest.approx(np.degrees(stored["left_elbow"]), abs=1e-3)
    zero = curves.detail.figure["meta"]["time_zero_s"]
    assert decoded(trace, "x") == pytest.approx(
        (stored["time"] - zero) * 1000, abs=1e-2
    )
    assert "radians" in curves.vendor.remarks[0]


@pytest.mark.both
def test_they_are_read_only_when_asked_for(swing, django_assert_num_queries):
    # PostgreSQL is asked for the head of the stored frames, then for a part of them.
    with django_assert_num_queries(2 if connection.vendor == "sqlite" else 3):
        ours = swing_curves(swing, tab="angles")
    assert ours.vendor is None
    assert "left_elbow" not in {one["key"] for one in ours.detail.figure["data"]}
    # Another tab, or a part of the body that there is not, is ours too.
    assert swing_curves(swing, tab="energy", vendor="left_arm").vendor is None
    assert swing_curves(swing, tab="angles", vendor="tail").vendor is None


@pytest.mark.parametrize("unit", ["unknown", None])
def test_angles_of_an_unknown_unit_are_not_drawn(swing, unit):
    swing.angle_unit_found = unit
    curves = swing_curves(swing, tab="angles", vendor="left_arm")
    assert curves.detail.figure is None
    assert "is unclear" in curves.detail.empty


@pytest.mark.both
def test_unreadable_frames_leave_a_word_in_their_place(swing):
    swing.biomechanics.update(frames=b"broken")
    curves = swing_curves(swing, tab="angles", vendor="left_arm")
    assert "can't be read" in curves.detail.empty


def test_every_column_is_in_one_group_and_says_its_sign():
    from biomechanics.angle_columns import ANGLE_COLUMNS

    columns = [item for group in VENDOR_GROUPS.values() for item in group.columns]
    assert sorted(item.column for item in columns) == sorted(ANGLE_COLUMNS)
    assert all(item.sense for item in columns)
    assert max(len(group.columns) for group in VENDOR_GROUPS.values()) <= 6


def test_the_tab_offers_them_and_says_whose_they_are(client, swing):
    client.force_login(make_user(), backend="django.contrib.auth.backends.ModelBackend")
    url = f"/athletes/swings/{swing.pk}/?tab=angles"
    plain = client.get(url).content.decode()
    assert '<option value="trunk">' in plain
    assert "id_vendor" in plain
    assert "<code>left_knee</code>" not in plain
    chosen = client.get(
        f"{url}&vendor=left_leg", headers={"HX-Request": "true"}
    ).content.decode()
    assert "<code>left_knee</code>" in chosen
    assert "bend is positive, 0 is straight" in chosen
    found = re.search(r'<script id="detail-data"[^>]*>(.*?)</script>', chosen)
    figure = json.loads(found[1])
    assert figure["layout"]["yaxis"]["title"]["text"] == "Angle as delivered (°)"
    other = client.get(f"/athletes/swings/{swing.pk}/?tab=energy").content.decode()
    assert "id_vendor" not in other
