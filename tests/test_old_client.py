"""An existing client of the earlier backend goes on: every kept row, field by field.

The table stands here once more and is read from nowhere else: a change of an answer
that this client would notice fails here. Fields may be added, none may change its name
or its type, and the client sends neither a cursor nor a parameter that is new.
"""

import datetime as dt
import re

import pytest
from django.test import Client

from syncing.models import SyncLog
from tests import factories

pytestmark = pytest.mark.django_db


def text(value):
    return isinstance(value, str)


def whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


def number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


def flag(value):
    return isinstance(value, bool)


def day(value):
    return text(value) and re.fullmatch(r"\d{4}-\d\d-\d\d", value) is not None


def moment(value):
    return text(value) and dt.datetime.fromisoformat(value).tzinfo is not None


def hand(value):
    return value in ("right", "left", "switch")


def or_null(kind):
    return lambda value: value is None or kind(value)


def each(fields):
    """A list of objects with these fields."""
    return lambda value: isinstance(value, list) and all(fits(v, fields) for v in value)


def fits(found, fields):
    """Whether an object has each field, of its type; says which does not."""
    for name, kind in fields.items():
        assert name in found, f"{name} is missing"
        right = fits(found[name], kind) if isinstance(kind, dict) else kind(found[name])
        assert right, f"{name} is {found[name]!r}"
    return True


PLAYER = {
    "id": whole,
    "org_player_id": text,
    "reboot_player_id": or_null(text),
    "first_name": or_null(text),
    "last_name": or_null(text),
    "date_of_birth": or_null(day),
    "height_ft": or_null(number),
    "weight_lbs": or_null(number),
    "dominant_hand_hitting": or_null(hand),
    "dominant_hand_throwing": or_null(hand),
    "created_at": moment,
    "updated_at": moment,
}
SESSION = {
    "id": whole,
    "session_id": text,
    "player_id": whole,
    "session_date": or_null(day),
    "movement_type_id": or_null(whole),
    "movement_type_name": or_null(lambda value: value == "baseball-hitting"),
    "data_synced": flag,
    "created_at": moment,
    "updated_at": moment,
    "player": PLAYER,
}
RUN = {
    "id": whole,
    "sync_type": text,
    "status": text,
    "records_synced": whole,
    "players_synced": whole,
    "sessions_synced": whole,
    "biomechanics_synced": whole,
    "error_message": or_null(text),
    "started_at": or_null(moment),
    "completed_at": or_null(moment),
}
STATS = dict.fromkeys(
    [
        *("total_players", "total_sessions", "synced_sessions", "pending_sessions"),
        *("biomechanics_records", "total_movements"),
    ],
    whole,
)
PAGE = {"total": whole, "players": each(PLAYER), "page": whole, "limit": whole}
#: path, as the client asks for it, and what it reads of the answer.
KEPT = [
    ("/players", PAGE),
    ("/players?skip=0&limit=100&search=", PAGE),
    ("/players?skip=1&limit=1&search=invented", PAGE),
    ("/players/{player}", PLAYER),
    (
        "/players/{player}/sessions?start_date=&end_date=&limit=50",
        {"sessions": each(SESSION), "total": whole, "player_id": whole},
    ),
    ("/sessions/{session}", SESSION),
    ("/sync/status?limit=20", {**RUN, "history": each(RUN)}),
    ("/stats", {**STATS, "last_success_at": or_null(moment)}),
    ("/health", {"status": lambda value: value == "healthy"}),
    ("/openapi.json", {"openapi": lambda value: value.startswith("3.1"), "paths": any}),
]


@pytest.fixture
def world():
    """Athletes with all facts and with none, sessions of both, and runs of the sync."""
    for bare in (False, True):
        player = factories.make_player(
            last_name="Invented",
            reboot_player_id="" if bare else "vendor-1",
            date_of_birth=None if bare else dt.date(2008, 5, 6),
            height_ft=None if bare else 6.25,
            weight_lbs=None if bare else 181.5,
            dominant_hand_hitting=None if bare else "switch",
        )
        session = factories.make_session(
            player=player,
            session_date=None if bare else dt.date(2026, 3, 1),
            movement_type_id=None if bare else 1,
            movement_type_name="" if bare else "baseball-hitting",
        )
    factories.make_frames(movement=factories.make_movement(session=session))
    for status in ("failed", "success"):
        SyncLog.objects.create(trigger="command", status=status)
    return {"player": player.pk, "session": session.pk}


@pytest.mark.parametrize(("path", "fields"), KEPT, ids=[path for path, _ in KEPT])
def test_a_kept_path_answers_as_before(client, world, path, fields):
    headers = factories.make_token()
    answer = client.get(path.format(**world), headers=headers)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    found = answer.json()
    assert fits(found, fields)
    for name in ("players", "sessions", "history"):
        assert name not in fields or found[name], f"{name} is empty"


def test_names_come_in_their_order_and_pages_are_counted(client, world):
    headers = factories.make_token()
    factories.make_player(last_name="Another", first_name="Zoe")
    factories.make_player(last_name="Another", first_name="Amy")
    found = client.get("/players?skip=2&limit=2", headers=headers).json()
    assert (found["total"], found["page"], found["limit"]) == (4, 2, 2)
    every = client.get("/players", headers=headers).json()["players"]
    order = [(row["last_name"], row["first_name"], row["id"]) for row in every]
    assert order == sorted(order)
    assert every[2:] == found["players"]


def test_before_any_run_the_status_has_all_fields(client):
    found = client.get("/sync/status", headers=factories.make_token()).json()
    assert found["status"] == "never_synced"
    assert found["history"] == []
    assert set(RUN) <= set(found)


def test_a_sync_is_asked_for_and_not_started_twice(client):
    headers = factories.make_token("sync")
    first, second = (client.post("/sync/trigger", headers=headers) for _ in range(2))
    for answer in (first, second):
        assert answer.status_code == 202
        assert answer.json()["status"] in {"queued", "running"}
    assert first.json()["sync_id"] == second.json()["sync_id"]
    refused = client.post("/sync/trigger", headers=factories.make_token("read"))
    assert refused.status_code == 403
    assert list(refused.json()) == ["detail"]


def test_errors_have_one_shape(client, world):
    headers = factories.make_token()
    for path, status, sent in (
        ("/players", 401, {}),
        ("/players/999999", 404, headers),
        ("/players?limit=0", 422, headers),
        ("/players/", 404, headers),
    ):
        answer = client.get(path, headers=sent)
        assert (answer.status_code, list(answer.json())) == (status, ["detail"]), path


def test_docs_open_with_a_token_or_a_login(client):
    for path in ("/docs", "/openapi.json"):
        assert client.get(path).status_code in {302, 401}
        assert client.get(path, headers=factories.make_token()).status_code == 200
    browser = Client()
    browser.force_login(factories.make_user())
    assert browser.get("/docs").status_code == 200
