"""Columns of the vendor's files that appear, vanish or hold another kind of value."""

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from syncing import care
from syncing.choices import RunStatus
from syncing.engine.layouts import Layouts, note_columns
from syncing.models import ColumnLayout, ExportJob

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both]

IK = "inverse-kinematics"


def lines():
    return {change.layout.data_type: change.lines for change in care.column_changes()}


@pytest.mark.slow
def test_new_and_gone_columns_are_told_once(start_vendor, run_sync, client):
    vendor = start_vendor(players=2, sessions=1, swings=1, scenario="plain")
    run_sync()
    assert ColumnLayout.objects.filter(data_type=IK, changes={}).count() == 1
    assert lines() == {}

    vendor.app.set_scenario("plain,columns-changed")
    vendor.world.touch_session(vendor.world.listed_sessions()[0].id)
    assert run_sync().status == RunStatus.SUCCESS
    assert lines()[IK] == ["New: spare_value", "Gone: left_ankle_inv"]

    user = User.objects.create_user("staff", password="staff-password", is_staff=True)
    client.force_login(user)
    assert "New: spare_value" in client.get("/syncing/").content.decode()
    for row in ColumnLayout.objects.exclude(changes={}):
        client.post(reverse("syncing:note_columns"), {"row": row.pk})
    assert "spare_value" not in client.get("/syncing/").content.decode()
    assert ColumnLayout.objects.exclude(changes={}).first().noted_by == user

    # Both are known now.
    for scenario in ("plain", "plain,columns-changed"):
        vendor.app.set_scenario(scenario)
        ExportJob.objects.update(state="wanted", next_try_at=timezone.now(), sha256="")
        run_sync()
        assert lines() == {}


def test_another_kind_of_value_is_told_and_an_empty_column_is_none():
    note_columns(IK, "", {"time": "number", "spare": "", "note": "text"})
    note_columns(IK, "", {"time": "number", "spare": "number", "note": ""})
    assert lines() == {}
    note_columns(IK, "", {"time": "number", "spare": "text", "note": "text"})
    assert lines() == {IK: ["A different type of value: spare"]}
    ColumnLayout.objects.update(noted_at=timezone.now())
    note_columns(IK, "", {"time": "number", "spare": "text", "note": "text"})
    assert lines() == {}


def test_another_capture_system_has_columns_of_its_own():
    note_columns(IK, "rebootmotion", {"time": "number"})
    note_columns(IK, "hawkeyehfr", {"time": "number", "x": "number"})
    assert lines() == {}


def test_a_column_of_both_kinds_is_told_of_once():
    told = []
    for kind in ("number", "text", "number", "text"):
        note_columns("metadata", "", {"a": "number", "notes": kind})
        told.append(lines())
        ColumnLayout.objects.update(noted_at=timezone.now())
    assert told == [{}, {"metadata": ["A different type of value: notes"]}, {}, {}]


def test_a_run_compares_each_layout_with_the_stored_ones_once(
    django_assert_num_queries,
):
    layouts = Layouts()
    layouts.note("metadata", "", {"a": "number", "notes": "number"})
    with django_assert_num_queries(0):
        layouts.note("metadata", "", {"notes": "number", "a": "number"})
    layouts.note("metadata", "", {"a": "number", "notes": "text"})
    assert lines() == {"metadata": ["A different type of value: notes"]}
    layouts.note("metadata", "other", {"a": "number", "notes": "number"})
    assert ColumnLayout.objects.count() == 2
