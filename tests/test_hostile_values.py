"""Values that no browser sends, in every parameter of every route: never a crash.

Routes come from the URLconf, parameters from forms, the pages' source, the OpenAPI
document and the lists of the administration, so a new one is covered from its first
day. Each request is undone.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cache
from inspect import getsource, unwrap
from types import FunctionType, ModuleType
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from django import forms
from django.contrib import admin
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test import Client
from django.urls import reverse

from athletes.models import Session
from reboot_site.api import api
from tests.factories import make_session_metric
from tests.routes import (
    PATTERNS,
    ROWS,
    World,
    address,
    make_a_row_of_each_list,
    standing_world,
    undone,
    world,
)

__all__ = ["standing_world", "world"]

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

HUGE = b"9" * 30
# As they stand in an address or a form, before they are read.
VALUES = [
    b"a\x00b",
    HUGE,
    b"-" + HUGE,
    b"9" * 5000,  # Python refuses to read it as a number
    b"9223372036854775808",
    b"99999",  # no year that a database knows
    b"99999-01-01",
    b"9999-12-31T23:59:59+14:00",
    b"\xed\xa0\x80\xff",  # a lone surrogate, and what is no UTF-8 either
    b"a" * 10_000,
    b"inf",
    b"nan",
    b"",
    " \u0663\u00b2\u202e".encode(),  # digits, for some who read them
    b'{"a": [1]}',
    b"session-" + HUGE + b",swing-" + HUGE + b",athlete-",
]
#: What databases store and compare in ways of their own. The others are refused, or
#: read, before any database hears of them: once is enough.
STORED = [*VALUES[1:3], *VALUES[4:10]]
#: In a part of an address.
IN_PATH = (HUGE, b"9" * 5000, b"a\x00", b"\xff", b"%")
#: How many of the values a name meets at a route: of each so many the next. In one
#: walk each name meets others at the next route, at night all at every route.
STRIDES = [
    pytest.param(6, id="some"),
    pytest.param(1, id="all", marks=pytest.mark.nightly),
]
READ = re.compile(r"""(?:GET|POST)(?:\.get(?:list)?\(|\[)\s*["'](\w+)["']""")


# Many routes share a module, and many modules share helpers; to find the source of
# one takes as long as several requests.
@cache
def read_in(thing: Any) -> frozenset[str]:
    """Parameters that a module or a function reads."""
    return frozenset(READ.findall(getsource(thing)))


@cache
def names_read_by(module: ModuleType) -> frozenset[str]:
    """Parameters that the module of a view reads, itself or by forms and helpers."""
    found = set(read_in(module))
    for each in vars(module).values():
        if isinstance(each, type) and issubclass(each, forms.BaseForm):
            found |= set(getattr(each, "base_fields", ()))
        elif isinstance(each, FunctionType):
            found |= read_in(unwrap(each))
    return frozenset(found)


OPERATIONS = {
    path.strip("/").replace("{id}", "<id>"): {
        parameter["name"]
        for operation in operations.values()
        for parameter in operation.get("parameters", ())
        if parameter["in"] != "path"  # `hostile_paths`
    }
    for path, operations in api.get_openapi_schema()["paths"].items()
}


def names_of(route: str) -> set[str]:
    view = unwrap(PATTERNS[route].callback)
    names = set(names_read_by(sys.modules[view.__module__]))
    names |= OPERATIONS.get(route, set())
    return names | {name for row in ROWS[route] for name in row.data}


EVERY_NAME = sorted({name for route in ROWS for name in names_of(route)} | {"next"})


def encoded(pairs: Iterator[tuple[str, bytes]] | list[tuple[str, bytes]]) -> str:
    return "&".join(f"{name}={quote_from_bytes(value)}" for name, value in pairs)


class Caller:
    """Calls a route, undoes it, and notes what crashed."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.crashed: list[str] = []
        self.sent = 0

    def call(self, method: str, path: str, query: str = "", **more: Any) -> Any:
        self.sent += 1
        asked = {"QUERY_STRING": query}
        if method == "post":
            asked = {
                "data": query,
                "content_type": "application/x-www-form-urlencoded",
            }
        with undone(self.client):
            answer = getattr(self.client, method)(path, **asked, **more)
            if answer.status_code >= 500 and not path.startswith("/health"):
                error = getattr(answer, "exc_info", None) or (None, "")
                self.crashed.append(
                    f"{method} {path[:90]} {query[:90]} "
                    f"{type(error[1]).__name__}: {str(error[1])[:160]}"
                )
        return answer


@pytest.fixture
def callers(world: World) -> Any:
    made = {}

    def caller(name: str) -> Caller:
        if name not in made:
            made[name] = Caller(world.clients[name])
        return made[name]

    yield caller
    crashed = [line for one in made.values() for line in one.crashed]
    assert crashed == [], f"{len(crashed)} requests crashed"


def hostile_paths(
    path: str, route: str, stride: int = 1, first: int = 0
) -> Iterator[str]:
    """The address with each of its parts replaced."""
    for place, part in enumerate(route.split("/")):
        if part.startswith("<"):
            for value in IN_PATH[(first + place) % min(stride, 2) :: min(stride, 2)]:
                parts = path.strip("/").split("/")
                parts[place] = quote_from_bytes(value)
                yield "/" + "/".join(parts) + ("/" if path[-1] == "/" else "")


def wider(stride: int) -> int:
    """On PostgreSQL a walk in turn takes half as many: SQLite has met the others."""
    return stride if stride == 1 or connection.vendor == "sqlite" else 2 * stride


def rounds(
    names: list[str], stride: int = 1, first: int = 0
) -> Iterator[list[tuple[str, bytes]]]:
    """Every name with every value, all names at once and each with another value.

    With a larger `stride` fewer of the values come, of each name others; `first` says
    with which it begins.
    """
    values = VALUES if connection.vendor == "sqlite" else STORED
    for turn in range(first % stride, len(values), stride):
        yield [
            (name, values[(turn + place) % len(values)])
            for place, name in enumerate(names)
        ]


@pytest.mark.both
@pytest.mark.parametrize("stride", STRIDES)
def test_no_value_of_any_parameter_crashes_a_route(
    stride: int, world: World, callers: Any
) -> None:
    caller = callers("superuser")
    turn, stride = 0, wider(stride)
    session = Session.objects.get(pk=world.session)
    for metric in ("peak_pelvis_omega", "peak_hand_speed"):
        make_session_metric(session=session, metric=metric)
    # Every name, every second, or every fourth of a form comes alone.
    alone = (stride + 1) // 2
    for number, (route, rows) in enumerate(ROWS.items()):
        names = sorted(names_of(route))
        if route.endswith(".pdf"):
            names = []  # the page beside it reads the same, and is quick
        for place, row in enumerate(rows):
            more = {"headers": dict(row.headers)}
            path = address(route, row, world)
            # Other rows of a route are other records: of one, all is asked.
            if row.method not in {before.method for before in rows[:place]}:
                for each in hostile_paths(path, route, stride, number):
                    caller.call(row.method, each, **more)
                for pairs in rounds(names, stride, number) if names else ():
                    caller.call(row.method, path, encoded(pairs), **more)
            # And one alone among usual ones, so that no other is refused before it.
            usual = {name: str(value).encode() for name, value in row.data.items()}
            # As it is meant: no value keeps a part of the page from being asked for.
            caller.call(row.method, path, encoded(list(usual.items())), **more)
            for name in names if usual else ():
                turn += 1
                if turn % alone:
                    continue
                value = VALUES[turn // alone % len(VALUES)]
                pairs = list({**usual, name: value}.items())
                caller.call(row.method, path, encoded(pairs), **more)
            if place and stride > 1:
                continue
            # A name several times, and as other frameworks write arrays.
            arrays = [(f"{n}{e}", HUGE) for n in EVERY_NAME for e in ("", "", "[]")]
            caller.call(row.method, path, encoded(arrays), **more)
    assert caller.sent > 500


@pytest.mark.parametrize("stride", STRIDES)
@pytest.mark.parametrize("who", ["anonymous", "coach inside", "token sync"])
def test_no_value_crashes_a_route_for_others(
    who: str, stride: int, world: World, callers: Any
) -> None:
    """They meet other refusals on the way; once with each of some values."""
    caller = callers(who)
    for number, (route, rows) in enumerate(ROWS.items()):
        path = address(route, rows[0], world)
        values = (VALUES[0], HUGE, VALUES[8])
        for value in values if stride == 1 else [values[number % 3]]:
            pairs = [(name, value) for name in EVERY_NAME]
            caller.call(rows[0].method, path, encoded(pairs))


HEADERS = (
    *("HTTP_AUTHORIZATION", "HTTP_ACCEPT", "HTTP_IF_NONE_MATCH", "HTTP_USER_AGENT"),
    *("HTTP_HX_CURRENT_URL", "HTTP_REFERER", "HTTP_X_FORWARDED_FOR", "HTTP_RANGE"),
)


@pytest.mark.parametrize("value", [b"\x00", b"\xff", HUGE, b"a" * 3000])
def test_no_cookie_and_no_header_crashes_a_page(value: bytes, world: World) -> None:
    text = value.decode("latin-1")
    for path in ("/", "/accounts/login/", "/players", "/admin/"):
        client = Client(raise_request_exception=False)
        quoted = '"' + text.replace("\x00", "\\000") + '"'
        cookies = f"sessionid={quoted}; csrftoken={quoted}; messages={quoted}"
        assert client.get(path, HTTP_COOKIE=cookies).status_code < 500
        plain = text.replace("\x00", "")
        headers = dict.fromkeys(HEADERS, plain)
        assert client.get(path, HTTP_HX_REQUEST="true", **headers).status_code < 500
        bearer = {"HTTP_AUTHORIZATION": f"Bearer {plain}"}
        assert client.get(path, **bearer).status_code < 500


@pytest.mark.parametrize("place", ["query", "form", "parts", "cookie"])
def test_a_nul_is_refused_before_any_view(place: str, world: World) -> None:
    client = world.client("superuser")
    path = "/syncing/retry/"
    if place == "query":
        answer = client.get("/athletes/compare/", QUERY_STRING="q=%00")
    elif place == "form":
        kind = "application/x-www-form-urlencoded"
        answer = client.post(path, "code=%00", content_type=kind)
    elif place == "parts":
        answer = client.post(path, {"code": "a\x00"})
    else:
        answer = client.get("/", HTTP_COOKIE='sessionid="a\\000"')
    assert answer.status_code == 400
    assert "Bad request" in answer.content.decode()
    assert client.get(f"/shared/{world.share_token}%00/").status_code == 404
    # Not what only looks like one.
    assert client.get("/athletes/compare/", {"q": "%00"}).status_code == 200


def test_programs_are_told_what_is_wrong_with_a_nul(world: World) -> None:
    answer = world.client("token read").get("/players", QUERY_STRING="search=%00")
    assert answer.status_code == 400
    assert answer.json()["detail"] == "A NUL character (%00) is not allowed."


# --- The administration ---------------------------------------------------------------

LISTS = list(admin.site._registry.items())
COMPARED = ("__year", "__in", "", "__gte", "__isnull", "__day")


def admin_path(model: Any, view: str = "changelist", *args: object) -> str:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{view}"
    return reverse(name, args=args)


@pytest.mark.both
@pytest.mark.parametrize("stride", STRIDES)
def test_no_list_of_the_administration_crashes(
    stride: int, world: World, callers: Any
) -> None:
    make_a_row_of_each_list()
    caller = callers("superuser")
    turn = 0
    for number, (model, shown) in enumerate(LISTS):
        path = admin_path(model)
        for column in sorted(shown.shown_paths):
            for _ in range(2 if stride == 1 else 1):
                turn += 1
                value = VALUES[turn % len(VALUES)]
                compared = COMPARED[turn // 3 % len(COMPARED)]
                pairs = [("__".join(column) + compared, value)]
                caller.call("get", path, encoded(pairs))
        own = ["q", "o", "p", "all", "e", "_popup", "_facets", "_changelist_filters"]
        for one in shown.list_filter:
            own += [one.parameter_name] if hasattr(one, "parameter_name") else []
        for pairs in rounds(own, 2 * stride, number):
            caller.call("get", path, encoded(pairs))
        for place, value in enumerate(IN_PATH):
            if (place + number) % stride:
                continue
            view = ("change", "delete", "history")[(place + number) % 3]
            hostile = quote_from_bytes(value)
            here = admin_path(model, view, "0").replace("/0/", f"/{hostile}/")
            caller.call("get", here)
        for action in shown.get_actions(_request(caller, world, "superuser")):
            for value in (HUGE, b"\xff"):
                pairs = [("action", action.encode()), ("_selected_action", value)]
                caller.call("post", path, encoded([*pairs, ("index", HUGE)]))
    choosing = ["app_label", "model_name", "field_name", "term", "page"]
    for pairs in rounds(choosing):
        caller.call("get", "/admin/autocomplete/", encoded(pairs))
        there = list(zip(choosing, (b"accounts", b"team", b"players"), strict=False))
        caller.call("get", "/admin/autocomplete/", encoded([*there, *pairs[3:]]))
    assert caller.sent > 300


def _request(caller: Caller, world: World, who: str) -> Any:
    request = caller.client.request().wsgi_request
    request.user = world.users[who]
    return request


@pytest.mark.both
@pytest.mark.parametrize("stride", STRIDES)
def test_no_form_of_the_administration_crashes(
    stride: int, world: World, callers: Any
) -> None:
    make_a_row_of_each_list()
    caller = callers("superuser")
    forms_seen, stride = 0, wider(stride)
    for model, _ in LISTS:
        row = model._default_manager.first()
        paths = [admin_path(model, "add")]
        paths += [admin_path(model, "change", row.pk)] if row else []
        for path in paths:
            page = caller.call("get", path)
            if page.status_code != 200:
                continue
            names, usual = [], []
            every = [page.context["adminform"].form]
            for inline in page.context["inline_admin_formsets"]:
                every += [inline.formset.management_form, *inline.formset.forms]
            for form in every:
                for bound in form:
                    # A part of a day or of a choice has a name of its own.
                    subs = len(getattr(bound.field.widget, "widgets", ()))
                    parts = [f"_{n}" for n in range(subs)] or [""]
                    names += [f"{bound.html_name}{part}" for part in parts]
                    if not subs and isinstance(bound.value(), (str, int)):
                        usual.append((bound.html_name, str(bound.value()).encode()))
            forms_seen += 1
            for pairs in rounds(names, stride, forms_seen):
                caller.call("post", path, encoded(pairs))
            for place, name in enumerate(names):
                if (place + forms_seen) % ((stride + 1) // 2):
                    continue
                value = VALUES[(place + forms_seen) % len(VALUES)]
                pairs = list({**dict(usual), name: value}.items())
                caller.call("post", path, encoded(pairs))
    assert forms_seen > 5


class GoneClient:
    """A client's connection that breaks off after a part of the form."""

    def __init__(self) -> None:
        self.parts = iter(
            [b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nabc']
        )

    def read(self, size: int = -1) -> bytes:
        """Give the part, and fail from then on."""
        part = next(self.parts, None)
        if part is None:
            raise ConnectionResetError("gone")
        return part

    readline = read


def test_a_client_that_has_gone_is_no_crash(rf, caplog):
    asked = rf.generic("POST", "/accounts/login/", b"x" * 1000)
    sent = {"wsgi.input": GoneClient(), "HTTP_HOST": "localhost"}
    sent["CONTENT_TYPE"] = "multipart/form-data; boundary=x"
    answers: list[str] = []
    WSGIHandler()(asked.environ | sent, lambda status, headers: answers.append(status))
    assert answers == ["400 Bad Request"]
    assert not [line for line in caplog.records if line.levelname == "ERROR"]
