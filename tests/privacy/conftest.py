"""An athlete with one row of everything, and files that go away after the test."""

import datetime as dt

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from athletes.frames.packing import pack
from athletes.models import (
    AthleteLevel,
    AthleteScatter,
    DataType,
    EventCorrection,
    GapDismissal,
    HandUpload,
    InclusionDecision,
    Level,
    MovementCurves,
    Note,
    PeerGroup,
    PeerNumber,
    ReplacedFrames,
    SameRecording,
    SetAside,
    Tag,
    UploadState,
)
from sharing.models import SavedComparison, SavedItem, ShareLink
from syncing.models import AnalysisJob, ExportJob, RawPayload, VendorSession
from tests import factories


@pytest.fixture(autouse=True)
def files(settings, tmp_path):
    """Files of the test in a folder of its own."""
    settings.VAR_DIR = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "files")},
        },
    }
    assert default_storage.location == str(tmp_path / "files")
    return tmp_path / "files"


ORG_ID = "org-quixley-7731"
REBOOT_ID = "reboot-quixley-9944"
SESSION_ID = "5e55a000-0000-4000-8000-00000000quix"
#: What must not be found anywhere once the athlete is erased.
TRACES = ("Quixley", "quixley", "Zebulon", "zebulon", "IMG-QX", "2009-04-05")


def full_athlete(**fields):
    """An athlete with rows in every table that goes with them."""
    player = factories.make_player(
        **{
            "org_player_id": ORG_ID,
            "reboot_player_id": REBOOT_ID,
            "first_name": "Zebulon",
            "last_name": "Quixley",
            "date_of_birth": dt.date(2009, 4, 5),
            "height_ft": 5.9170000001,
            **fields,
        }
    )
    coach = factories.make_user()
    session = factories.make_session(
        player=player,
        session_id=SESSION_ID,
        condition="tee",
        bat="=cmd|'/c calc'!A1",
        summary={"headlines": {"peak_pelvis_omega": {"mean": 641.23456789}}},
    )
    factories.make_session_metric(session=session, mean=633.1234567)
    for place in range(3):
        swing = factories.make_swing(
            {"peak_pelvis_omega": 600.1234 + place, "bat_speed_max": None},
            session=session,
            org_movement_id=f"IMG-QX-{place}",
            events={"reference": {"time_s": 1.2042 + place, "rule": "peak"}},
        )
        columns = factories.smooth_columns(frames=40 + place)
        columns["pelvis_rot"][3] = np.nan
        if place == 2:
            columns["odd_one"] = np.linspace(0, 1e39, 42)
        factories.make_frames(columns, movement=swing)
        factories.make_frames(
            {"time": columns["time"], "Energy": columns["torso_rot"] * 3},
            movement=swing,
            data_type=DataType.MOMENTUM_ENERGY,
        )
        packed = pack(
            {"time": columns["time"], "pelvis_omega": columns["torso_rot"] * 7}
        )
        MovementCurves.objects.create(
            movement=swing,
            data=packed.data,
            header_size=packed.header_size,
            method_version="test",
        )
    EventCorrection.objects.create(
        movement=swing,
        event="foot_down",
        time_s=1.0123,
        automatic_time_s=1.0456,
        reason="Quixley moved",
        created_by=coach,
    )
    InclusionDecision.objects.create(
        movement=swing, inclusion="excluded", reason="Zebulon tired", created_by=coach
    )
    # Of one athlete alone, so that the others of a test have nothing to do with it.
    SameRecording.objects.create(session=session, other=session, swings=1)
    GapDismissal.objects.create(
        session=session, data_state="partial", reason="Zebulon left", created_by=coach
    )
    SetAside.objects.create(
        movement=swing, inclusion="excluded", inclusion_reason="Quixley slipped"
    )
    Note.objects.create(session=session, text='=HYPERLINK("x") for Zebulon')
    Note.objects.create(session=session, movement=swing, text="+1 for Quixley")
    factories.make_goal(player=session.player, note="Zebulon wants it")
    AthleteLevel.objects.create(
        player=session.player,
        level=Level.objects.create(name="14U"),
        since=dt.date(2026, 1, 1),
    )
    Note.objects.create(player=session.player, text="Zebulon switched bats")
    tag = Tag.objects.create(name="Zebulon's work")
    tag.players.add(player)
    tag.sessions.add(session)
    factories.make_team(players=[player])
    group = PeerGroup.objects.create(metric="peak_pelvis_omega", method_version="test")
    PeerNumber.objects.create(player=player, group=group, value=633.125, bucket=12)
    AthleteScatter.objects.create(
        player=player,
        metric="peak_pelvis_omega",
        method_version="test",
        within_variance=612.0625,
        within_freedom=9,
        means_variance=311.5,
        means_freedom=2,
        inverse_n=0.25,
    )
    ShareLink.objects.create(
        player=player,
        digest="0" * 64,
        label="For the Quixley family",
        units=coach.units,
        created_by=coach,
        expires_at=timezone.now() + dt.timedelta(days=1),
    )
    compared = SavedComparison.objects.create(name="Zebulon then and now", owner=coach)
    SavedItem.objects.create(comparison=compared, place=0, player=player)
    upload = HandUpload.objects.create(
        state=UploadState.STORED,
        player=player,
        session=session,
        created_by=coach,
        stored_at=timezone.now(),
        files=[{"name": f"20260301_session_1_{player.org_player_id}.csv"}],
        contents=[[swing.pk, "inverse-kinematics", "0" * 64]],
    )
    former = pack({"time": columns["time"], "pelvis_rot": columns["torso_rot"] * 5})
    ReplacedFrames.objects.create(
        upload=upload,
        movement=swing,
        data_type=DataType.INVERSE_KINEMATICS,
        frames=former.data,
        header_size=former.header_size,
        byte_size=len(former.data),
        frame_count=former.frame_count,
        column_count=former.column_count,
        content_sha256=former.sha256,
    )
    ExportJob.objects.create(session=session, data_type="inverse-kinematics")
    AnalysisJob.objects.create(session=session)
    raw = {
        "org_player_id": player.org_player_id,
        "id": player.reboot_player_id,
        "first_name": player.first_name,
        "last_name": player.last_name,
    }
    store_raw("player", player.org_player_id, raw)
    detail = {"id": SESSION_ID, "players": [raw]}
    store_raw("session", SESSION_ID, {"id": SESSION_ID, "num_movements": 3})
    store_raw("session_detail", SESSION_ID, detail)
    VendorSession.objects.create(
        session_id=SESSION_ID, participants={player.org_player_id: "hitting"}
    )
    return player


def store_raw(kind, vendor_id, payload):
    return RawPayload.objects.create(
        kind=kind,
        vendor_id=vendor_id,
        payload=payload,
        sha256="0" * 64,
        fetched_at=timezone.now(),
    )


@pytest.fixture
def athlete():
    return full_athlete()
