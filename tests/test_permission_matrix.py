"""Who may open what: every route of the site times every kind of caller."""

from __future__ import annotations

import hashlib
from html import unescape
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.urls import get_resolver, reverse

from reboot_site.api import api
from reboot_site.middleware import is_api_path
from tests.every_row import every_row
from tests.routes import (
    ADMIN,
    ADMIN_OPEN,
    CALLERS,
    OURS,
    PATTERNS,
    ROWS,
    SINGLE_SIGN_ON_ROWS,
    Row,
    World,
    address,
    admin_address,
    make_a_row_of_each_list,
    outcome,
    routes,
    standing_world,
    undone,
    world,
)

__all__ = ["standing_world", "world"]

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


def test_every_route_has_a_row() -> None:
    assert OURS - ROWS.keys() == set(), "add rows to ROWS that say who may enter"


def test_every_row_has_a_route() -> None:
    assert ROWS.keys() - OURS == set(), "these routes are gone"


# Many requests. Rules are Python and plain filters; on the second
# database every route is asked by test_hostile_names.py.
@pytest.mark.parametrize(
    ("route", "row"),
    [
        pytest.param(route, row, id=f"{row.method} {route[:60]} {place}")
        for route, rows in ROWS.items()
        for place, row in enumerate(rows)
    ],
)
def test_callers_get_in_where_they_may(route: str, row: Row, world: World) -> None:
    found = {}
    for caller in CALLERS:
        client = world.clients[caller]
        with undone(client):
            response = getattr(client, row.method)(
                address(route, row, world), dict(row.data), headers=dict(row.headers)
            )
            found[caller] = outcome(response)
    assert found == row.expected


def test_what_is_kept_of_pages_lets_nobody_in(world: World) -> None:
    """Parts of pages stay in memory: who sees all has looked at each page before."""
    pages = {
        route: row
        for route, rows in ROWS.items()
        for row in rows
        if row.method == "get" and route.startswith("athletes/")
    }
    assert len(pages) > 10
    for route, row in pages.items():
        found = {}
        for caller in ("superuser", *CALLERS):
            client = world.clients[caller]
            with undone(client):
                response = client.get(
                    address(route, row, world),
                    dict(row.data),
                    headers=dict(row.headers),
                )
                found[caller] = outcome(response)
        assert found == row.expected, route


def test_single_sign_on_lets_nobody_in_by_itself(world: World, settings) -> None:
    """Its routes are open to all, and open nothing without the provider's word."""
    settings.ROOT_URLCONF = "tests.with_single_sign_on"
    settings.OIDC_ISSUER = "http://127.0.0.1:9"
    with_it = dict(routes(get_resolver().url_patterns))
    assert with_it.keys() - PATTERNS.keys() == SINGLE_SIGN_ON_ROWS.keys()
    for route, rows in SINGLE_SIGN_ON_ROWS.items():
        for row in rows:
            found = {}
            for caller in CALLERS:
                client = world.clients[caller]
                with undone(client):
                    found[caller] = outcome(client.get(address(route, row, world)))
                    assert client.post(f"/{route}").status_code == 405
                    home = client.get("/").status_code
                assert home == (200 if caller in world.users else 302)
            assert found == row.expected


# --- Admin --------------------------------------------------------------------

STAFF_CALLERS = ("staff", "superuser")
LISTS = {model._meta.label_lower: model for model in admin.site._registry}
# Rows that are made, and rows that are deleted, under /admin/; all others come from
# the sync and from pages, and go with what they belong to.
ADDED = {
    *("accounts.apitoken", "accounts.team", "accounts.user"),
    *("athletes.level", "athletes.tag", "webhooks.webhook"),
}
DELETED = {
    *("accounts.team", "athletes.athletelevel", "athletes.level"),
    *("axes.accessattempt", "webhooks.webhook"),
}
BY_SUPERUSERS_ALONE = {
    "add": {"django_q.schedule"},
    "delete": {
        *("accounts.user", "athletes.note", "athletes.tag"),
        *("django_q.failure", "django_q.ormq", "django_q.schedule", "django_q.success"),
    },
}


OUTSIDE = [who for who in CALLERS if who not in STAFF_CALLERS]


@pytest.mark.parametrize(
    "step",
    [
        # Every route with some of them, and everybody at some routes.
        pytest.param(3, id="some"),
        pytest.param(1, id="all", marks=pytest.mark.nightly),
    ],
)
@pytest.mark.parametrize("caller", OUTSIDE)
def test_the_admin_is_closed_to_all_but_staff(
    caller: str, step: int, world: World
) -> None:
    client = world.clients[caller]
    wrong = []
    for route in ADMIN[OUTSIDE.index(caller) % step :: step]:
        with undone(client):
            found = outcome(client.get(admin_address(route)))
        if found != "login":
            wrong.append((admin_address(route), found))
    assert wrong == []


@pytest.mark.parametrize("caller", STAFF_CALLERS)
def test_the_admin_is_open_to_staff(caller: str, world: World) -> None:
    """Each route lets in, but for what a role may not do; nothing breaks."""
    make_a_row_of_each_list()
    client = world.clients[caller]
    more = BY_SUPERUSERS_ALONE if caller == "superuser" else {}
    may = {
        "add": ADDED | more.get("add", set()),
        "delete": DELETED | more.get("delete", set()),
    }
    wrong = []
    for route in ADMIN:
        if route in ADMIN_OTHERS:
            continue
        expected = "in"
        parts = route.strip("/").split("/")
        if parts[-1] in may and f"{parts[1]}.{parts[2]}" not in may[parts[-1]]:
            expected = "403"
        with undone(client):
            found = outcome(client.get(admin_address(route)))
        if found != expected:
            wrong.append((route, found))
    assert wrong == []
    for route, expected in ADMIN_OTHERS.items():
        assert outcome(client.get(admin_address(route))) == expected, route


# Without its parameters, of no such object, whatever there is not, and a button.
ADMIN_OTHERS = {
    "admin/autocomplete/": "403",
    "admin/r/<path:content_type_id>/<path:object_id>/": "404",
    "admin/(?P<url>.*)$": "404",
    "admin/webhooks/webhook/<path:object_id>/test/": "405",
}


@pytest.mark.parametrize("caller", STAFF_CALLERS)
def test_staff_see_the_rows_of_every_list(caller: str, world: World) -> None:
    make_a_row_of_each_list()
    client = world.clients[caller]
    seen = set()
    for label, model in LISTS.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        page = client.get(reverse(f"{name}_changelist"))
        assert page.status_code == 200, label
        changes = page.context["cl"]
        assert changes.result_count == changes.root_queryset.count(), label
        row = next(iter(changes.result_list), None)
        if row is None:
            continue
        assert f"/{row.pk}/change/" in page.content.decode(), label
        page = client.get(reverse(f"{name}_change", args=[row.pk]))
        assert page.status_code == 200, label
        assert page.context["original"] == row
        assert str(row) in unescape(page.content.decode()), label
        seen.add(label)
    assert len(seen) > 15


# --- Changes under a form -----------------------------------------------------

METHODS = ("post", "put", "patch", "delete")
#: Methods that the JSON paths know.
TAKEN = api.get_openapi_schema()["paths"]


def state_of_the_database() -> dict[str, str]:
    """All that each table holds, as a checksum."""
    found = {}
    for table, rows in every_row():
        text = "\n".join(sorted(map(repr, rows)))
        found[table] = hashlib.sha256(text.encode()).hexdigest()
    return found


@pytest.mark.parametrize("method", METHODS)
def test_no_route_changes_anything_without_a_csrf_token(
    method: str, world: World
) -> None:
    """Other sites can make a browser send a form, with its session.

    The records are there, so a call that is let through would not end with "404".
    Each address gets a POST: one without the check that knows other methods alone
    answers 405 then. And each gets one of the others, which the check itself must know.
    """
    make_a_row_of_each_list()
    client = world.client("superuser", enforce_csrf_checks=True)
    calls = [
        (address(route, row, world), dict(row.data))
        for route, rows in ROWS.items()
        for row in rows
    ]
    calls += [(admin_address(route), {}) for route in [*ADMIN, *ADMIN_OPEN]]
    if method != "post":
        others = METHODS[1:]
        calls = calls[others.index(method) :: len(others)]
    before = state_of_the_database()
    let_through = []
    for path, data in calls:
        sent = data if method == "post" else urlencode(data)
        status = getattr(client, method)(path, sent).status_code
        # JSON paths may know their methods before they ask who calls.
        is_unknown = is_api_path(path) and method not in TAKEN.get(path, ())
        if status != 403 and not (is_unknown and status in {404, 405}):
            let_through.append((path, status))
    assert let_through == []
    changed = {k for k, v in state_of_the_database().items() if before[k] != v}
    assert changed == set()


def test_every_form_is_taken_with_its_csrf_token(world: World) -> None:
    """Else the test above would pass with a site that takes no form at all."""
    client = world.client("superuser", enforce_csrf_checks=True)
    token = "t" * 32
    client.cookies["csrftoken"] = token
    refused, sent = [], 0
    for route, rows in ROWS.items():
        for row in rows:
            if row.method != "post" or row.expected["superuser"] != "in":
                continue
            path = address(route, row, world)
            with undone(client):
                answer = client.post(path, dict(row.data), HTTP_X_CSRFTOKEN=token)
            sent += 1
            if outcome(answer) != "in":
                refused.append((path, answer.status_code))
    for model in LISTS.values():
        path = reverse(
            f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
        )
        with undone(client):
            answer = client.post(path, {}, HTTP_X_CSRFTOKEN=token)
        if outcome(answer) != "in":
            refused.append((path, answer.status_code))
    assert refused == []
    assert sent > 30
