"""Undoing uploads by hand as a whole, and correcting sessions that came by hand."""

import csv
import datetime as dt
import gzip
import io

import pytest
from django.core.management import CommandError, call_command

from athletes import decisions
from athletes.models import (
    BiomechanicsData,
    EventCorrection,
    HandUpload,
    Movement,
    Note,
    Player,
    ReplacedFrames,
    Session,
    SessionMetric,
    SetAside,
    Tag,
    UploadState,
)
from privacy import erasing
from sharing.links import make_link
from sharing.models import ShareLink
from syncing import hand_sessions
from syncing.imports import GivenFile, NewAthlete, import_files
from syncing.models import ExportJob
from syncing.people_added import UndoRefusedError
from syncing.undoing import plan_undo, undo
from tests.factories import make_player, make_staff, make_user
from tests.syncing.test_imports import download, known, stored

__all__ = ["download"]

pytestmark = pytest.mark.django_db

EMPTY = (Player, Session, Movement, BiomechanicsData, ExportJob, ReplacedFrames)


@pytest.fixture
def give(download):
    """Function: contents -> the upload that they were stored with."""

    def store(*contents, session=None, player=None, **options):
        player = player or download.player
        return import_files(
            [GivenFile(f"f{n}", io.BytesIO(c)) for n, c in enumerate(contents)],
            org_player_id=player,
            session_id=session or download.session,
            new_athlete=None if known(player) else NewAthlete("Ash", "Maple"),
            trigger="command",
            **options,
        ).upload

    return store


def table(content):
    text = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    return list(csv.reader(io.StringIO(text.decode("utf-8-sig"))))


def as_file(rows):
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue().encode()


def changed(content):
    """The same movements with other numbers."""
    header, *rows = table(content)
    place = header.index("pelvis_rot")
    for row in rows:
        row[place] = str(float(row[place]) + 0.5)
    return as_file([header, *rows])


def some(content, count=1):
    """The first movements of a file."""
    header, *rows = table(content)
    place = header.index("org_movement_id")
    wanted = list(dict.fromkeys(row[place] for row in rows))[:count]
    return as_file([header, *(row for row in rows if row[place] in wanted)])


def counts():
    return {model.__name__: model._base_manager.count() for model in EMPTY}


@pytest.mark.mainly("sqlite")
def test_undoing_the_first_upload_of_a_new_athlete_leaves_nothing(download, give):
    upload = give(download(), download("momentum-energy"), download("metadata"))
    assert Movement.objects.exists()
    plan = plan_undo(upload)
    assert plan.session is not None
    assert plan.player is not None
    assert len(plan.movements) == Movement.objects.count()
    assert plan.added == plan.kept == []
    staff = make_staff()
    undo(upload=upload, by=staff)
    assert set(counts().values()) == {0}
    upload.refresh_from_db()
    assert (upload.state, upload.undone_by) == (UploadState.UNDONE, staff)
    # Nothing of somebody who should never have been here.
    assert (upload.player, upload.files, upload.contents) == (None, [], [])
    with pytest.raises(UndoRefusedError, match="already"):
        undo(upload=upload, by=staff)


@pytest.mark.mainly("sqlite")
def test_a_session_that_was_there_is_as_before(download, give):
    first = give(download())
    before = (stored(), list(ExportJob.objects.values()), counts())
    summary = Session.objects.get().summary
    numbers = list(
        SessionMetric.objects.order_by("metric", "basis").values("metric", "mean")
    )
    second = give(download("momentum-energy"), download("metadata"))
    assert len(stored()) == 2 * len(before[0])
    undo(upload=second, by=None)
    assert (stored(), list(ExportJob.objects.values()), counts()) == before
    assert not Movement.objects.exclude(metadata={}).exists()
    session = Session.objects.get()
    assert session.summary == summary
    assert numbers == list(
        SessionMetric.objects.order_by("metric", "basis").values("metric", "mean")
    )
    first.refresh_from_db()
    assert first.state == UploadState.STORED


def test_what_a_later_upload_repeats_stays_and_is_its_own(download, give):
    first = give(some(download()))
    second = give(download())
    everything = stored()
    plan = undo(upload=first, by=None)
    assert stored() == everything
    assert plan.movements == []
    assert "1 recording" in plan.kept[0]
    assert Player.objects.count() == Session.objects.count() == 1
    second.refresh_from_db()
    undo(upload=second, by=None)
    assert set(counts().values()) == {0}


@pytest.mark.both
def test_frames_that_were_replaced_are_put_back(download, give):
    give(download())
    before = stored()
    speeds = list(
        SessionMetric.objects.order_by("metric", "basis").values("metric", "mean")
    )
    second = give(changed(download()))
    assert stored() != before
    assert ReplacedFrames.objects.count() == len(before)
    undo(upload=second, by=None)
    assert stored() == before
    assert ReplacedFrames.objects.count() == 0
    assert speeds == list(
        SessionMetric.objects.order_by("metric", "basis").values("metric", "mean")
    )


@pytest.mark.parametrize(
    "order",
    [
        pytest.param((0, 1, 2), marks=pytest.mark.mainly("sqlite")),
        pytest.param((1, 0, 2), marks=pytest.mark.mainly("sqlite")),
        pytest.param((0, 2, 1), marks=pytest.mark.both),
        pytest.param((2, 1, 0), marks=pytest.mark.mainly("sqlite")),
    ],
)
def test_uploads_are_undone_in_any_order(download, give, order):
    files = [download(), changed(download()), changed(changed(download()))]
    uploads, states = [], []
    for content in files:
        uploads.append(give(content))
        states.append(stored())
    left = [0, 1, 2]
    for place in order:
        undo(upload=HandUpload.objects.get(pk=uploads[place].pk), by=None)
        left.remove(place)
        assert stored() == (states[left[-1]] if left else [])
    assert set(counts().values()) == {0}


@pytest.mark.django_db(transaction=True)
def test_what_the_sync_brought_since_stays(download, give, run_sync):
    upload = give(download())
    run_sync()
    theirs = stored()
    plan = undo(upload=upload, by=None)
    assert stored() == theirs
    assert (plan.movements, plan.session, plan.player) == ([], None, None)
    assert "sync also" in plan.kept[0]


def test_what_people_added_is_named_and_goes_only_when_told(download, give):
    upload = give(download())
    session = Session.objects.get()
    coach = make_staff(username="robin")
    Note.objects.create(session=session, text="Tired.", created_by=coach)
    session.tags.add(Tag.objects.create(name="spring"))
    swing = session.movements.filter(is_swing=True).first()
    decisions.set_inclusion(
        movement=swing, inclusion="excluded", reason="Bunt.", user=coach
    )
    session.condition = "tee"
    session.save()
    decisions.set_setups(movements=[swing], setup="live")
    with pytest.raises(UndoRefusedError) as caught:
        undo(upload=upload, by=coach)
    added = ("1 note by robin", "1 tag", "inclusion decision by robin", "Tee")
    for words in (*added, "setup of 1 swing"):
        assert words in str(caught.value)
    assert "setup of 1 swing" in hand_sessions.what_people_added(session)
    assert caught.value.is_about_additions
    assert Movement.objects.exists()
    undo(upload=upload, by=coach, with_added=True)
    assert not Note.objects.exists()
    assert set(counts().values()) == {0}


def test_an_athlete_who_has_other_sessions_stays(download, give):
    upload = give(download())
    give(changed(download()), session="another-session")
    undo(upload=upload, by=None)
    assert Player.objects.count() == Session.objects.count() == 1
    second = HandUpload.objects.get(state=UploadState.STORED)
    undo(upload=second, by=None)
    # It answers for nobody: the athlete is there without a session, and is said.
    assert not Session.objects.exists()


def test_the_command_undoes_and_says_what(download, give, capsys):
    upload = give(download())
    Note.objects.create(session=Session.objects.get(), text="Tired.")
    with pytest.raises(CommandError, match="--with-added"):
        call_command("undo_import", str(upload.pk))
    call_command("undo_import", str(upload.pk), "--with-added")
    assert "the session removed" in capsys.readouterr().out
    assert set(counts().values()) == {0}
    with pytest.raises(CommandError, match="no import 999"):
        call_command("undo_import", "999")


# --- Moving, dating and deleting a session that came by hand ------------------------


@pytest.mark.mainly("sqlite")
def test_a_session_by_hand_moves_to_another_athlete(download, give):
    upload = give(download())
    session = Session.objects.get()
    former, staff = session.player, make_staff()
    other = make_player(first_name="Bay", last_name="Birch", height_ft=5.5)
    make_link(by=staff, player=former, session=session)
    hand_sessions.move(session=session, to=other, by=staff)
    session.refresh_from_db()
    assert session.player == other
    other.refresh_from_db()
    former.refresh_from_db()
    assert (other.session_count, former.session_count) == (1, 0)
    assert other.swing_count > 0
    assert ShareLink.objects.get().state == "revoked"
    upload.refresh_from_db()
    assert upload.player == other
    undo(upload=upload, by=staff, with_added=True)
    assert list(Player.objects.all()) == [other]
    assert not Session.objects.exists()


def test_a_session_by_hand_gets_another_date(download, give):
    give(download())
    session = Session.objects.get()
    hand_sessions.redate(session=session, date=dt.date(2026, 2, 3), by=make_staff())
    session.refresh_from_db()
    assert session.session_date == dt.date(2026, 2, 3)
    assert Player.objects.get().last_session_on == dt.date(2026, 2, 3)


@pytest.mark.mainly("sqlite")
def test_a_session_by_hand_is_deleted(download, give):
    give(some(download()))
    give(download(), download("momentum-energy"))
    session = Session.objects.get()
    Note.objects.create(session=session, text="Tired.")
    with pytest.raises(UndoRefusedError, match="1 note by a deleted user"):
        hand_sessions.delete(session=session, by=make_staff())
    assert Movement.objects.exists()
    hand_sessions.delete(session=session, by=make_staff(), with_added=True)
    assert set(counts().values()) == {0}


@pytest.mark.django_db(transaction=True)
def test_what_the_vendor_has_is_not_corrected_here(download, give, run_sync):
    give(download())
    run_sync()
    session = HandUpload.objects.get().session
    staff = make_staff()
    with pytest.raises(UndoRefusedError, match="Correct it there"):
        hand_sessions.redate(session=session, date=dt.date(2026, 2, 3), by=staff)
    with pytest.raises(UndoRefusedError, match="Correct it there"):
        hand_sessions.move(session=session, to=make_player(), by=staff)
    with pytest.raises(UndoRefusedError, match="Correct it there"):
        hand_sessions.delete(session=session, by=staff)


@pytest.mark.both
def test_an_erased_athlete_leaves_no_upload(download, give):
    upload = give(download())
    give(changed(download()))
    erasing.erase(player=Player.objects.get(), by=None)
    assert not HandUpload.objects.filter(pk=upload.pk).exists()
    assert not ReplacedFrames.objects.exists()


@pytest.mark.mainly("sqlite")
@pytest.mark.parametrize("is_cut_anew", [True, False])
def test_undoing_other_frames_keeps_what_was_decided(
    vendor, download, give, is_cut_anew
):
    give(download())
    swing = Movement.objects.filter(is_swing=True).in_session_order().first()
    user = make_user()
    automatic = swing.automatic_events["foot_down"]["time_s"]
    decisions.move_event(
        movement=swing,
        event="foot_down",
        time_s=automatic + 0.02,
        reason="heel",
        user=user,
    )
    decisions.set_inclusion(
        movement=swing, inclusion="excluded", reason="check swing", user=user
    )
    swing.refresh_from_db()
    before = swing.metrics
    if is_cut_anew:
        vendor.world.trim_clips(download.session, clock_s=1.0)
    else:
        vendor.world.reprocess_session(download.session)
    upload = give(download())
    swing.refresh_from_db()
    assert SetAside.objects.filter(settled_at=None).exists() is not is_cut_anew
    if is_cut_anew:
        at = swing.events["foot_down"]["time_s"]
        assert at == pytest.approx(automatic + 1.02, abs=1e-6)

    undo(upload=upload, by=make_staff())
    swing.refresh_from_db()
    assert swing.events["foot_down"]["rule"] == "manual"
    assert swing.events["foot_down"]["time_s"] == pytest.approx(automatic + 0.02)
    assert swing.metrics == before
    assert (swing.inclusion, swing.inclusion_reason) == ("excluded", "check swing")
    correction = EventCorrection.objects.get(undone_at=None)
    assert correction.automatic_time_s == pytest.approx(automatic)
    assert correction.set_aside is None
    assert not SetAside.objects.filter(settled_at=None).exists()
