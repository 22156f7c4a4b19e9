"""Every page of the site with addresses to open it at, in each of its states.

The routes come from the URLconf: a new one without a row here fails
`test_every_route_has_a_row`. Tests open the pages of this table, and
`make screenshots` takes their pictures.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from axes.models import AccessAttempt
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.tokens import default_token_generator
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from accounts.audit import record
from accounts.models import Action, Authenticator, User
from accounts.services import create_token
from athletes import decisions
from athletes.analysis import run as analysis_run
from athletes.analysis import summaries
from athletes.frames import store
from athletes.frames.packing import PackedMovement, pack
from athletes.identity import merging
from athletes.models import (
    BiomechanicsData,
    DataState,
    DataType,
    DuplicatePair,
    HandUpload,
    Likeness,
    Note,
    Player,
    Session,
    Tag,
    UploadState,
)
from dashboard.selectors.compare_keys import ItemKey
from privacy.models import Archive, ArchiveState
from sharing.comparisons import save_comparison
from sharing.links import make_link
from syncing.choices import RunStatus, Trigger
from syncing.models import SyncLog
from tests.factories import (
    PASSWORD,
    make_goal,
    make_movement,
    make_player,
    make_session,
    make_staff,
    make_team,
    make_user,
    simulated_columns,
    simulated_movements,
    store_simulated,
)
from webhooks.models import Webhook, WebhookDelivery

Step = tuple[str, str, str]


@dataclass(frozen=True)
class SitePage:
    """One page; `{names}` of its address are filled in from the world."""

    name: str
    address: str
    anonymous: bool = False
    #: Done after it is open: "fill" or "click", a selector, what is filled in.
    steps: tuple[Step, ...] = ()


def page(name: str, address: str, *steps: Step, anonymous: bool = False) -> SitePage:
    return SitePage(name, address, anonymous, steps)


# What a person never has in the window: answers to a form, parts, files, JSON.
FORM = "takes a form and leads to a page"
PART = "a part of a page"
FILE = "a file to download"
JSON = "for programs"

PAGES: dict[str, str | tuple[SitePage, ...]] = {
    "": (page("home", "/"),),
    "accounts/login/": (page("login", "/accounts/login/", anonymous=True),),
    "accounts/logout/": FORM,
    "accounts/logout-everywhere/": FORM,
    "accounts/units/": FORM,
    "accounts/login/code/": FORM,
    "accounts/second-factor/": (page("second-factor", "/accounts/second-factor/"),),
    "accounts/second-factor/on/": (
        page("second-factor-on", "/accounts/second-factor/on/"),
    ),
    "accounts/second-factor/off/": (
        page("second-factor-off", "/accounts/second-factor/off/"),
    ),
    "accounts/second-factor/codes/": (
        page("recovery-codes", "/accounts/second-factor/codes/"),
    ),
    "accounts/password_change/": (
        page("password-change", "/accounts/password_change/"),
    ),
    "accounts/password_change/done/": (
        page("password-changed", "/accounts/password_change/done/"),
    ),
    "accounts/password_reset/": (
        page("password-reset", "/accounts/password_reset/", anonymous=True),
    ),
    "accounts/password_reset/done/": (
        page("password-reset-sent", "/accounts/password_reset/done/", anonymous=True),
    ),
    "accounts/reset/<uidb64>/<token>/": (
        page("password-reset-stale", "/accounts/reset/MQ/stale-1/", anonymous=True),
    ),
    "accounts/reset/done/": (
        page("password-reset-done", "/accounts/reset/done/", anonymous=True),
    ),
    "athletes/": (
        page("athletes", "/athletes/"),
        page("athletes-none-found", "/athletes/?q=zzz&start=2026-03-09&end=2026-03-01"),
    ),
    "athletes/search/": PART,
    "athletes/sessions/": (
        page("sessions", "/athletes/sessions/"),
        page("sessions-none-found", "/athletes/sessions/?q=zzz&setup=tee"),
    ),
    "athletes/compare/": (
        page(
            "compare-sessions",
            "/athletes/compare/?items=session-{earlier},session-{session}",
        ),
        page("compare-empty", "/athletes/compare/"),
        page("compare-one", "/athletes/compare/?items=session-{session}"),
        page(
            "compare-picker",
            "/athletes/compare/?items=range-{athlete}-20260101-20261231,swing-{swing}"
            "&pick={athlete}&swings={session}",
        ),
        page(
            "compare-hands",
            "/athletes/compare/?items=athlete-{athlete},athlete-{lefty},swing-{swing}",
        ),
    ),
    "athletes/compare/pick/": PART,
    "athletes/compare/tray/": FORM,
    "athletes/definitions/": (page("definitions", "/athletes/definitions/"),),
    "athletes/definitions/<str:name>/": (
        page("definition", "/athletes/definitions/peak_pelvis_omega/"),
    ),
    "athletes/<int:pk>/": (
        page("athlete", "/athletes/{athlete}/"),
        page("athlete-joined", "/athletes/{athlete}/?mixed=1"),
        page("athlete-of-one-swing", "/athletes/{lefty}/"),
        page("athlete-without-sessions", "/athletes/{newcomer}/"),
    ),
    "athletes/duplicates/": (page("duplicates", "/athletes/duplicates/"),),
    "athletes/duplicates/<int:pk>/dismiss/": FORM,
    "athletes/duplicates/<int:pk>/bring-back/": FORM,
    "athletes/<int:kept>/merge/<int:merged>/": (
        page("merge", "/athletes/{athlete}/merge/{likely}/"),
    ),
    "athletes/merges/<int:pk>/undo/": (
        page("merge-undo", "/athletes/merges/{merge}/undo/"),
    ),
    "athletes/<int:pk>/tags/": FORM,
    "athletes/sessions/<int:pk>/tags/": FORM,
    "athletes/sessions/<int:pk>/": (
        page("session", "/athletes/sessions/{session}/"),
        page("session-ordered", "/athletes/sessions/{session}/?sort=-quality"),
        page("session-partly-here", "/athletes/sessions/{partial}/"),
        page("session-waiting", "/athletes/sessions/{waiting}/"),
        page("session-failed", "/athletes/sessions/{failed}/"),
    ),
    "athletes/sessions/<int:pk>/facts/": FORM,
    "athletes/sessions/<int:pk>/setups/": FORM,
    "athletes/sessions/setup/": FORM,
    "athletes/sessions/setup/undo/": FORM,
    "athletes/sessions/<int:pk>/gap/": FORM,
    "athletes/sessions/<int:pk>/recording/": FORM,
    "athletes/sessions/<int:pk>/notes/": FORM,
    "athletes/<int:pk>/goals/": (page("goals", "/athletes/{athlete}/goals/"),),
    "athletes/goals/<int:pk>/": (page("goal-edit", "/athletes/goals/{goal}/"),),
    "athletes/goals/<int:pk>/end/": FORM,
    "athletes/goals/<int:pk>/delete/": FORM,
    "athletes/<int:pk>/notes/": FORM,
    "athletes/swings/<int:pk>/notes/": FORM,
    "athletes/notes/<int:pk>/": (page("note-edit", "/athletes/notes/{note}/"),),
    "athletes/notes/<int:pk>/delete/": FORM,
    "athletes/set-aside/<int:pk>/": FORM,
    "athletes/swings/<int:pk>/": (
        page("swing", "/athletes/swings/{swing}/"),
        page("swing-tables", "/athletes/swings/{swing}/?numbers=all&tables=all"),
        page("swing-path", "/athletes/swings/{swing}/?tab=path"),
        page("swing-without-energy", "/athletes/swings/{poor}/?tab=energy"),
        page("swing-of-a-walk", "/athletes/swings/{walk}/"),
        page("swing-without-frames", "/athletes/swings/{frameless}/"),
    ),
    "athletes/swings/<int:pk>/inclusion/": FORM,
    "athletes/swings/<int:pk>/events/": FORM,
    "athletes/swings/<int:pk>/events/<slug:moves>/undo/": FORM,
    "athletes/<int:pk>/sheet/": (page("sheet-athlete", "/athletes/{athlete}/sheet/"),),
    "athletes/<int:pk>/sheet.pdf": FILE,
    "athletes/<int:pk>/sheet/share/": FORM,
    "athletes/sessions/<int:pk>/sheet/": (
        page("sheet-session", "/athletes/sessions/{session}/sheet/"),
    ),
    "athletes/sessions/<int:pk>/sheet.pdf": FILE,
    "athletes/sessions/<int:pk>/sheet/share/": FORM,
    "athletes/shares/<int:pk>/revoke/": FORM,
    "athletes/compare/saved/": (page("compare-saved", "/athletes/compare/saved/"),),
    "athletes/compare/save/": FORM,
    "athletes/compare/saved/<int:pk>/": "leads to the comparison",
    "athletes/compare/saved/<int:pk>/change/": FORM,
    "athletes/compare/saved/<int:pk>/delete/": FORM,
    "shared/<str:token>/": (page("sheet-shared", "/shared/{token}/", anonymous=True),),
    "shared/<str:token>/sheet.pdf": FILE,
    "privacy/athletes/<int:pk>/": (page("stored", "/privacy/athletes/{athlete}/"),),
    "privacy/athletes/<int:pk>/archive/": FORM,
    "privacy/athletes/<int:pk>/erase/": (
        page("erase", "/privacy/athletes/{athlete}/erase/"),
    ),
    "privacy/archives/<int:pk>/": FILE,
    "privacy/storage/": (page("storage", "/privacy/storage/"),),
    "syncing/": (page("syncing", "/syncing/"),),
    "syncing/panel/": PART,
    "syncing/records/": PART,
    "syncing/freshness/": PART,
    "syncing/alert/": PART,
    "syncing/runs/<int:pk>/": (page("sync-run", "/syncing/runs/{run}/"),),
    "syncing/start/": FORM,
    "syncing/cancel/": FORM,
    "syncing/retry/": FORM,
    "syncing/give-up/": FORM,
    "syncing/columns/noted/": FORM,
    "syncing/backfill/": FORM,
    "syncing/upload/": (page("upload", "/syncing/upload/"),),
    "syncing/uploads/<int:pk>/": (
        page("upload-stored", "/syncing/uploads/{upload}/"),
        page("upload-undone", "/syncing/uploads/{undone_upload}/"),
    ),
    "syncing/uploads/<int:pk>/whose/": (
        page("upload-whose", "/syncing/uploads/{staged}/whose/?q=ma"),
        page("upload-session", "/syncing/uploads/{staged}/whose/?athlete={athlete}"),
    ),
    "syncing/uploads/<int:pk>/preview/": (
        page("upload-preview", "/syncing/uploads/{staged}/preview/"),
    ),
    "syncing/uploads/<int:pk>/drop/": FORM,
    "syncing/uploads/<int:pk>/undo/": FORM,
    "syncing/sessions/<int:pk>/by-hand/": (
        page("by-hand", "/syncing/sessions/{by_hand}/by-hand/"),
        page("by-hand-move", "/syncing/sessions/{by_hand}/by-hand/?athlete={lefty}"),
        page("by-hand-not", "/syncing/sessions/{session}/by-hand/"),
    ),
    "docs": (page("api-docs", "/docs"),),
    "players": JSON,
    "players/<id>": JSON,
    "players/<id>/sessions": JSON,
    "players/<id>/changes": JSON,
    "sessions": JSON,
    "sessions/<id>": JSON,
    "sessions/<id>/data": JSON,
    "sessions/<id>/metrics": JSON,
    "sessions/<id>/movements": JSON,
    "movements": JSON,
    "movements/<id>": JSON,
    "movements/<id>/data": JSON,
    "definitions": JSON,
    "exports/metrics": JSON,
    "sync/trigger": JSON,
    "sync/status": JSON,
    "stats": JSON,
    "openapi.json": JSON,
    "health": JSON,
    "health/live": JSON,
    "health/ready": JSON,
    "metrics": JSON,
    "service-worker.js": "a script",
    "no-connection/": (
        page("no-connection", "/no-connection/", anonymous=True),
        page("no-connection-sent", "/no-connection/?sent", anonymous=True),
    ),
    r"^(definitions|docs|exports|health|movements|openapi\.json|players|sessions|stats"
    r"|sync)(/.*)?$": JSON,
}

ERRORS = (page("not-found", "/no/such/page/"),)


def site_pages() -> list[SitePage]:
    """Every page of ours, in each of its states."""
    own = [one for row in PAGES.values() if not isinstance(row, str) for one in row]
    return [*own, *ERRORS]


def log_in(username: str) -> tuple[Step, ...]:
    return (
        ("fill", "input[name=username]", username),
        ("fill", "input[name=password]", PASSWORD),
        ("click", "button[type=submit]", ""),
    )


#: What is seen only after something was sent.
ANSWERS = (
    page("login-wrong", "/accounts/login/", *log_in("nobody"), anonymous=True),
    page("login-locked", "/accounts/login/", *log_in("locked"), anonymous=True),
    page("login-code", "/accounts/login/", *log_in("with-code"), anonymous=True),
    page("password-reset-new", "{reset}", anonymous=True),
    page(
        "admin-token-made",
        "/admin/accounts/apitoken/add/",
        ("fill", "#id_name", "importer"),
        ("click", "input[name=_save]", ""),
    ),
    page(
        "admin-webhook-made",
        "/admin/webhooks/webhook/add/",
        ("fill", "#id_name", "scoreboard"),
        ("fill", "#id_url", "https://hooks.example.com/swings"),
        ("click", "#id_events_0", ""),
        ("click", "input[name=_save]", ""),
    ),
    page(
        "admin-refused",
        "/admin/athletes/player/{athlete}/change/",
        ("fill", "#id_height_ft", "60"),
        ("click", "input[name=_save]", ""),
    ),
    page(
        "admin-count-out",
        "/admin/athletes/movement/",
        ("click", "#action-toggle", ""),
        ("select", "select[name=action]", "count_out"),
        ("click", "button[name=index]", ""),
    ),
    page("admin-delete-team", "/admin/accounts/team/{first[accounts.team]}/delete/"),
)


def admin_pages() -> list[SitePage]:
    """The administration: its list of each model, and a form of its newest row."""
    lists = []
    for model in admin.site._registry:
        label, name = model._meta.label_lower, model._meta.model_name
        url = reverse(f"admin:{model._meta.app_label}_{name}_changelist")
        lists.append(page(f"admin-list-{label}", url))
        lists.append(page(f"admin-form-{label}", f"{url}{{first[{label}]}}/change/"))
    return [
        page("admin", "/admin/"),
        page("admin-login", "/admin/login/", anonymous=True),
        page("admin-athlete", "/admin/athletes/player/{athlete}/change/"),
        page("admin-athlete-history", "/admin/athletes/player/{athlete}/history/"),
        page("admin-new-user", "/admin/accounts/user/add/"),
        page("admin-new-token", "/admin/accounts/apitoken/add/"),
        page("admin-new-webhook", "/admin/webhooks/webhook/add/"),
        page("admin-nothing-found", "/admin/athletes/player/?q=zzz"),
        *lists,
    ]


def hit(
    *,
    bats: str = "R",
    player: Player | None = None,
    date: dt.date = dt.date(2026, 3, 1),
    swings: slice = slice(None),
    data_types: tuple[DataType, ...] = tuple(DataType),
) -> Session:
    """A session as the sync leaves it."""
    session = make_session(
        player=player or make_player(),
        session_date=date,
        data_state=DataState.COMPLETE
        if len(data_types) == len(DataType)
        else DataState.PARTIAL,
    )
    movements = simulated_movements(bats=bats)[swings]
    if len(data_types) == len(DataType):
        store_simulated(session, movements)
    else:
        for data_type in data_types:
            store.store_frames(
                session_pk=session.pk,
                data_type=data_type,
                movements=[
                    PackedMovement(
                        movement.org_movement_id,
                        pack(simulated_columns(movement, data_type)),
                    )
                    for movement in movements
                ],
            )
    analysis_run.analyze_session(session.pk)
    summaries.refresh_player_summaries([session.player_id])
    return session


def make_staff_world(player: Player) -> None:
    """Rows for the lists of the administration."""
    team = make_team(name="Travel team", players=[player], members=[make_user()])
    token, _ = create_token(name="importer", scope="sync", team=team)
    webhook = Webhook.objects.create(
        name="scoreboard", url="https://hooks.example.com/", events=["sync.finished"]
    )
    WebhookDelivery.objects.create(
        webhook=webhook, event="sync.finished", payload={}, error="No answer."
    )
    with_code = make_user(username="with-code")
    Authenticator.objects.create(
        user=with_code, sealed_key=Authenticator.sealed(b"k" * 20)
    )
    locked = make_user(username="locked")
    AccessAttempt.objects.create(
        username=locked.username,
        ip_address="127.0.0.1",
        user_agent="Browser",
        path_info="/accounts/login/",
        failures_since_start=8,
    )
    record(Action.LOGIN_LOCKED, by=AnonymousUser(), subject=locked)
    record(Action.TOKEN_CREATED, subject=token, scope="sync", team_id=team.pk)
    record(
        Action.RECORD_CHANGED,
        by=with_code,
        subject=player,
        player_id=player.pk,
        fields=["height_ft", "dominant_hand_hitting"],
    )
    record(Action.ATHLETE_ERASED, player_id=10**6, sessions=3)


def make_uploads(player: Player, staff: User) -> dict[str, int]:
    """Files by hand in every state, by the names that addresses are filled with."""
    session = hit(player=player, date=dt.date(2026, 3, 10), swings=slice(0, 2))
    Session.objects.filter(pk=session.pk).update(vendor_status="")
    rows = BiomechanicsData.objects.filter(movement__session=session)
    contents = list(rows.values_list("movement", "data_type", "content_sha256"))
    name = "20260310_session_4_rebootmotion_ash-maple_baseball-hitting_{}.csv"
    kinds = ("inverse-kinematics", "momentum-energy")
    files = [
        {
            "name": name.format(kind),
            "kind": kind,
            "movements": [
                {"name": f"swing {number}", "sha256": sha256}
                for number, (_, of, sha256) in enumerate(contents)
                if of == kind
            ],
        }
        for kind in kinds
    ]
    stored = HandUpload.objects.create(
        state=UploadState.STORED,
        player=player,
        session=session,
        created_by=staff,
        stored_at=timezone.now(),
        files=[{"name": one["name"], "kind": one["kind"]} for one in files],
        contents=[list(row) for row in contents],
        created={
            "session": session.pk,
            "movements": list(session.movements.values_list("pk", flat=True)),
            "frames": [list(row) for row in contents],
        },
    )
    Note.objects.create(session=session, text="Felt late.", created_by=staff)
    undone = HandUpload.objects.create(
        state=UploadState.UNDONE,
        player=player,
        created_by=staff,
        stored_at=timezone.now(),
        undone_by=staff,
        undone_at=timezone.now(),
    )
    staged = HandUpload.objects.create(
        created_by=staff,
        files=files,
        choice={
            "session_id": "a-new-session",
            "date": "2031-01-05",
            "new": {
                "org_player_id": "new-athlete",
                "first_name": "Ash",
                "last_name": "Mapel",
                "date_of_birth": "",
            },
        },
    )
    return {
        "upload": stored.pk,
        "undone_upload": undone.pk,
        "staged": staged.pk,
        "by_hand": session.pk,
    }


def make_world() -> dict[str, Any]:
    """Rows for every page and state; the names that addresses are filled with.

    Staged files are those of `world["staff"]`, who has to look at them.
    """
    player = make_player(
        first_name="Ash", last_name="Maple", date_of_birth=dt.date(2009, 5, 4)
    )
    earlier = hit(player=player)
    session = hit(player=player, date=dt.date(2026, 3, 8))
    session.condition = "machine"
    session.bat = "33/30"
    session.save()
    session.tags.add(Tag.objects.get_or_create(name="varsity")[0])
    player.tags.add(Tag.objects.get_or_create(name="varsity")[0])
    staff = make_staff()
    note = Note.objects.create(
        session=session,
        text="Tired legs; third session in a row.",
        created_by=staff,
        on_sheet=True,
    )
    Note.objects.create(player=player, text="Back from a sprained wrist.")
    goal = make_goal(player=player, low=11.0, note="Before the season.")
    make_goal(player=player, low=9.0, ended_at=timezone.now())
    left_out, poor = session.movements.filter(is_swing=True).in_session_order()[1:3]
    decisions.set_inclusion(
        movement=left_out, inclusion="excluded", reason="Bunt.", user=staff
    )
    type(poor).objects.filter(pk=poor.pk).update(
        quality_grade="poor",
        quality_reasons=[
            {"code": "gaps", "text": "A twentieth of the frames was missing."},
            {"code": "bat", "text": "The bat is longer than a bat can be."},
        ],
    )
    partial = hit(
        player=player,
        date=dt.date(2026, 3, 9),
        swings=slice(0, 2),
        data_types=(DataType.INVERSE_KINEMATICS,),
    )
    failed = make_session(
        player=player, session_date=dt.date(2026, 3, 11), data_state=DataState.FAILED
    )
    waiting = make_session(
        player=player, session_date=dt.date(2026, 3, 12), data_state=DataState.WAITING
    )
    frameless = make_movement(session=partial)
    lefty = hit(
        bats="L",
        player=make_player(
            first_name="Bay", last_name="Birch", dominant_hand_hitting="left"
        ),
        swings=slice(0, 1),
    )
    newcomer = make_player(
        first_name="Cedar", last_name="Elm", height_ft=None, weight_lbs=None
    )
    run = SyncLog.objects.create(
        status=RunStatus.FAILED,
        trigger=Trigger.SCHEDULE,
        started_at=timezone.now() - dt.timedelta(minutes=4),
        completed_at=timezone.now(),
        error_message="Reboot Motion could not be reached. Try again in an hour.",
    )
    archive = Archive.objects.create(
        player=player,
        state=ArchiveState.READY,
        expires_at=timezone.now() + dt.timedelta(hours=1),
    )
    default_storage.save(archive.file_name, ContentFile(b"PK"))
    summaries.refresh_player_summaries([player.pk, newcomer.pk])
    _, token = make_link(by=staff, player=player)
    save_comparison(
        user=staff,
        name="Before and after the break",
        keys=[ItemKey("session", earlier.pk), ItemKey("session", session.pk)],
        series="",
        align="",
        is_shared=True,
    )
    likely = make_player(first_name="Asch", last_name="Maple")
    one, other = sorted((player.pk, likely.pk))
    DuplicatePair.objects.create(
        first_id=one, second_id=other, likeness=Likeness.SIMILAR, rank=2
    )
    merged = merging.merge(kept=newcomer, merged=make_player(), by=staff)
    make_staff_world(player)
    uploads = make_uploads(player, staff)
    first: dict[str, int] = defaultdict(int)
    for model in admin.site._registry:
        newest = model._default_manager.order_by("-pk").values_list("pk", flat=True)
        first[model._meta.label_lower] = newest.first() or 0
    resetting = make_user(username="resetting")
    uid = urlsafe_base64_encode(force_bytes(resetting.pk))
    reset_token = default_token_generator.make_token(resetting)
    return {
        "first": first,
        "staff": staff,
        "note": note.pk,
        "goal": goal.pk,
        **uploads,
        "reset": reverse("password_reset_confirm", args=[uid, reset_token]),
        "likely": likely.pk,
        "merge": merged.pk,
        "token": token,
        "athlete": player.pk,
        "lefty": lefty.player_id,
        "newcomer": newcomer.pk,
        "session": session.pk,
        "earlier": earlier.pk,
        "partial": partial.pk,
        "failed": failed.pk,
        "waiting": waiting.pk,
        "swing": earlier.movements.filter(is_swing=True).in_session_order()[0].pk,
        "poor": partial.movements.filter(is_swing=True).in_session_order()[0].pk,
        "walk": earlier.movements.get(is_swing=False).pk,
        "frameless": frameless.pk,
        "run": run.pk,
    }
