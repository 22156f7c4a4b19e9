"""Every route of the site: how to call it, who may, and a world to call it in.

The routes come from the URLconf. A route without a row here fails
`test_every_route_has_a_row` (test_permission_matrix.py): add a row to `ROWS` that says
who may enter. Tests that have to reach every route walk this table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.test import Client, override_settings
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from django_q.models import Failure, Schedule, Success

from accounts.models import User
from athletes.identity import merging
from athletes.models import (
    DuplicatePair,
    HandUpload,
    Likeness,
    Movement,
    Note,
    Player,
    SetAside,
    UploadState,
)
from dashboard.selectors.compare_keys import ItemKey
from privacy.models import Archive, ArchiveState
from sharing.comparisons import save_comparison
from sharing.links import make_link, revoke
from syncing import schedules
from syncing.choices import RunStatus, Trigger
from syncing.models import SyncLog
from tests import factories

CALLERS = (
    "anonymous",
    "coach outside",
    "coach inside",
    "staff",
    "superuser",
    "token read",
    "token sync",
    "token of another team",
)

# What came of a call: "in", "login" (sent to the login page) or the status.
Outcomes = dict[str, str]
Ids = dict[str, Any]


def outcomes(*values: str) -> Outcomes:
    return dict(zip(CALLERS, values, strict=True))


# The kinds of doors; columns as in CALLERS. A page knows no tokens: whoever
# comes with one is a stranger there.
OPEN = outcomes("in", "in", "in", "in", "in", "in", "in", "in")
PAGE = outcomes("login", "in", "in", "in", "in", "login", "login", "login")
ATHLETE = outcomes("login", "404", "in", "in", "in", "login", "login", "login")
STAFF = outcomes("login", "403", "403", "in", "in", "login", "login", "login")
API = outcomes("401", "in", "in", "in", "in", "in", "in", "in")
API_ATHLETE = outcomes("401", "404", "in", "in", "in", "in", "in", "404")
API_SYNC = outcomes("401", "in", "in", "in", "in", "403", "in", "403")
NOT_THERE = outcomes("401", "404", "404", "404", "404", "404", "404", "404")

# Of coach inside alone.
NOT_OTHERS = {"staff": "404", "superuser": "404"}

HIDDEN = dict.fromkeys(CALLERS, "404")


@dataclass(frozen=True)
class Row:
    """One way to call a route.

    `ids` names, for each part of the route, an attribute of `World` or a
    ready text; `data` is sent with the call.
    """

    expected: Outcomes
    method: str = "get"
    ids: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def post(expected: Outcomes, data: Mapping[str, Any] | None = None, **ids: str) -> Row:
    return Row(expected, "post", ids, data or {})


def get(expected: Outcomes, **ids: str) -> Row:
    return Row(expected, "get", ids)


def is_of_an_athlete(row: Row) -> bool:
    """Whether it is about a record that coach outside may not see."""
    return row.expected["coach outside"] == "404" and row.expected["anonymous"] in {
        "login",
        "401",
    }


FRAGMENT = {"HX-Request": "true"}

# Links in every state; the page and the file of a link open and close together.
LINKS = [
    get(OPEN, token="share_token"),
    get(OPEN, token="session_share_token"),
    get(HIDDEN, token="revoked_share_token"),
    get(HIDDEN, token="expired_share_token"),
    get(HIDDEN, token="lost_share_token"),
    get(HIDDEN, token="x" * 43),
]
ROWS: dict[str, list[Row]] = {
    # home and accounts
    "": [get(PAGE)],
    "accounts/login/": [get(OPEN), post(OPEN)],
    "accounts/logout/": [post(PAGE)],
    "accounts/logout-everywhere/": [post(PAGE)],
    "accounts/units/": [post(PAGE, {"units": "metric"})],
    # Without a password that was right it leads back to the login.
    "accounts/login/code/": [get(OPEN), post(OPEN, {"code": "123456"})],
    "accounts/second-factor/": [get(PAGE)],
    "accounts/second-factor/on/": [get(PAGE), post(PAGE)],
    "accounts/second-factor/off/": [get(PAGE), post(PAGE)],
    "accounts/second-factor/codes/": [get(PAGE), post(PAGE)],
    "accounts/password_change/": [get(PAGE), post(PAGE)],
    "accounts/password_change/done/": [get(PAGE)],
    "accounts/password_reset/": [get(OPEN), post(OPEN)],
    "accounts/password_reset/done/": [get(OPEN)],
    "accounts/reset/<uidb64>/<token>/": [get(OPEN, uidb64="x", token="y")],
    "accounts/reset/done/": [get(OPEN)],
    # athletes
    "athletes/": [get(PAGE)],
    "athletes/search/": [Row(PAGE, data={"q": ","}, headers=FRAGMENT)],
    "athletes/compare/": [get(PAGE)],
    "athletes/compare/pick/": [Row(PAGE, headers=FRAGMENT)],
    "athletes/compare/tray/": [post(PAGE, {"clear": "1"})],
    "athletes/definitions/": [get(PAGE)],
    "athletes/definitions/<str:name>/": [get(PAGE, name="peak_pelvis_omega")],
    # Coaches never learn of other records, be they in their teams or not.
    "athletes/duplicates/": [get(STAFF)],
    "athletes/duplicates/<int:pk>/dismiss/": [post(STAFF, pk="pair")],
    "athletes/duplicates/<int:pk>/bring-back/": [post(STAFF, pk="pair")],
    "athletes/<int:kept>/merge/<int:merged>/": [
        get(STAFF, kept="player", merged="likely"),
        post(STAFF, kept="player", merged="likely"),
    ],
    "athletes/merges/<int:pk>/undo/": [
        get(STAFF, pk="merge"),
        post(STAFF, pk="merge"),
    ],
    # Of a merged record and of a folded session one is led on, or sees nothing.
    "athletes/<int:pk>/": [get(ATHLETE, pk="player"), get(ATHLETE, pk="alias")],
    "athletes/<int:pk>/tags/": [post(ATHLETE, {"name": "a"}, pk="player")],
    "athletes/sessions/<int:pk>/tags/": [post(ATHLETE, {"name": "a"}, pk="session")],
    "athletes/sessions/": [get(PAGE)],
    "athletes/sessions/<int:pk>/": [get(ATHLETE, pk="session")],
    "athletes/sessions/<int:pk>/facts/": [
        post(ATHLETE, {"condition": "tee"}, pk="session")
    ],
    "athletes/sessions/<int:pk>/setups/": [
        post(ATHLETE, {"do": "setup", "swings": "1", "setup": "tee"}, pk="session")
    ],
    "athletes/sessions/setup/": [post(PAGE, {"sessions": [], "setup": "tee"})],
    "athletes/sessions/setup/undo/": [post(PAGE)],
    "athletes/sessions/<int:pk>/gap/": [post(STAFF, {"undo": "1"}, pk="session")],
    "athletes/sessions/<int:pk>/recording/": [
        post(STAFF, {"counts": "both"}, pk="session")
    ],
    "athletes/sessions/<int:pk>/notes/": [post(ATHLETE, {"text": "a"}, pk="session")],
    "athletes/<int:pk>/goals/": [get(ATHLETE, pk="player"), post(ATHLETE, pk="player")],
    "athletes/goals/<int:pk>/": [get(ATHLETE, pk="goal"), post(ATHLETE, pk="goal")],
    "athletes/goals/<int:pk>/end/": [post(ATHLETE, pk="goal")],
    # Only who set a goal may delete it, and staff.
    "athletes/goals/<int:pk>/delete/": [
        post(ATHLETE | {"coach inside": "403"}, pk="goal")
    ],
    "athletes/<int:pk>/notes/": [post(ATHLETE, {"text": "a"}, pk="player")],
    "athletes/swings/<int:pk>/notes/": [post(ATHLETE, {"text": "a"}, pk="movement")],
    # Only who wrote a note may edit it; who may delete it are they, and staff.
    "athletes/notes/<int:pk>/": [
        get(
            ATHLETE | dict.fromkeys(("staff", "superuser"), "403"),
            pk="own_note",
        ),
        post(
            ATHLETE | dict.fromkeys(("staff", "superuser"), "403"),
            {"text": "a"},
            pk="own_note",
        ),
    ],
    "athletes/notes/<int:pk>/delete/": [
        post(ATHLETE | {"coach inside": "403"}, pk="note"),
        post(ATHLETE, pk="own_note"),
    ],
    "athletes/set-aside/<int:pk>/": [post(ATHLETE, {"answer": "drop"}, pk="set_aside")],
    "athletes/swings/<int:pk>/": [get(ATHLETE, pk="movement")],
    "athletes/swings/<int:pk>/inclusion/": [
        post(ATHLETE, {"inclusion": "excluded", "reason": "a"}, pk="movement")
    ],
    "athletes/swings/<int:pk>/events/": [post(ATHLETE, pk="movement")],
    "athletes/swings/<int:pk>/events/<slug:moves>/undo/": [
        post(ATHLETE, pk="movement", moves="1")
    ],
    # sheets, their links, saved comparisons
    "athletes/<int:pk>/sheet/": [get(ATHLETE, pk="player")],
    "athletes/<int:pk>/sheet.pdf": [get(ATHLETE, pk="player")],
    "athletes/<int:pk>/sheet/share/": [post(ATHLETE, {"days": 7}, pk="player")],
    "athletes/sessions/<int:pk>/sheet/": [get(ATHLETE, pk="session")],
    "athletes/sessions/<int:pk>/sheet.pdf": [get(ATHLETE, pk="session")],
    "athletes/sessions/<int:pk>/sheet/share/": [
        post(ATHLETE, {"days": 7}, pk="session")
    ],
    # Who made a link may end it, and staff.
    "athletes/shares/<int:pk>/revoke/": [
        post(ATHLETE, pk="link"),
        post(ATHLETE | {"coach inside": "404"}, pk="link_of_staff"),
    ],
    "athletes/compare/saved/": [get(PAGE)],
    "athletes/compare/save/": [post(PAGE, {"name": "a"})],
    "athletes/compare/saved/<int:pk>/": [
        get(ATHLETE, pk="shared_comparison"),
        get(ATHLETE | NOT_OTHERS, pk="own_comparison"),
    ],
    "athletes/compare/saved/<int:pk>/change/": [
        post(ATHLETE | NOT_OTHERS, {"name": "b"}, pk="shared_comparison")
    ],
    "athletes/compare/saved/<int:pk>/delete/": [
        post(ATHLETE | NOT_OTHERS, pk="shared_comparison")
    ],
    "shared/<str:token>/": LINKS,
    "shared/<str:token>/sheet.pdf": LINKS,
    # privacy
    "privacy/athletes/<int:pk>/": [get(ATHLETE, pk="player")],
    "privacy/athletes/<int:pk>/archive/": [post(ATHLETE, pk="player")],
    "privacy/athletes/<int:pk>/erase/": [
        get(STAFF, pk="player"),
        post(STAFF, {"word": "erase"}, pk="player"),
    ],
    "privacy/archives/<int:pk>/": [get(ATHLETE, pk="archive")],
    "privacy/storage/": [get(STAFF), post(STAFF)],
    # sync
    "syncing/": [get(PAGE)],
    "syncing/panel/": [Row(PAGE, headers=FRAGMENT)],
    "syncing/records/": [Row(PAGE, headers=FRAGMENT)],
    "syncing/freshness/": [get(PAGE)],
    "syncing/alert/": [get(PAGE)],
    "syncing/runs/<int:pk>/": [get(PAGE, pk="run")],
    "syncing/start/": [post(PAGE), post(STAFF, {"full": "1"})],
    "syncing/cancel/": [post(STAFF)],
    "syncing/retry/": [post(STAFF)],
    "syncing/give-up/": [post(STAFF)],
    "syncing/columns/noted/": [post(STAFF)],
    "syncing/backfill/": [post(STAFF)],
    "syncing/upload/": [get(STAFF), post(STAFF)],
    "syncing/uploads/<int:pk>/": [get(STAFF, pk="upload")],
    "syncing/uploads/<int:pk>/undo/": [post(STAFF, pk="upload")],
    # Files that wait are seen by who chose them alone.
    "syncing/uploads/<int:pk>/whose/": [
        get(STAFF | {"superuser": "404"}, pk="staged"),
        post(STAFF | {"superuser": "404"}, pk="staged"),
    ],
    "syncing/uploads/<int:pk>/preview/": [
        get(STAFF | {"superuser": "404"}, pk="staged"),
        post(STAFF | {"superuser": "404"}, pk="staged"),
    ],
    "syncing/uploads/<int:pk>/drop/": [post(STAFF | {"superuser": "404"}, pk="staged")],
    "syncing/sessions/<int:pk>/by-hand/": [
        get(STAFF, pk="session"),
        post(STAFF, pk="session"),
    ],
    # JSON
    "players": [get(API)],
    "players/<id>": [get(API_ATHLETE, id="player")],
    "players/<id>/sessions": [get(API_ATHLETE, id="player")],
    "players/<id>/changes": [get(API_ATHLETE, id="player")],
    "sessions": [get(API)],
    "sessions/<id>": [get(API_ATHLETE, id="session")],
    "sessions/<id>/metrics": [get(API_ATHLETE, id="session")],
    "sessions/<id>/data": [get(API_ATHLETE, id="session")],
    "sessions/<id>/movements": [get(API_ATHLETE, id="session")],
    "movements": [get(API)],
    "movements/<id>": [get(API_ATHLETE, id="movement")],
    "movements/<id>/data": [get(API_ATHLETE, id="movement")],
    "definitions": [get(API)],
    "sync/trigger": [post(API_SYNC)],
    "sync/status": [get(API)],
    "stats": [get(API)],
    "docs": [get(API)],
    "openapi.json": [get(API)],
    "health": [get(OPEN)],
    "service-worker.js": [get(OPEN)],
    "no-connection/": [get(OPEN)],
    # Exists with METRICS_TOKEN alone, and then for its bearer.
    "metrics": [get(HIDDEN)],
    "health/live": [get(OPEN)],
    "health/ready": [get(OPEN)],
    "exports/metrics": [get(API)],
    r"^(definitions|docs|exports|health|movements|openapi\.json|players|sessions|stats|sync)"
    r"(/.*)?$": [Row(NOT_THERE, ids={"path": "players/1/nothing"})],
}


def _shares(movement: Movement, *, inside: User, outside: User, staff: User) -> Ids:
    """Links in every state, and comparisons of coach inside."""
    session = movement.session
    player = session.player
    link, token = make_link(by=inside, player=player)
    of_staff, session_token = make_link(by=staff, player=player, session=session)
    revoked, revoked_token = make_link(by=staff, player=player)
    revoke(link=revoked, by=staff)
    expired, expired_token = make_link(by=staff, player=player)
    expired.expires_at = timezone.now()
    expired.save()
    # Of a coach who may not see the athlete any more.
    _, lost_token = make_link(by=outside, player=player)
    other = factories.make_session(player=player)
    saved = [
        save_comparison(
            user=inside,
            name="a",
            keys=[ItemKey("session", session.pk), ItemKey("session", other.pk)],
            series="",
            align="",
            is_shared=is_shared,
        ).pk
        for is_shared in (True, False)
    ]
    return {
        "link": link.pk,
        "link_of_staff": of_staff.pk,
        "share_token": token,
        "session_share_token": session_token,
        "revoked_share_token": revoked_token,
        "expired_share_token": expired_token,
        "lost_share_token": lost_token,
        "shared_comparison": saved[0],
        "own_comparison": saved[1],
    }


def _twice(player: Player, by: User) -> Ids:
    """A record that may be the athlete, and one that was merged into it."""
    likely, alias = factories.make_player(), factories.make_player()
    one, other = sorted((player.pk, likely.pk))
    pair = DuplicatePair.objects.create(
        first_id=one, second_id=other, likeness=Likeness.SAME, rank=0
    )
    factories.make_session(player=alias)
    return {
        "likely": likely.pk,
        "alias": alias.pk,
        "pair": pair.pk,
        "merge": merging.merge(kept=player, merged=alias, by=by).pk,
    }


class World(SimpleNamespace):
    """Rows of the athlete that everything is about, and everybody who calls."""

    def __init__(self) -> None:
        movement = factories.make_frames(movement=factories.make_swing()).movement
        player = movement.session.player
        elsewhere = factories.make_frames().movement.session.player
        inside = factories.make_user(limited_to_teams=True)
        outside = factories.make_user(limited_to_teams=True)
        team = factories.make_team(players=[player], members=[inside])
        other = factories.make_team(players=[elsewhere], members=[outside])
        note = Note.objects.create(session=movement.session, text="a")
        own = Note.objects.create(session=movement.session, text="b", created_by=inside)
        run = SyncLog.objects.create(
            status=RunStatus.SUCCESS, trigger=Trigger.SCHEDULE, requested_by=inside
        )
        archive = Archive.objects.create(
            player=player,
            state=ArchiveState.READY,
            expires_at=timezone.now() + timedelta(hours=1),
        )
        default_storage.save(archive.file_name, ContentFile(b"PK"))
        staff = factories.make_staff()
        super().__init__(
            **_shares(movement, inside=inside, outside=outside, staff=staff),
            **_twice(player, staff),
            player=player.pk,
            upload=HandUpload.objects.create(
                state=UploadState.STORED,
                player=player,
                session=movement.session,
                created_by=staff,
                stored_at=timezone.now(),
            ).pk,
            staged=HandUpload.objects.create(
                player=player, session=movement.session, created_by=staff
            ).pk,
            archive=archive.pk,
            archive_file=archive.file_name,
            session=movement.session_id,
            movement=movement.pk,
            set_aside=SetAside.objects.create(movement=movement).pk,
            note=note.pk,
            own_note=own.pk,
            goal=factories.make_goal(player=player).pk,
            run=run.pk,
            team=team.pk,
            users={
                "coach outside": outside,
                "coach inside": inside,
                "staff": staff,
                "superuser": factories.make_superuser(),
            },
            tokens={
                "token read": factories.make_token(team=team),
                "token sync": factories.make_token("sync"),
                "token of another team": factories.make_token(team=other),
            },
        )
        #: One for each caller, for calls that are undone.
        self.clients = {caller: self.client(caller) for caller in CALLERS}

    def client(self, caller: str, **options: Any) -> Client:
        """A new client of the caller, logged in."""
        options = {"raise_request_exception": False, **options}
        client = Client(headers=self.tokens.get(caller), **options)
        if caller in self.users:
            client.force_login(
                self.users[caller], "django.contrib.auth.backends.ModelBackend"
            )
        return client

    def put_files_back(self) -> None:
        """Files know no transaction; what a call deleted is stored again."""
        if not default_storage.exists(self.archive_file):
            default_storage.save(self.archive_file, ContentFile(b"PK"))


@contextmanager
def undone(client: Client) -> Iterator[None]:
    """What calls of the client change inside is taken back, its cookies too."""
    cookies = {name: cookie.value for name, cookie in client.cookies.items()}
    try:
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
    finally:
        client.cookies.clear()
        for name, value in cookies.items():
            client.cookies[name] = value


@pytest.fixture(scope="module")
def standing_world(django_db_setup, django_db_blocker) -> Iterator[World]:
    """One world for all tests of a module, in a transaction around theirs.

    No test of such a module has `transaction=True`: it would wait for this one.
    """
    memory = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    storages = {**settings.STORAGES, "default": memory}
    with (
        override_settings(STORAGES=storages),
        django_db_blocker.unblock(),
        transaction.atomic(),
    ):
        cache.clear()
        yield World()
        transaction.set_rollback(True)


@pytest.fixture
def world(standing_world: World, db: None) -> Iterator[World]:
    """The module's world; what a test changes is undone at its end."""
    yield standing_world
    standing_world.put_files_back()


def outcome(response: Any) -> str:
    if response.headers.get("HX-Redirect", "").startswith("/accounts/login/"):
        return "login"
    if response.status_code in {301, 302}:
        # Logging out leads to the login page too, but with nothing to go on to.
        at_login = response["Location"].startswith(
            ("/accounts/login/?next=", "/admin/login/?next=")
        )
        return "login" if at_login else "in"
    # 422: let in, and told that the form is not complete.
    if response.status_code < 300 or response.status_code == 422:
        return "in"
    return str(response.status_code)


def address(route: str, row: Row, world: World) -> str:
    if "path" in row.ids:
        return f"/{row.ids['path']}"
    parts = []
    for part in route.split("/"):
        if part.startswith("<"):
            name = row.ids[part.strip("<>").split(":")[-1]]
            part = str(getattr(world, name, name))
        parts.append(part)
    return "/" + "/".join(parts)


#: Routes that are there while single sign-on is on (tests/with_single_sign_on.py). In
#: the test no provider answers: everybody gets as far as that, and nobody further.
UNREACHABLE = dict.fromkeys(CALLERS, "503")
NOT_BEGUN = dict.fromkeys(CALLERS, "400")
SINGLE_SIGN_ON_ROWS: dict[str, list[Row]] = {
    "accounts/sign-on/": [get(UNREACHABLE)],
    "accounts/sign-on/back/": [get(NOT_BEGUN)],
}


# --- The walk -----------------------------------------------------------------


def routes(
    patterns: list[URLPattern | URLResolver], prefix: str = ""
) -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        else:
            yield route, pattern


#: Every route of the site, in the order in which they are tried.
PATTERNS = dict(routes(get_resolver().url_patterns))
OURS = {route for route in PATTERNS if not route.startswith("admin/")}
ADMIN_OPEN = {"admin/login/", "admin/logout/"}
ADMIN = [
    route
    for route in PATTERNS
    if route.startswith("admin/") and route not in ADMIN_OPEN
]


def admin_address(route: str) -> str:
    """The route about a row that exists, where its table has any."""
    route = route.replace("(?P<app_label>", "<").replace("(?P<url>.*)$", "unknown/")
    parts = route.split("/")
    filled = []
    for part in parts:
        if "<" in part or part.startswith("^"):
            in_apps = "auth|" in part or part.startswith("^")
            part = "accounts" if in_apps else first_row(*parts[1:3])
        filled.append(part)
    return "/" + "/".join(filled).replace("$", "")


def first_row(app_label: str, model_name: str) -> str:
    """The key of the first row of a table; that of none where it is empty."""
    try:
        model = apps.get_model(app_label, model_name)
    except LookupError:
        return "1"
    pk = model._default_manager.order_by("pk").values_list("pk", flat=True).first()
    return "1" if pk is None else str(pk)


def make_a_row_of_each_list() -> None:
    """Rows for lists of the administration that a world leaves empty."""
    schedules.register()
    now = Schedule.objects.first().next_run
    for model, kind in ((Success, True), (Failure, False)):
        model.objects.create(
            id=("a" if kind else "b") * 32,
            func="syncing.tasks.sweep_task",
            name="x",
            started=now,
            stopped=now,
            success=kind,
        )
    factories.make_session_metric()
