"""What is as before once an upload was undone: decisions, gone swings, twins."""

import datetime as dt
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.utils import timezone

from athletes import decisions
from athletes.frames import presence
from athletes.models import (
    BiomechanicsData,
    EventCorrection,
    Inclusion,
    Movement,
    SameRecording,
    Session,
    SetAside,
    UploadState,
)
from syncing.choices import RunKind, RunStatus, SyncType
from syncing.engine.runs import claim_run, open_run
from syncing.models import SyncLog
from syncing.people_added import UndoRefusedError
from syncing.undoing import plan_undo, undo
from tests.factories import make_player, make_staff
from tests.syncing.test_imports import download, stored
from tests.syncing.test_undoing import as_file, changed, give, table

__all__ = ["download", "give"]

pytestmark = [pytest.mark.django_db, pytest.mark.both]

EVENT = "foot_down"


def three_seconds_ahead(content):
    """The same motion by a clock that is three seconds ahead."""
    header, *rows = table(content)
    place = header.index("time")
    for row in rows:
        row[place] = str(round(float(row[place]) + 3.0, 6))
    return as_file([header, *rows])


def another_motion(content):
    """Other points at the same instants."""
    header, *rows = table(content)
    places = [n for n, name in enumerate(header) if re.fullmatch(r".+_[xyz]", name)]
    for row in rows:
        for place in places:
            if row[place]:
                row[place] = str(float(row[place]) * 1.05)
    return as_file([header, *rows])


def decided():
    """All that holds of what people decided: (movement, ...) each."""
    moved = EventCorrection.objects.filter(undone_at=None).order_by("movement", "event")
    said = Movement.objects.exclude(inclusion=Inclusion.AUTOMATIC).order_by("pk")
    return (
        [(m, e, round(t, 6)) for m, e, t in moved.values_list(*_MOVED)],
        list(said.values_list("pk", "inclusion", "inclusion_reason")),
    )


_MOVED = ("movement", "event", "time_s")


def events_of(movement):
    return Movement.objects.get(pk=movement.pk).events[EVENT]["time_s"]


@pytest.fixture
def two(download, give):
    """A swing that is excluded and one of which an event was moved, with its time."""
    give(download())
    staff = make_staff(username="robin")
    one, other = list(Movement.objects.in_session_order())[:2]
    decisions.set_inclusion(
        movement=one, inclusion="excluded", reason="Check swing.", user=staff
    )
    time_s = other.automatic_events[EVENT]["time_s"] + 0.02
    decisions.move_event(
        movement=other, event=EVENT, time_s=time_s, reason="The heel.", user=staff
    )
    return one, other, time_s


@pytest.mark.mainly("sqlite")
def test_decisions_are_as_before_a_clock_that_was_ahead(download, give, two):
    one, other, time_s = two
    before = decided()
    assert before == (
        [(other.pk, EVENT, round(time_s, 6))],
        [(one.pk, "excluded", "Check swing.")],
    )
    second = give(three_seconds_ahead(download()))
    assert decided() == ([(other.pk, EVENT, round(time_s + 3.0, 6))], before[1])
    assert events_of(other) == pytest.approx(time_s + 3.0, abs=1e-6)
    assert plan_undo(second).added == []
    undo(upload=second, by=None)
    assert decided() == before
    assert events_of(other) == pytest.approx(time_s, abs=1e-6)
    assert not SetAside.objects.exists()


@pytest.mark.mainly("sqlite")
def test_decisions_that_another_motion_set_aside_hold_again(download, give, two):
    before = decided()
    second = give(another_motion(download()))
    assert decided() == ([], [])
    assert SetAside.objects.filter(settled_at=None).count() == 2
    staff = make_staff(username="kim")
    undo(upload=second, by=staff)
    assert decided() == before
    assert events_of(two[1]) == pytest.approx(two[2], abs=1e-6)
    # There is nothing to offer any more.
    assert not SetAside.objects.filter(settled_at=None).exists()
    assert set(SetAside.objects.values_list("settled_by", flat=True)) == {staff.pk}
    corrections = EventCorrection.objects.filter(undone_at=None)
    assert list(corrections.values_list("set_aside", flat=True)) == [None]


@pytest.mark.mainly("sqlite")
def test_decisions_on_uploaded_frames_do_not_pass_to_those_before(download, give):
    give(download())
    second = give(another_motion(download()))
    one, other = list(Movement.objects.in_session_order())[:2]
    staff = make_staff(username="robin")
    decisions.set_inclusion(
        movement=one, inclusion="excluded", reason="Check swing.", user=staff
    )
    automatic = other.automatic_events[EVENT]["time_s"]
    decisions.move_event(
        movement=other, event=EVENT, time_s=automatic + 0.02, reason="Heel.", user=staff
    )
    assert plan_undo(second).added == ["1 moved event by robin"]
    undo(upload=second, by=staff, with_added=True)
    assert decided() == ([], [])
    back = Movement.objects.get(pk=other.pk)
    assert back.events[EVENT] == back.automatic_events[EVENT]
    # What was said of the other motion is offered, to be taken up or not.
    offer = SetAside.objects.get(settled_at=None)
    assert (offer.movement, offer.inclusion) == (one, "excluded")


# --- A swing that was gone ----------------------------------------------------------


@pytest.mark.mainly("sqlite")
@pytest.mark.parametrize("how", [bytes, changed])
def test_a_gone_swing_that_a_file_brought_back_is_gone_again(download, give, how):
    give(download())
    gone, *others = Movement.objects.in_session_order()
    since = timezone.now()
    BiomechanicsData.objects.filter(movement=gone).update(missing_since=since)
    presence.settle([gone.session_id])
    before = stored()
    second = give(how(download()))
    assert not Movement.objects.filter(missing_since__isnull=False).exists()
    undo(upload=second, by=None)
    assert list(Movement.objects.filter(missing_since__isnull=False)) == [gone]
    rows = BiomechanicsData.objects.filter(missing_since__isnull=False)
    assert list(rows.values_list("movement", "missing_since")) == [(gone.pk, since)]
    assert stored() == before
    assert Session.objects.get().swing_count == sum(m.is_swing for m in others)


# --- A session that counted instead of its twin --------------------------------------


def test_the_twin_counts_again_once_the_session_that_counted_goes(download, give):
    player, staff = make_player(org_player_id=download.player), make_staff()
    day = dt.date(2026, 11, 1)
    give(download(), session="s1", session_date=day)
    player.refresh_from_db()
    swings = player.swing_count
    assert swings > 0
    second = give(download(), session="s2", session_date=day)
    decisions.choose_recording(
        pair=SameRecording.objects.get(), counts="later", user=staff
    )
    first = Movement.objects.filter(session__session_id="s1", is_swing=True)
    assert set(first.values_list("inclusion", flat=True)) == {"excluded"}
    undo(upload=second, by=staff)
    assert set(first.values_list("inclusion", "inclusion_reason")) == {
        (Inclusion.AUTOMATIC, "")
    }
    assert not SameRecording.objects.exists()
    player.refresh_from_db()
    assert (player.session_count, player.swing_count) == (1, swings)
    assert Session.objects.get().swing_count == swings


# --- While other files are being stored -----------------------------------------------


def storing():
    """An import of files that is under way."""
    log, _ = open_run(trigger="command", sync_type=SyncType.UPLOAD, kind=RunKind.UPLOAD)
    return claim_run(log.pk)


def test_nothing_is_undone_while_files_are_being_stored(download, give):
    upload = give(download())
    before = stored()
    run = storing()
    for act in (plan_undo, lambda each: undo(upload=each, by=None)):
        with pytest.raises(UndoRefusedError, match="Files are being stored"):
            act(upload)
    upload.refresh_from_db()
    assert (upload.state, stored()) == (UploadState.STORED, before)
    SyncLog.objects.filter(pk=run.pk).update(status=RunStatus.SUCCESS)
    undo(upload=upload, by=None)
    assert stored() == []


def test_an_import_that_died_keeps_nobody_from_undoing(download, give):
    upload = give(download())
    run = storing()
    silent = timezone.now() - dt.timedelta(minutes=10)
    SyncLog.objects.filter(pk=run.pk).update(heartbeat_at=silent)
    undo(upload=upload, by=None)
    assert stored() == []
    run.refresh_from_db()
    assert run.status == RunStatus.ABANDONED


@pytest.mark.django_db(transaction=True)
def test_files_that_begin_to_be_stored_meanwhile_are_waited_for(download, give):
    """The first step of storing holds the session, which undoing waits for."""
    if connection.vendor != "postgresql":
        pytest.skip("There is one writer at a time.")
    upload = give(download())
    before = stored()

    def undone():
        try:
            undo(upload=upload, by=None)
        except UndoRefusedError as error:
            return str(error)
        finally:
            connection.close()
        return "undone"

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            list(Session.objects.select_for_update(no_key=True))
            answer = pool.submit(undone)
            wait_for_lock()
            storing()
        assert "Files are being stored" in answer.result(30)
    assert stored() == before
    upload.refresh_from_db()
    assert upload.state == UploadState.STORED


def wait_for_lock():
    """Wait until somebody waits for a row of ours."""
    until = time.monotonic() + 20
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND wait_event_type = 'Lock'"
    )
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(waiting)
            if cursor.fetchone()[0]:
                return
            time.sleep(0.05)
    raise AssertionError("Nobody waits.")
