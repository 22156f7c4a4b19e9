"""What the administration's lists show is what they may be filtered by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib import admin
from django.db.models import Field
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

ADMINS = list(admin.site._registry.items())
COMPARED = ["", "__startswith", "__regex", "__isnull"]
#: By label, columns of which no letter may be learned, from whichever list.
SECRET = {
    "accounts.User": {"password", "session_generation"},
    "accounts.Authenticator": {"sealed_key", "drift", "last_step"},
    "accounts.RecoveryCode": {"digest"},
    "accounts.ApiToken": {"digest"},
    "axes.AccessAttempt": {"post_data", "get_data"},
    "axes.AccessLog": {"session_hash"},
    "sessions.Session": {"session_key", "session_data"},
    "sharing.ShareLink": {"digest"},
    "privacy.Archive": {"file_name"},
    "webhooks.Webhook": {"secret_seed", "secret_key_id"},
    "athletes.Tombstone": {"org_player_hash", "reboot_player_hash"},
    "django_q.OrmQ": {"payload"},
    "django_q.Success": {"args", "kwargs", "result", "hook"},
    "django_q.Failure": {"args", "kwargs", "result", "hook"},
    "django_q.Schedule": {"args", "kwargs", "hook"},
}


def columns(model: Any, depth: int) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """Every column that a path of at most `depth` relations leads to, both ways."""
    for field in model._meta.get_fields(include_hidden=True):
        if not field.name.endswith("+"):
            yield (field.name,), model, field
            if depth and getattr(field, "path_infos", None):
                far = field.path_infos[-1].to_opts.model
                for path, owner, end in columns(far, depth - 1):
                    yield (field.name, *path), owner, end


def declared(shown: Any) -> set[tuple[str, ...]]:
    """What a list says that it shows, searches, filters by and is linked to by."""
    names = {name for name in shown.list_display if isinstance(name, str)}
    names |= {name.lstrip("^=@") for name in shown.search_fields}
    for one in shown.list_filter:
        if not isinstance(one, type):
            names.add(one if isinstance(one, str) else one[0])
    names |= {shown.date_hierarchy or "id", *getattr(shown, "link_paths", ()), "id"}
    paths = {tuple(name.split("__")) for name in names}
    # A record and its key are one: `player__id` is `player`.
    return paths | {(*path, "id") for path in paths} | {path[:-1] for path in paths}


@pytest.mark.parametrize(
    ("model", "shown"), ADMINS, ids=[model._meta.label for model, _ in ADMINS]
)
def test_no_list_is_filtered_by_a_column_that_it_does_not_show(
    model: Any, shown: Any
) -> None:
    names = declared(shown)
    let_through = [
        "__".join(path) + compared
        for path, _, field in columns(model, 2)
        if path not in names
        and not ({path[:-1], path} & names and getattr(field, "primary_key", False))
        for compared in COMPARED
        if shown.lookup_allowed("__".join(path) + compared, "a", None)
    ]
    assert let_through == []


@pytest.mark.parametrize(
    ("model", "shown"), ADMINS, ids=[model._meta.label for model, _ in ADMINS]
)
def test_no_list_shows_sorts_searches_or_filters_by_a_secret(
    model: Any, shown: Any
) -> None:
    """What a list declares is open; so nothing secret is declared."""
    names = declared(shown)
    for name in shown.list_display:
        method = getattr(shown, name, None) or getattr(model, name, None)
        order = getattr(method, "admin_order_field", None)
        names |= {tuple(str(order).lstrip("-").split("__"))} if order else set()
    names |= {tuple(str(name).lstrip("-").split("__")) for name in shown.ordering or ()}
    ends = {path: (owner, field) for path, owner, field in columns(model, 2)}
    told = {
        "__".join(path)
        for path in names & ends.keys()
        if ends[path][1].name in SECRET.get(ends[path][0]._meta.label, set())
    }
    assert told == set()


def test_the_secrets_are_columns() -> None:
    """A column that is renamed must not fall out of the tests above."""
    from django.apps import apps

    for label, names in SECRET.items():
        found = {field.name for field in apps.get_model(label)._meta.concrete_fields}
        assert names <= found, label


def address(model: Any, view: str = "changelist", *args: object) -> str:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{view}"
    return reverse(name, args=args)


@pytest.fixture(params=["staff", "superuser"])
def client(request) -> Client:
    made = getattr(factories, f"make_{request.param}")()
    client = Client(raise_request_exception=False)
    client.force_login(made, "django.contrib.auth.backends.ModelBackend")
    return client


def test_asking_for_a_hidden_column_is_refused(client: Client) -> None:
    AccessAttempt.objects.create(
        username="robin", post_data="new_password1=Hunter22", failures_since_start=1
    )
    answered = []
    for model, _ in ADMINS:
        for path, owner, field in columns(model, 1):
            if field.name not in SECRET.get(owner._meta.label, set()):
                continue
            for compared in ("__regex", "__startswith", "__isnull"):
                query = {"__".join(path) + compared: "H"}
                answer = client.get(address(model), query)
                if answer.status_code not in {400, 403}:
                    answered.append((model._meta.label, query, answer.status_code))
    assert answered == []


@pytest.mark.parametrize(
    "query",
    [
        {"password__startswith": "md5"},
        {"authenticator__sealed_key__isnull": "0"},
        {"recoverycode__digest__startswith": "a"},
        {"teams__members__password__startswith": "md5"},
        {"logentry__object_repr__contains": "a"},
        {"username__regex": "^a"},
        # An annotation of the list's query is no column that it shows.
        {"with_code": "1"},
        {"_connector": "OR"},
        {"_to_field": "password"},
        {"_to_field": "username"},
        {"_to_field": "password", "_popup": "1"},
    ],
)
def test_users_are_not_found_by_what_is_hidden(query: Any, client: Client) -> None:
    assert client.get(address(User), query).status_code == 400


def test_a_record_is_opened_by_its_key_alone(client: Client) -> None:
    """Otherwise an address tells whether there is one with such a column."""
    coach = factories.make_user()
    for column in ("username", "password", "email"):
        path = address(User, "change", getattr(coach, column) or "a@b.invalid")
        assert client.get(path, {"_to_field": column}).status_code == 400
    path = address(User, "change", coach.pk)
    assert client.get(path, {"_to_field": "id"}).status_code == 200


@pytest.mark.both
def test_choices_are_searched_by_what_their_list_searches(client: Client) -> None:
    coach = factories.make_user(username="robin")
    asked = {"app_label": "accounts", "model_name": "team", "field_name": "members"}
    found = client.get("/admin/autocomplete/", {**asked, "term": "robin"}).json()
    assert [one["id"] for one in found["results"]] == [str(coach.pk)]
    hidden = client.get("/admin/autocomplete/", {**asked, "term": coach.password})
    assert hidden.json()["results"] == []


@pytest.mark.both
def test_what_a_list_shows_still_filters(client: Client) -> None:
    session = factories.make_session()
    other = factories.make_session()
    day = session.session_date
    asked = [
        ("player__id__exact", session.player_id, True),
        ("session_date__year", day.year, True),
        ("session_id__startswith", session.session_id, True),
        ("data_state__exact", "none-such", False),
        ("movement_type_name", "none-such", False),
        ("missing_since__isempty", "1", True),
    ]
    for name, value, is_there in asked:
        answer = client.get(address(type(session)), {name: value})
        assert answer.status_code == 200, name
        listed = set(answer.context["cl"].result_list)
        assert (session in listed) is is_there, name
        if name in {"player__id__exact", "session_id__startswith"}:
            assert other not in listed


@pytest.mark.mainly("sqlite")
def test_each_filter_of_each_list_leads_where_it_says() -> None:
    """Every link that a list offers beside it is one that the rule lets through."""
    client = Client(raise_request_exception=False)
    client.force_login(
        factories.make_superuser(), "django.contrib.auth.backends.ModelBackend"
    )
    factories.make_synced_session(swings=1)
    factories.make_team(members=[factories.make_user()])
    refused = []
    for model, _ in ADMINS:
        page = client.get(address(model))
        if page.status_code == 403:
            continue
        changes = page.context["cl"]
        for spec in changes.filter_specs:
            for choice in list(spec.choices(changes))[1:3]:
                answer = client.get(address(model) + choice["query_string"])
                if answer.status_code != 200:
                    refused.append((model._meta.label, choice["query_string"]))
        if changes.date_hierarchy:
            day = {"year": 2026, "month": 1, "day": 5}
            query = {f"{changes.date_hierarchy}__{k}": n for k, n in day.items()}
            if client.get(address(model), query).status_code != 200:
                refused.append((model._meta.label, query))
    assert refused == []


def test_fields_are_found_by_every_kind_of_name() -> None:
    """`player`, its column and its key are one way to name the athlete."""
    sessions = next(shown for model, shown in ADMINS if model.__name__ == "Session")
    for name in ("player", "player_id", "player__id", "player__pk", "pk", "id"):
        assert sessions.lookup_allowed(f"{name}__exact", "1", None), name
    for name in ("player__last_name", "player__org_player_id", "summary", "bat"):
        assert not sessions.lookup_allowed(f"{name}__exact", "1", None), name
    assert isinstance(User._meta.get_field("password"), Field)
