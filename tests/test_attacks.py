"""What somebody would try who means ill; each of these once."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django_otp.oath import totp

from accounts.models import Authenticator, User
from athletes.api.frames import cell
from athletes.models import Note, Player, Session
from sharing.models import SavedComparison, ShareLink
from syncing.models import SyncLog
from tests import factories
from tests.routes import (
    ROWS,
    Row,
    World,
    address,
    is_of_an_athlete,
    standing_world,
    undone,
    world,
)

__all__ = ["standing_world", "world"]

pytestmark = pytest.mark.django_db

ABSENT = 10**9


# --- Forms sent by another site -----------------------------------------------------


def test_a_made_up_token_does_not_let_a_session_pass_without_csrf() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(factories.make_superuser())
    for header in ("Bearer swd_made-up", "Bearer ", "Basic eDp5", "bearer", "Token x"):
        answer = client.post("/sync/trigger", headers={"Authorization": header})
        assert answer.status_code in {401, 403}, header
    assert not SyncLog.objects.exists()


# --- What one may not see, and what there is not ------------------------------------


@pytest.mark.parametrize(
    ("route", "row"),
    [
        pytest.param(route, row, id=f"{row.method} {route[:60]} {place}")
        for route, rows in ROWS.items()
        for place, row in enumerate(rows)
        if is_of_an_athlete(row)
    ],
)
@pytest.mark.parametrize("data", ["as in the matrix", "empty"])
def test_a_hidden_record_answers_as_an_absent_one(
    route: str, row: Row, data: str, world: World
) -> None:
    """Same status, same page: nobody counts the athletes of other teams."""
    sent = dict(row.data) if data == "as in the matrix" else {}
    hidden = address(route, row, world)
    absent = re.sub(r"/\d+(?=/|\.|$)", f"/{ABSENT}", hidden)
    assert hidden != absent
    client = world.clients["coach outside"]
    answers = []
    for path in (hidden, absent):
        with undone(client):
            found = getattr(client, row.method)(path, sent)
        body = re.sub(r'[\w-]{64}|nonce="[^"]*"', "", found.content.decode())
        answers.append((found.status_code, body.replace(path, "")))
    assert answers[0][0] == 404
    assert answers[0][1].splitlines() == answers[1][1].splitlines()
    assert answers[0] == answers[1]


def test_comparing_hidden_athletes_is_as_comparing_none(world: World) -> None:
    client = world.clients["coach outside"]

    def shown(session: int, swing: int) -> str:
        answer = client.get(f"/athletes/compare/?items=session-{session},swing-{swing}")
        text = re.sub(r"[\w-]{64}", "", answer.content.decode())
        return re.sub(rf"session[- ]{session}\b|swing[- ]{swing}\b", "", text)

    hidden = shown(world.session, world.movement)
    assert hidden.splitlines() == shown(ABSENT, ABSENT).splitlines()
    client.post(
        "/athletes/compare/save/",
        {
            "name": "peek",
            "items": f"session-{world.session},athlete-{world.player}",
            "is_shared": "on",
        },
    )
    assert not SavedComparison.objects.filter(name="peek").exists()


# --- More fields than the form has --------------------------------------------------


def test_more_fields_than_a_form_has_change_nothing(world: World) -> None:
    client = world.clients["coach inside"]
    coach: User = world.users["coach inside"]
    other: User = world.users["coach outside"]
    raised = {
        "is_staff": "on",
        "is_superuser": "on",
        "limited_to_teams": "",
        "teams": "2",
        "session_generation": "7",
    }
    client.post("/accounts/units/", {"units": "metric", **raised})
    after = User.objects.get(pk=coach.pk)
    assert (after.is_staff, after.is_superuser) == (False, False)
    assert (after.limited_to_teams, after.units) == (True, "metric")
    assert after.session_generation == coach.session_generation

    before = Session.objects.values().get(pk=world.session)
    client.post(
        f"/athletes/sessions/{world.session}/facts/",
        {
            "condition": "tee",
            "player": "2",
            "player_id": "2",
            "session_id": "x",
            "data_state": "failed",
            "session_date": "2020-01-01",
        },
    )
    changed = Session.objects.values().get(pk=world.session)
    assert {k for k in before if before[k] != changed[k]} <= {"condition", "updated_at"}

    client.post(
        f"/athletes/sessions/{world.session}/notes/",
        {"text": "mine", "created_by": other.pk, "session": ABSENT, "movement": 1},
    )
    note = Note.objects.get(text="mine")
    assert (note.created_by, note.session_id, note.movement_id) == (
        coach,
        world.session,
        None,
    )

    client.post(
        f"/athletes/{world.player}/sheet/share/",
        {"days": 7, "created_by": other.pk, "player": 2, "expires_at": "2099-01-01"},
    )
    link = ShareLink.objects.order_by("pk").last()
    assert link is not None
    assert (link.created_by, link.player_id) == (coach, world.player)
    assert (link.expires_at - link.created_at).days <= 7


# --- The login ----------------------------------------------------------------------


def _given_session(client: Client) -> str:
    """A session that somebody else knows, put into the victim's browser."""
    session = client.session
    session["planted"] = "x"
    session.save()
    client.cookies["sessionid"] = session.session_key
    return str(session.session_key)


@pytest.mark.parametrize("with_code", [False, True])
def test_a_planted_session_is_not_the_one_that_logs_in(with_code: bool) -> None:
    user = factories.make_user()
    victim = Client()
    planted = _given_session(victim)
    if with_code:
        sealed = Authenticator.sealed(b"k" * 20)
        Authenticator.objects.create(user=user, sealed_key=sealed)
    fields = {"username": user.username, "password": factories.PASSWORD}
    assert victim.post("/accounts/login/", fields).status_code == 302
    if with_code:
        code = f"{totp(b'k' * 20):06d}"
        assert victim.post("/accounts/login/code/", {"code": code}).status_code == 302
    assert victim.get("/").status_code == 200
    attacker = Client()
    attacker.cookies["sessionid"] = planted
    assert attacker.get("/").status_code == 302
    code_page = attacker.get("/accounts/login/code/")
    assert code_page.status_code == 302


# --- Spreadsheets -------------------------------------------------------------------


SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"


@pytest.mark.parametrize("before", ["", *" \u00a0\ufeff\u200b\x00\x0b\t\r\n", "\t \n"])
def test_no_cell_is_taken_for_a_formula(before: str) -> None:
    """Wide forms are formulas in East Asian settings; blanks before are cut off."""
    for sign in SIGNS:
        text = f"{before}{sign}HYPERLINK(1)"
        assert cell(text) == f"'{text}", repr(text)


@pytest.mark.parametrize("mark", [";", "\t", "\r\n", ";\u200b", '; "'])
def test_no_part_of_a_cell_is_a_formula_where_cells_are_parted_elsewhere(
    mark: str,
) -> None:
    for sign in SIGNS:
        *_, last = re.split(r"[;\t\r\n]", cell(f"Ash{mark}{sign}HYPERLINK(1)"))
        assert last.startswith("'"), repr(last)


@pytest.mark.parametrize("text", ["a;b", "a; b", "a\nb", "a;5-6", "a;", ";b"])
def test_other_cells_with_such_marks_stay_as_they_are(text: str) -> None:
    assert cell(text) == text


@pytest.mark.parametrize("text", ["", "Ash", "Ash - Maple", "5-6", " Ash", "O'Neil"])
def test_other_cells_stay_as_they_are(text: str) -> None:
    assert cell(text) == text


# --- Share links --------------------------------------------------------------------


def test_a_link_opens_its_own_path_alone_and_is_counted_once(world: World) -> None:
    token = world.share_token
    Player.objects.filter(pk=world.player).update(last_name="Maple")
    ShareLink.objects.filter(pk=world.link).update(full_name=True)
    stranger = Client(raise_request_exception=False)
    for path in (
        f"/shared/{token}/sheet.pdf/",
        f"/shared/{token}/../{world.session}/",
        f"/shared/{token}%00/",
        f"/shared/{token.swapcase()}/",
        f"/shared/{token[:-1]}/",
        f"/shared/{token} /",
        f"/athletes/{world.player}/sheet/?token={token}",
        f"/athletes/{world.player}/sheet.pdf?token={token}",
    ):
        assert stranger.get(path).status_code in {301, 302, 404}, path
        assert b"Maple" not in stranger.get(path).content
    link = ShareLink.objects.get(pk=world.link)
    assert (link.open_count, link.download_count) == (0, 0)
    assert stranger.head(f"/shared/{token}/").status_code == 200
    for method in ("post", "put", "patch", "delete", "options"):
        assert getattr(stranger, method)(f"/shared/{token}/").status_code == 405
    link.refresh_from_db()
    assert link.open_count == 0
    answer = stranger.get(f"/shared/{token}/?player=1&session=1&paper=../../x&token=y")
    link.refresh_from_db()
    assert (answer.status_code, link.open_count) == (200, 1)
    assert b"Maple" in answer.content
    assert "noindex" in answer["X-Robots-Tag"]
    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "sessionid" not in answer.cookies
