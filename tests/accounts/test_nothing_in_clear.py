"""No password and no recovery code that anybody types is found in the database.

Several callers open every address of the site. Each form that they meet with a field
for a password, a code or another secret is sent twice, with wrong and with right
values that occur nowhere else. Then all tables are searched for these values.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from importlib import import_module
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from axes.models import AccessAttempt, AccessFailureLog
from django import forms
from django.apps import apps
from django.contrib.auth.tokens import default_token_generator
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django_otp.oath import totp

from accounts import second_factor
from accounts.forms import OwnPasswordForm
from accounts.models import Authenticator, User
from tests import factories
from tests.every_row import text_of_every_table
from tests.routes import PATTERNS, ROWS, World, address

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

SECRET_NAME = re.compile(r"passw|pwd|code|secret|token|otp|(^|_)(key|pin)($|_)", re.I)
SECRET_USE = {"one-time-code", "current-password", "new-password"}
OURS = ("accounts", "athletes", "syncing", "privacy", "sharing", "webhooks")


class FormsOfPage(HTMLParser):
    """The forms of a page: where each is sent, and its fields as they are filled."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str], set[str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((given.get("action", ""), {}, set()))
        if tag not in {"input", "textarea", "select"} or not self.forms:
            return
        _, fields, hidden = self.forms[-1]
        name, kind = given.get("name", ""), given.get("type", "text")
        if not name or name == "csrfmiddlewaretoken" or kind == "hidden":
            return
        if kind in {"checkbox", "radio"} and "checked" not in given:
            return
        fields[name] = given.get("value", "")
        autocomplete = given.get("autocomplete", "")
        if kind == "password" or autocomplete in SECRET_USE or SECRET_NAME.search(name):
            hidden.add(name)


def new_secret() -> str:
    return f"x{secrets.token_hex(12)}"


@dataclass
class Walker:
    """Somebody who opens every page, and every value that they typed."""

    user: User
    client: Client
    password: str
    codes: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def right(self, name: str) -> str:
        if "new" in name or re.search(r"password\d$", name):
            return self.fresh
        if "code" in name:
            # One that an app shows cannot be told from other numbers afterward.
            return self.codes.pop() if self.codes else self.shown_code()
        return self.password if "password" in name else new_secret()

    def shown_code(self) -> str:
        sealed = self.client.session.get("authenticator_key")
        return f"{totp(Authenticator.opened(sealed)):06d}" if sealed else "000000"

    def values(self, hidden: set[str], *, right: bool) -> dict[str, str]:
        self.fresh = new_secret()
        return {n: self.right(n) if right else new_secret() for n in sorted(hidden)}

    def learn(self) -> None:
        """Go on with the new password where one was set."""
        self.user.refresh_from_db()
        if self.user.check_password(self.fresh):
            self.password = self.fresh


def make_walker(kind: str) -> Walker:
    password = new_secret()
    make = factories.make_superuser if kind == "superuser" else factories.make_user
    user = make(password=password)
    walker = Walker(user, Client(raise_request_exception=False), password)
    if kind in {"with code", "waits for code"}:
        Authenticator.objects.create(user=user, sealed_key=Authenticator.sealed(b"k"))
        walker.codes = second_factor.new_codes(user)
    fields = {"username": user.username, "password": password}
    if kind in {"waits for code", "superuser"}:
        walker.client.post("/accounts/login/", fields)
    if kind == "with code":
        walker.client.force_login(user)
    return walker


def addresses(world: World, user: User) -> Iterator[str]:
    """Every address of the site, those of the administration with rows that exist."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    yield f"/accounts/reset/{uid}/{default_token_generator.make_token(user)}/"
    for route, rows in sorted(ROWS.items()):
        for row in rows:
            # Those that only take forms, and those without pages, show none.
            if "logout" not in route and row.method == "get" and "." not in route:
                yield address(route, row, world)
    for route in PATTERNS:
        parts = route.replace("\\", "").split("/")
        if parts[0] != "admin" or "logout" in route or "(?P" in route:
            continue
        if route.startswith("admin/r/"):
            continue  # leads on to an object's own page
        if "<" in route:
            model = apps.get_model(parts[1], parts[2])
            rows = model._default_manager.exclude(pk=user.pk).order_by("pk")
            pk = rows.values_list("pk", flat=True).first()
            if pk is None:
                continue
            parts = [str(pk) if "<" in part else part for part in parts]
        yield "/" + "/".join(parts)


def send_forms_of(walker: Walker, path: str) -> tuple[list[str], set[type]]:
    """Send the forms with secrets that a page has; what was typed, and the classes."""
    where, page = path, walker.client.get(path)
    while page.status_code in {301, 302}:
        # Most lead somebody who is not logged in to the login.
        where = urljoin(where, page["Location"])
        if urlsplit(where).path in walker.seen:
            return [], set()
        page = walker.client.get(where)
    if page.streaming or not page.get("Content-Type", "").startswith("text/html"):
        page.getvalue()  # to its end, which closes the file
        return [], set()
    if urlsplit(where).path in walker.seen:
        return [], set()
    walker.seen.add(urlsplit(where).path)
    typed: list[str] = []
    classes: set[type] = set()
    context = page.context or {}
    for action, fields, hidden in FormsOfPage(page.content.decode()).forms:
        if not hidden:
            continue
        if "form" in context:
            classes.add(type(context["form"]))
        if "adminform" in context:
            classes.add(type(context["adminform"].form))
        for right in (False, True):
            values = walker.values(hidden, right=right)
            name = {"username": walker.user.username} if "username" in fields else {}
            walker.client.post(action or where, {**fields, **name, **values})
            typed += values.values()
            walker.learn()
            if name:  # the password in the field of the name
                mistaken = {**fields, "username": walker.password, **values}
                walker.client.post(action or where, mistaken)
    return typed, classes


def text_of_the_database() -> dict[str, str]:
    """Everything that every table holds, as text; sessions are unpacked."""
    dump = text_of_every_table()
    dump["django_session"] += "\n".join(
        str(session.get_decoded()) for session in Session.objects.all()
    )
    return dump


def forms_with_secrets() -> set[type]:
    """The classes of our own forms that ask for a secret."""
    for app in OURS:
        import_module(f"{app}.admin")
    found, waiting = set(), [forms.BaseForm]
    while waiting:
        known = waiting.pop()
        waiting += known.__subclasses__()
        fields = getattr(known, "base_fields", {})
        if known.__module__.split(".")[0] in OURS and any(
            isinstance(f.widget, forms.PasswordInput)
            or f.widget.attrs.get("autocomplete") in SECRET_USE
            for f in fields.values()
        ):
            found.add(known)
    return {c for c in found if not c.__name__.startswith("_")}


def test_no_table_and_no_log_holds_what_was_typed(caplog, settings) -> None:
    caplog.set_level(logging.INFO)
    memory = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES = {**settings.STORAGES, "default": memory}
    world = World()
    typed: list[str] = []
    met: set[type] = set()
    for kind in ("stranger", "waits for code", "with code", "superuser"):
        walker = make_walker(kind)
        typed += [walker.password, *walker.codes]
        for path in addresses(world, walker.user):
            values, classes = send_forms_of(walker, path)
            typed += values
            met |= classes
    assert forms_with_secrets() - met == set()
    names = {found.__name__ for found in met}
    assert {"SetPasswordForm", "AdminPasswordChangeForm"} <= names, names
    # Whoever asks for an old password counts wrong ones, and locks.
    asks_for_it = {c for c in met if "old_password" in getattr(c, "base_fields", {})}
    assert asks_for_it == {OwnPasswordForm}
    wanted = {v for v in typed if len(v) > 6}
    wanted |= {v.replace("-", "") for v in wanted}
    assert len(wanted) > 40
    assert AccessAttempt.objects.exists()
    dump = text_of_the_database() | {"the log": caplog.text}
    # The search finds what there is.
    assert world.users["staff"].username in dump["accounts_user"]
    found = [(table, v) for table, text in dump.items() for v in wanted if v in text]
    assert found == []
    kept = AccessAttempt.objects.values_list("get_data", "post_data")
    assert set(kept) == {("", "")}


@pytest.mark.parametrize("model", [AccessAttempt, AccessFailureLog])
def test_what_was_kept_before_is_emptied(model) -> None:
    coach = factories.make_user()
    fields: dict[str, Any] = {"user_agent": "a", "http_accept": "b", "path_info": "/"}
    if model is AccessAttempt:
        typed = {"get_data": "code=x", "post_data": "old_password=x"}
        fields |= {"failures_since_start": 3, **typed}
    for name in (coach.username, "a-password-9", None):
        row = model.objects.create(username=name, **fields)
        if model is AccessAttempt:
            model.objects.filter(pk=row.pk).update(**typed)
    migration = import_module("accounts.migrations.0008_nothing_typed_is_kept")
    migration.forget_what_was_typed(apps, None)
    names = set(model.objects.values_list("username", flat=True))
    assert len(names) == 3
    assert {coach.username, None} < names
    assert "a-password-9" not in names
    if model is AccessAttempt:
        assert set(model.objects.values_list("get_data", "post_data")) == {("", "")}
