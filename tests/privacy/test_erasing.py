"""Erasing for good: no trace in the database or the files, and no way back."""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ, Task

from accounts.audit import forget_player, record
from accounts.keys import LostKeyError
from accounts.models import Action, AuditEntry
from athletes.identity import tombstones
from athletes.models import Note, Player, Session, Tag, Tombstone
from privacy import erasing
from privacy.archives import make_archive, request_archive
from syncing.engine.raw import store_raw
from syncing.imports import GivenFile, ImportRefusedError, import_files
from syncing.models import RawPayload, SyncLog, VendorSession
from tests import factories
from tests.every_row import text_of_every_table
from tests.privacy.conftest import ORG_ID, REBOOT_ID, SESSION_ID, TRACES, full_athlete

pytestmark = pytest.mark.django_db

EVERY_TRACE = (*TRACES, ORG_ID, REBOOT_ID, SESSION_ID)


def traces(wanted=EVERY_TRACE):
    return {
        (table, text)
        for table, content in text_of_every_table().items()
        for text in wanted
        if text in content
    }


def say_it_everywhere(player, staff):
    """Rows without a foreign key to the athlete that name them all the same."""
    record(
        Action.EVENT_MOVED,
        by=staff,
        subject=player.sessions.get(),
        reason="Zebulon lifted the foot",
    )
    record(Action.DATA_EXPORTED, by=staff, player_id=player.pk, file="Quixley.csv")
    kind = ContentType.objects.get_for_model(Player)
    LogEntry.objects.create(
        user=staff,
        content_type=kind,
        object_id=str(player.pk),
        object_repr=str(player),
        action_flag=CHANGE,
    )
    LogEntry.objects.create(
        user=staff,
        content_type=ContentType.objects.get_for_model(Tag),
        object_id="1",
        object_repr="a tag",
        action_flag=CHANGE,
        change_message=f"was for {player.full_name}",
    )
    SyncLog.objects.create(
        trigger="command",
        status="partial",
        error_count=1,
        errors=[{"object": f"session {SESSION_ID}", "message": f"of {ORG_ID}"}],
        error_message=f"Reading a session (session {SESSION_ID}): bad. IMG-QX-1 too.",
    )
    Task.objects.create(
        id="a",
        name="a",
        func="a",
        started=timezone.now(),
        stopped=timezone.now(),
        success=False,
        result=f"Key (org_player_id)=({ORG_ID}) already exists",
    )


@pytest.fixture
def staff():
    return factories.make_staff()


def test_no_trace_is_left_in_any_table_or_file(athlete, staff, files):
    say_it_everywhere(athlete, staff)
    archive = request_archive(player=athlete, user=staff)
    make_archive(archive.pk)
    assert {text for _, text in traces()} == set(EVERY_TRACE)
    assert [path for path in files.rglob("*") if path.is_file()]
    erasing.erase(player=athlete, by=staff)
    assert traces() == set()
    assert [path for path in files.rglob("*") if path.is_file()] == []
    assert not Player.objects.exists()
    assert not Session.objects.exists()


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_the_database_file_holds_no_deleted_text(files):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL keeps its pages to itself")
    player = full_athlete()
    content = read_database_file()
    assert b"Quixley" in content
    erasing.erase(player=player, by=factories.make_staff())
    content = read_database_file()
    assert [text for text in EVERY_TRACE if text.encode() in content] == []


@pytest.mark.django_db(transaction=True)
def test_a_dump_of_the_database_and_the_files_hold_no_trace(client, staff, files):
    """After a day of use: pages seen, facts corrected, things made, mail and logs."""
    player = full_athlete()
    say_it_everywhere(player, staff)
    use_the_product(client, staff, player)
    archive = request_archive(player=player, user=staff)
    make_archive(archive.pk)
    before = dumped()
    assert [text for text in EVERY_TRACE if text.encode() not in before] == []
    assert list(files.rglob("*.zip"))
    erasing.erase(player=player, by=staff)
    after = dumped()
    assert [text for text in EVERY_TRACE if text.encode() in after] == []
    left = [path for path in files.parent.rglob("*") if path.is_file()]
    names = [text.encode() for text in EVERY_TRACE]
    assert [p for p in left if any(name in p.read_bytes() for name in names)] == []
    assert list(files.rglob("*.zip")) == []


def use_the_product(client, staff, player):
    """What leaves something behind: caches, sessions, histories, the queue, logs."""
    client.force_login(staff, "django.contrib.auth.backends.ModelBackend")
    session = player.sessions.get()
    swing = session.movements.first()
    for path in (
        "/",
        f"/athletes/?q={player.last_name}",
        f"/athletes/{player.pk}/",
        f"/athletes/sessions/{session.pk}/",
        f"/athletes/swings/{swing.pk}/",
        f"/athletes/{player.pk}/sheet/",
        f"/privacy/athletes/{player.pk}/",
        f"/players?search={player.last_name}",
        f"/sessions/{session.pk}/metrics",
        f"/admin/athletes/player/?q={player.last_name}",
    ):
        assert client.get(path).status_code == 200, path
    notes = f"/athletes/sessions/{session.pk}/notes/"
    client.post(notes, {"text": "Zebulon was late"})
    facts = {
        "first_name": "Zebulon",
        "last_name": "Quixley",
        "weight_lbs": "151",
        "date_of_birth": "2009-04-05",
        "height_ft": "5.75",
        "dominant_hand_hitting": "left",
        "dominant_hand_throwing": "left",
    }
    done = client.post(f"/admin/athletes/player/{player.pk}/change/", facts)
    assert done.status_code == 302
    client.post(
        "/admin/athletes/movement/",
        {
            "action": "count_out",
            "_selected_action": [swing.pk],
            "reason": "Quixley slipped",
        },
    )
    for action in ("sync_athletes", "recompute"):
        client.post(
            "/admin/athletes/player/",
            {"action": action, "_selected_action": [player.pk]},
        )


def dumped() -> bytes:
    """The whole database as its own program writes it out."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(database["NAME"])) as other:
            return "\n".join(other.iterdump()).encode()
    program = shutil.which("pg_dump")
    if program is None:
        pytest.skip("there is no pg_dump")
    return subprocess.run(
        [program, "--inserts", "--dbname", database["NAME"]],
        env={
            **os.environ,
            "PGHOST": database["HOST"],
            "PGPORT": str(database["PORT"]),
            "PGUSER": database["USER"],
            "PGPASSWORD": database["PASSWORD"],
        },
        capture_output=True,
        check=True,
    ).stdout


def read_database_file():
    name = connection.settings_dict["NAME"]
    with closing(sqlite3.connect(name)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    # By a process of its own: closing the file here would let go of the locks that
    # this process's connections hold on it, and the next child would break them.
    return subprocess.run(["cat", name], capture_output=True, check=True).stdout


def test_what_stays_is_a_hash_and_that_it_was_done(athlete, staff):
    say_it_everywhere(athlete, staff)
    erasing.erase(player=athlete, by=staff)
    (tombstone,) = Tombstone.objects.values()
    assert set(tombstone) == {
        *("id", "key_id", "org_player_hash", "reboot_player_hash", "erased_at")
    }
    assert len(tombstone["org_player_hash"]) == 64
    entries = AuditEntry.objects.order_by("id")
    assert [(e.action, e.user, e.detail) for e in entries] == [
        (Action.EVENT_MOVED, staff, {}),
        (Action.DATA_EXPORTED, staff, {}),
        (Action.ATHLETE_ERASED, staff, {}),
    ]
    run = SyncLog.objects.get()
    assert run.error_message == (
        "Reading a session (session (erased)): bad. (erased) too."
    )


def test_others_keep_everything(athlete, staff):
    other = factories.make_player(last_name="Elsewhere")
    mine = factories.make_synced_session(player=other, session_id=SESSION_ID)
    factories.make_frames(movement=mine.movements.first())
    shared = VendorSession.objects.get(session_id=SESSION_ID)
    shared.participants[other.org_player_id] = "hitting"
    shared.save()
    detail = RawPayload.objects.get(kind="session_detail")
    entry = {"org_player_id": other.org_player_id, "id": "someone"}
    detail.payload["players"].append(entry)
    detail.payload["participant_ids"] = [REBOOT_ID, "someone"]
    detail.save()
    Tag.objects.create(name="power").players.add(athlete, other)
    before = text_of_every_table()["movements"].count("IMG-0")
    erasing.erase(player=athlete, by=staff)
    assert text_of_every_table()["movements"].count("IMG-0") == before
    assert list(Tag.objects.values_list("name", flat=True)) == ["power"]
    detail.refresh_from_db()
    assert detail.payload["players"] == [entry]
    assert detail.payload["participant_ids"] == ["someone"]
    shared.refresh_from_db()
    assert shared.participants == {other.org_player_id: "hitting"}
    # The session is somebody else's too, so its id may stay.
    assert traces((*TRACES, ORG_ID, REBOOT_ID)) == set()


def test_what_was_interrupted_is_finished_by_the_sweep(athlete, staff):
    tombstones.add_tombstone(athlete)
    athlete.sessions.all().delete()
    assert erasing.finish_erasures() == 1
    assert traces((*TRACES, ORG_ID, REBOOT_ID)) == set()
    assert erasing.finish_erasures() == 0


@pytest.mark.parametrize("with_rows", [True, False])
def test_what_a_running_sync_wrote_back_is_swept(athlete, staff, with_rows):
    payload = RawPayload.objects.get(kind="player").payload
    erasing.erase(player=athlete, by=staff)
    if with_rows:
        player = factories.make_player(org_player_id=ORG_ID, last_name="Quixley")
        factories.make_session(player=player)
    now = timezone.now()
    for kind, key, content in (
        ("player", ORG_ID, payload),
        ("session_detail", "s", {"players": [payload]}),
    ):
        RawPayload.objects.create(
            kind=kind, vendor_id=key, payload=content, sha256="", fetched_at=now
        )
    VendorSession.objects.create(session_id="s", participants={ORG_ID: "hitting"})
    assert erasing.finish_erasures() > 0
    assert traces((*TRACES, ORG_ID, REBOOT_ID)) == set()


def test_the_queue_finishes_it(athlete, staff, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        erasing.erase(player=athlete, by=staff)
    (queued,) = [q.task for q in OrmQ.objects.all()]
    assert queued["func"] == "privacy.tasks.sweep_erased_task"
    assert queued["args"] == ()


# --- Tombstones -------------------------------------------------------------------


def test_a_tombstone_knows_both_ids_and_no_other(athlete):
    tombstones.add_tombstone(athlete)
    erased = tombstones.load_erased()
    assert erased.has(ORG_ID)
    assert erased.has("another", REBOOT_ID)
    assert not erased.has("another", "another")
    assert not erased.has(REBOOT_ID)
    assert not erased.has("another", "")


def test_the_vendor_s_id_of_two_athletes_buries_one(athlete):
    twin = factories.make_player(reboot_player_id=REBOOT_ID)
    tombstones.add_tombstone(athlete)
    erased = tombstones.load_erased()
    assert erased.has(ORG_ID, REBOOT_ID)
    assert not erased.has(twin.org_player_id, REBOOT_ID)


def test_a_replaced_key_goes_on_among_the_former_ones(athlete, settings):
    former = settings.SECRET_KEY
    tombstones.add_tombstone(athlete)
    settings.SECRET_KEY = "another-key-for-tests"
    with pytest.raises(LostKeyError, match="SECRET_KEY_FALLBACKS"):
        tombstones.load_erased()
    settings.SECRET_KEY_FALLBACKS = [former]
    assert tombstones.load_erased().has(ORG_ID)


def test_hashes_need_the_key(athlete, settings):
    first = tombstones.add_tombstone(athlete).org_player_hash
    Tombstone.objects.all().delete()
    settings.SECRET_KEY = "another-key-for-tests"
    assert tombstones.add_tombstone(athlete).org_player_hash != first


def test_payloads_are_kept_without_the_erased(athlete, staff):
    erasing.erase(player=athlete, by=staff)
    other = {"org_player_id": "o", "id": "r"}
    content = {
        "players": [{"org_player_id": ORG_ID, "last_name": "Quixley"}, other],
        "participant_ids": [REBOOT_ID, "r"],
    }
    assert store_raw("session_detail", {"s": content}) == {"s"}
    stored = RawPayload.objects.get(vendor_id="s").payload
    assert stored == {"players": [other], "participant_ids": ["r"]}
    assert store_raw("session_detail", {"s": content}) == set()


@pytest.mark.parametrize("sent", [660001, 660001.0, " 660001 ", "660001.0"])
def test_the_erased_are_known_however_their_id_is_spelled(athlete, staff, sent):
    Player.objects.filter(pk=athlete.pk).update(org_player_id="660001")
    athlete.refresh_from_db()
    erasing.erase(player=athlete, by=staff)
    store_raw("session_detail", {"s": {"players": [{"org_player_id": sent}, 7]}})
    assert RawPayload.objects.get(vendor_id="s").payload == {"players": [7]}


def test_files_by_hand_do_not_bring_him_back(athlete, staff):
    erasing.erase(player=athlete, by=staff)
    with pytest.raises(ImportRefusedError, match="permanently erased"):
        import_files(
            [GivenFile("a.csv", None)],
            org_player_id=f" {ORG_ID} ",
            session_id="s",
            trigger="upload",
        )
    assert not Player.objects.exists()


def test_the_audit_forgets_details_of_one_athlete_only(athlete):
    record(Action.DATA_EXPORTED, player_id=athlete.pk, file="a")
    record(Action.DATA_EXPORTED, player_id=athlete.pk + 1, file="b")
    assert forget_player(athlete.pk) == 1
    details = AuditEntry.objects.order_by("id").values_list("detail", flat=True)
    assert list(details) == [{}, {"file": "b"}]


# --- The pages --------------------------------------------------------------------


def test_the_confirmation_says_what_goes(client, athlete, staff):
    note = Note.objects.create(
        session=factories.make_session(), text="as quixley did last week"
    )
    on_athlete = Note.objects.create(player=factories.make_player(), text="quixley too")
    goal = factories.make_goal(player=factories.make_player(), note="like Quixley")
    client.force_login(staff)
    answer = client.get(f"/privacy/athletes/{athlete.pk}/erase/")
    text = " ".join(answer.content.decode().split())
    assert "Movements: 3" in text
    assert "Frames: 6 (" in text
    assert "Notes: 3" in text
    assert f'href="/athletes/sessions/{note.session_id}/#notes"' in text
    assert f'href="/athletes/{on_athlete.player_id}/#notes"' in text
    assert f'href="/athletes/{goal.player_id}/goals/"' in text


def test_a_word_is_needed(client, athlete, staff):
    client.force_login(staff)
    url = f"/privacy/athletes/{athlete.pk}/erase/"
    answer = client.post(url, {"word": "yes"})
    assert answer.status_code == 422
    assert b"nothing was erased" in answer.content
    assert b"Quixley" in client.get("/athletes/").content
    assert Player.objects.filter(pk=athlete.pk).exists()
    answer = client.post(url, {"word": " erase "})
    assert answer["Location"] == "/athletes/"
    assert not Player.objects.exists()
    page = client.get("/athletes/").content.decode()
    assert "permanently erased" in page
    assert "Quixley" not in page


@pytest.mark.parametrize("make", [factories.make_user])
def test_a_coach_may_not_erase(client, athlete, make):
    client.force_login(make())
    url = f"/privacy/athletes/{athlete.pk}/erase/"
    assert client.get(url).status_code == 403
    assert client.post(url, {"word": "erase"}).status_code == 403
    assert Player.objects.filter(pk=athlete.pk).exists()
    own = f"/privacy/athletes/{athlete.pk}/"
    assert b"/erase/" not in client.get(own).content
    client.force_login(factories.make_staff())
    assert b"/erase/" in client.get(own).content


# --- What is stored ---------------------------------------------------------------


def test_the_page_counts_what_is_stored(client, athlete, staff):
    record(Action.DATA_EXPORTED, by=staff, player_id=athlete.pk, what="frames")
    client.force_login(staff)
    with_all = client.get(f"/privacy/athletes/{athlete.pk}/").content.decode()
    rows = [" ".join(r.split()) for r in with_all.split("<tr")]
    (frames,) = [r for r in rows if ">Frames</th>" in r]
    assert ">Rows</span>6</td>" in frames
    assert staff.username in with_all
    client.force_login(factories.make_user())
    for_coach = client.get(f"/privacy/athletes/{athlete.pk}/").content.decode()
    assert staff.username not in for_coach
    assert "date of birth" in for_coach


@pytest.mark.parametrize("swings", [1, 3])
def test_the_page_asks_no_more_for_more(
    client, staff, swings, django_assert_max_num_queries
):
    session = factories.make_synced_session(swings=swings)
    client.force_login(staff)
    with django_assert_max_num_queries(39):
        client.get(f"/privacy/athletes/{session.player_id}/")
