"""Athletes whose names are code, formulas, other scripts and walls of pictures.

Each route of the site is called about one athlete of such a name, by whatever row it
has in the permission matrix, so a new page is covered from its first day. A page must
be built of the same elements as for a plain name: a name that opens an element or adds
an attribute changes that, whatever it is called.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import pyarrow.parquet as pq
import pytest
from django.contrib import admin
from django.contrib.auth.forms import PasswordResetForm
from django.core import mail
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from athletes.analysis import summaries
from athletes.models import Movement, Note, Player, Session, Tag
from athletes.names import search_text
from privacy.archive import write_archive
from sharing.models import SavedComparison, ShareLink
from syncing import alerts
from syncing.choices import RunStatus
from syncing.models import SyncLog
from tests import factories
from tests.routes import ROWS, Row, World, address, standing_world, undone

__all__ = ["standing_world"]

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

PLAIN = "Plain"
# At most 200 signs, as a name's column holds; twice that in a full name. Kinds share a
# name where neither hides the other: a formula begins a cell, whatever comes after it.
HOSTILE = {
    "code": (
        "--></title></textarea></script><script>window.hit=1</script>"
        '<img src=x onerror=window.hit=1>{{ 7|add:7 }}{% debug %}%(x)s%00","hit":1'
    ),
    "formula and attribute": "=cmd|' /C calc'!A0\"' onmouseover=window.hit=1 x='",
    "another formula, paths and lines": (
        '+1-1@SUM(1)\t;=1/../../..\\x.exe" name="y\r\nSet-Cookie: hit=1\r\n\r\nb\u2028c'
    ),
    "right to left and emoji": "\u202eحسن דוד\u2066\u200f" + "🏏" * 180,
}

# A fragment is a part of its page: these two show whether it escapes as that does.
OF_FRAGMENTS = {"code", "formula and attribute"}
IN_TURN = [kind for kind in HOSTILE if kind != "code"]


@pytest.fixture(params=HOSTILE, ids=list(HOSTILE))
def name(request) -> str:
    return HOSTILE[request.param]


@pytest.fixture(scope="module")
def world_to_show(standing_world: World, django_db_blocker) -> World:
    """With something to show wherever something can be shown."""
    with django_db_blocker.unblock():
        session = Session.objects.get(pk=standing_world.session)
        for metric in ("peak_pelvis_omega", "peak_hand_speed"):
            factories.make_session_metric(session=session, metric=metric)
        Tag.objects.create(name=PLAIN).players.add(standing_world.player)
        summaries.refresh_player_summaries([standing_world.player])
    return standing_world


@pytest.fixture
def world(world_to_show: World, db: None) -> Iterator[World]:
    yield world_to_show
    world_to_show.put_files_back()


def rename(world: World, name: str) -> None:
    """The athlete, and all else that the vendor and people call by a name."""
    Player.objects.filter(pk=world.player).update(
        first_name=name, last_name=name, search_text=search_text(name, name)
    )
    # The vendor's own words too; ids stay unique.
    Session.objects.filter(pk=world.session).update(
        session_id=name,
        session_num=name[:50],
        mocap_type_name=name[:100],
        bat=name[:100],
    )
    Movement.objects.filter(pk=world.movement).update(org_movement_id=name)
    Note.objects.filter(session=world.session).update(text=name)
    Tag.objects.update(name=name[:40])
    ShareLink.objects.update(label=name[:100], full_name=True)
    SavedComparison.objects.update(name=name[:100])
    SyncLog.objects.update(
        status=RunStatus.FAILED,
        error_message=name,
        errors=[{"kind": "player", "message": name, "record": name}],
        error_count=1,
    )


# What a text of several lines is shown with.
PARAGRAPHS = {"br", "p"}


class Skeleton(HTMLParser):
    """Elements and names of attributes, in their order; and the text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[Any] = []
        self.text: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in PARAGRAPHS:
            return
        self.parts.append((tag, *(attribute for attribute, _ in attrs)))
        self._in_script = tag == "script"

    def handle_endtag(self, tag: str) -> None:
        if tag in PARAGRAPHS:
            return
        self.parts.append(f"/{tag}")
        self._in_script = False

    def handle_comment(self, data: str) -> None:
        self.parts.append("comment")

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            json.loads(data)  # inline scripts are data alone
        self.text.append(data)


def skeleton(html: str) -> Skeleton:
    parsed = Skeleton()
    parsed.feed(html)
    parsed.close()
    return parsed


def elements(html: bytes) -> Counter[Any]:
    """How often each element with its attributes occurs; rows may be sorted anew."""
    return Counter(skeleton(html.decode()).parts)


def call(world: World, path: str, row: Row, fragment: bool = False) -> Any:
    """One call of a superuser whose effects are taken back."""
    client = world.clients["superuser"]
    headers = {"HX-Request": "true"} if fragment else {}
    with undone(client):
        answer = getattr(client, row.method)(
            path, dict(row.data), headers={**row.headers, **headers}
        )
        if answer.streaming:
            answer.whole = b"".join(answer.streaming_content)
        else:
            answer.whole = answer.content
    world.put_files_back()
    return answer


# Route, row and whether htmx asks for a part; a file has no parts.
CALLS = [
    (route, row, fragment)
    for route, rows in ROWS.items()
    if not route.startswith(("accounts/", "metrics", "health", "openapi"))
    for row in rows
    for fragment in ((False,) if route.endswith(".pdf") else (False, True))
]


def is_safe(headers: Any) -> bool:
    """No header that a name made, and no file name that needs care."""
    disposition = headers.get("Content-Disposition", "")
    return "hit" not in headers.get("Set-Cookie", "") and (
        not disposition
        or re.fullmatch(r'attachment; filename="[A-Za-z0-9._-]+"', disposition)
        is not None
    )


def cells_are_text(content: bytes) -> None:
    for line in csv.reader(io.StringIO(content.decode("utf-8-sig"))):
        for cell in line:
            is_number = re.fullmatch(r"-?[\d.]+(e[+-]?\d+)?", cell, re.IGNORECASE)
            assert is_number or not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


@dataclass(frozen=True)
class Plain:
    """What a call answers about an athlete of a plain name."""

    status: int
    content: bytes
    elements: Counter[Any] | None

    @classmethod
    def of(cls, answer: Any) -> Plain:
        is_page = answer.headers.get("Content-Type", "").startswith("text/html")
        return cls(
            answer.status_code,
            without_tokens(answer.whole),
            elements(answer.whole) if is_page else None,
        )


def without_tokens(content: bytes) -> bytes:
    """A page without what differs each time it is made."""
    return re.sub(rb"[\w-]{64}", b"", content)


@pytest.fixture(scope="module")
def plain(world_to_show, django_db_blocker) -> list[Plain]:
    """One for each of CALLS."""
    world = world_to_show
    with django_db_blocker.unblock(), transaction.atomic():
        rename(world, PLAIN)
        found = [
            Plain.of(call(world, address(route, row, world), row, fragment))
            for route, row, fragment in CALLS
        ]
        transaction.set_rollback(True)
    return found


# Escaping knows no database. On PostgreSQL test_hostile_values.py opens every page, and
# searches and single pages below are asked for all names.
# Every page meets a name with all signs of HTML but one, and one of the others in turn.
@pytest.mark.parametrize(
    ("kind", "first", "step"),
    [
        pytest.param("code", 0, 1, id="code"),
        *(
            pytest.param(kind, turn, len(IN_TURN), id=kind)
            for turn, kind in enumerate(IN_TURN)
        ),
        *(
            pytest.param(kind, 0, 1, id=f"{kind}, all", marks=pytest.mark.nightly)
            for kind in IN_TURN
        ),
    ],
)
def test_every_route_takes_every_name(world, plain, kind, first, step):
    rename(world, HOSTILE[kind])
    wrong, pages = [], 0
    for (route, row, fragment), before in zip(CALLS, plain, strict=True):
        if fragment and kind not in OF_FRAGMENTS:
            continue
        pages += before.elements is not None
        if before.elements is not None and pages % step != first:
            continue
        found = call(world, address(route, row, world), row, fragment)
        try:
            reason = difference(found, before)
        except (AssertionError, ValueError) as error:
            reason = repr(error)
        if reason:
            wrong.append((row.method, route, fragment, reason))
    assert wrong == []


def difference(found: Any, plain: Plain) -> str | None:
    """Why this answer is not the one about a plain name; None if it is."""
    if found.status_code != plain.status:
        return f"{found.status_code} instead of {plain.status}"
    if not is_safe(found.headers) or "hit" in found.cookies:
        return f"a header that the name made: {found.headers}"
    content_type = found.headers.get("Content-Type", "")
    if content_type.startswith("text/html"):
        is_same = without_tokens(found.whole) == plain.content
        if not is_same and elements(found.whole) != plain.elements:
            return f"{elements(found.whole) - plain.elements}"
    elif content_type.startswith("application/json"):
        if type(json.loads(found.whole)) is not type(json.loads(plain.content)):
            return "JSON of another type"
    elif content_type.startswith("text/csv"):
        cells_are_text(found.whole)
    elif content_type.startswith("application/pdf"):
        if not found.whole.startswith(b"%PDF-") or b"/JavaScript" in found.whole:
            return "no plain PDF"
        if len(re.findall(rb"/Type /Page\b(?!s)", found.whole)) != 1:
            return "more than a page"
    return None


# Where the name has to be seen, or the test above proves nothing.
SEEN = [
    "/athletes/",
    "/athletes/{player}/",
    "/athletes/{player}/sheet/",
    "/athletes/sessions/{session}/",
    "/athletes/sessions/{session}/sheet/",
    "/athletes/swings/{movement}/",
    "/athletes/compare/?items=session-{session},athlete-{player}&q={query}",
    "/athletes/compare/saved/",
    "/privacy/athletes/{player}/",
    "/admin/athletes/player/",
    "/admin/athletes/player/{player}/change/",
]


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("path", SEEN)
def test_the_name_is_read_as_text(world, path):
    client = world.clients["superuser"]
    for kind, name in HOSTILE.items():
        rename(world, name)
        url = path.format(**vars(world), query=quote(name[:100]))
        answer = client.get(url)
        assert answer.status_code == 200
        text = squeezed("".join(skeleton(answer.content.decode()).text))
        # Sheets cut what is longer than their page.
        assert squeezed(name[:40]) in text, kind


@pytest.mark.both
def test_a_search_for_the_name_finds_it(world, name):
    rename(world, name)
    plain = world.clients["superuser"].get("/athletes/", {"q": PLAIN + "x"})
    answer = world.clients["superuser"].get("/athletes/", {"q": name[:100]})
    assert answer.status_code == plain.status_code == 200
    shown = skeleton(answer.content.decode())
    assert shown.parts.count("/script") == skeleton(plain.content.decode()).parts.count(
        "/script"
    )


@pytest.mark.both
def test_json_gives_the_name_back_unchanged(world, name):
    rename(world, name)
    client = world.clients["superuser"]
    for path in (f"/players/{world.player}", f"/sessions/{world.session}"):
        body = client.get(path).json()
        assert body.get("player", body)["last_name"] == name


@pytest.mark.parametrize("format_name", ["csv", "parquet"])
def test_frames_of_such_a_swing_can_be_fetched(world, name, format_name):
    rename(world, name)
    answer = world.clients["superuser"].get(
        f"/movements/{world.movement}/data",
        {"data_type": "inverse-kinematics", "format": format_name},
    )
    content = b"".join(answer.streaming_content)
    assert answer.status_code == 200
    assert is_safe(answer.headers)
    if format_name == "csv":
        cells_are_text(content)
    else:
        assert pq.read_table(io.BytesIO(content)).num_rows == 48


@pytest.mark.both
def test_the_archive_holds_the_name_as_text(world, name):
    rename(world, name)
    file = io.BytesIO()
    write_archive(Player.objects.get(pk=world.player), file)
    archive = zipfile.ZipFile(file)
    assert archive.testzip() is None
    for entry in archive.namelist():
        assert re.fullmatch(r"[A-Za-z0-9._/-]+", entry)
        assert ".." not in entry
        if entry.endswith(".csv"):
            cells_are_text(archive.read(entry))
    rows = json.loads(archive.read("records/players.json"))
    assert rows[0]["last_name"] == name


def test_the_sheet_can_be_printed_and_shared(world, name):
    rename(world, name)
    client = Client()
    page = client.get(f"/shared/{world.share_token}/")
    assert squeezed(name[:40]) in squeezed(
        "".join(skeleton(page.content.decode()).text)
    )
    for paper in ("a4", "letter"):
        answer = client.get(f"/shared/{world.share_token}/sheet.pdf?paper={paper}")
        assert answer.status_code == 200
        assert is_safe(answer.headers)
        assert len(re.findall(rb"/Type /Page\b(?!s)", answer.content)) == 1


def test_mail_stays_one_plain_letter(settings, name):
    settings.ALERT_EMAILS = ["staff@facility.invalid"]
    SyncLog.objects.all().delete()
    run = SyncLog.objects.create(
        trigger="schedule", status=RunStatus.FAILED, error_message=name
    )
    SyncLog.objects.filter(pk=run.pk).update(
        created_at=timezone.now() - timedelta(days=2)
    )
    user = factories.make_user(first_name=name[:150], last_name=name[:150])
    form = PasswordResetForm({"email": user.email})
    assert form.is_valid()
    form.save(domain_override="dashboard.example")
    assert alerts.mail_when_overdue(timezone.now())
    for message in mail.outbox:
        assert message.content_subtype == "plain"
        assert not getattr(message, "alternatives", None)
        built = message.message()
        assert "hit" not in "".join(f"{k}: {v}" for k, v in built.items())
        assert len(built.get_all("Subject")) == 1


def admin_urls() -> list[str]:
    """Each list of the administration, and the form of its first row."""
    urls = []
    for model in admin.site._registry:
        meta = model._meta
        if meta.app_label == "admin":
            continue
        name = f"admin:{meta.app_label}_{meta.model_name}"
        urls.append(reverse(f"{name}_changelist"))
        first = model._default_manager.order_by("pk").first()
        if first is not None:
            urls.append(reverse(f"{name}_change", args=[first.pk]))
    return urls


@pytest.fixture(scope="module")
def plain_admin(world_to_show, django_db_blocker) -> dict[str, Plain]:
    """What each address of the administration answers about plain names."""
    with django_db_blocker.unblock(), transaction.atomic():
        rename(world_to_show, PLAIN)
        found = {url: Plain.of(call(world_to_show, url, PAGE)) for url in admin_urls()}
        transaction.set_rollback(True)
    return found


PAGE = Row({})


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=() if kind == "code" else pytest.mark.nightly)
        for kind in HOSTILE
    ],
)
def test_the_admin_shows_every_name_as_text(world, plain_admin, kind):
    rename(world, HOSTILE[kind])
    wrong = []
    for url, before in plain_admin.items():
        if reason := difference(call(world, url, PAGE), before):
            wrong.append((url, reason))
    assert wrong == []
    assert len([one for one in plain_admin.values() if one.status == 200]) > 30
