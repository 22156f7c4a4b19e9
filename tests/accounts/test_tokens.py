"""Tokens: random, stored as hashes, found, noted and ended."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import Action, ApiToken, AuditEntry, User
from accounts.services import (
    create_token,
    find_token,
    revoke_token,
    take_over_token,
)
from accounts.throttle import WINDOW_S, Throttle, count_calls
from tests import factories

pytestmark = pytest.mark.django_db


def test_the_secret_is_not_stored():
    token, secret = create_token(name="importer")
    stored = ApiToken.objects.filter(pk=token.pk).values().get()
    assert secret.startswith(token.prefix)
    assert len(secret) - len("swd_") == 43  # 256 bits
    assert all(secret not in str(value) for value in stored.values())
    assert all(
        secret not in str(entry)
        for entry in AuditEntry.objects.values("actor", "detail")
    )


def test_secrets_differ():
    secrets = {create_token(name="same")[1] for _ in range(20)}
    assert len(secrets) == 20


def test_a_token_is_found_by_its_secret_alone():
    token, secret = create_token(name="a")
    create_token(name="b")
    assert find_token(secret) == token
    assert find_token(secret[:-1]) is None
    assert find_token(token.digest) is None
    assert find_token(token.prefix) is None
    assert find_token("") is None


def test_use_is_noted_at_most_once_a_minute(django_assert_num_queries):
    token, secret = create_token(name="a")
    assert token.last_used_at is None
    with django_assert_num_queries(2):
        find_token(secret)
    first = ApiToken.objects.get().last_used_at
    with django_assert_num_queries(1):
        find_token(secret)
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(seconds=61))
    find_token(secret)
    assert ApiToken.objects.get().last_used_at >= first


def test_a_token_ends_when_revoked_once():
    token, secret = create_token(name="a")
    staff = factories.make_staff()
    assert revoke_token(token, by=staff)
    assert find_token(secret) is None
    assert not revoke_token(token, by=staff)
    entry = AuditEntry.objects.get(action=Action.TOKEN_REVOKED)
    assert (entry.user, entry.subject_id) == (staff, token.pk)


@pytest.mark.parametrize(("days", "found"), [(1, True), (-1, False)])
def test_a_token_ends_when_it_expires(days, found):
    ends = timezone.now() + timedelta(days=days)
    _, secret = create_token(name="a", expires_at=ends)
    assert (find_token(secret) is not None) is found


def test_making_a_token_is_recorded():
    staff = factories.make_staff()
    token, _ = create_token(name="a", scope="sync", by=staff)
    entry = AuditEntry.objects.get(action=Action.TOKEN_CREATED)
    assert (entry.actor, entry.user, entry.subject_id) == (
        staff.username,
        staff,
        token.pk,
    )
    assert entry.detail == {"prefix": token.prefix, "scope": "sync", "team_id": None}


def test_a_token_goes_with_its_team():
    team = factories.make_team()
    create_token(name="a", team=team)
    team.delete()
    assert not ApiToken.objects.exists()


def test_an_unknown_scope_is_refused():
    with pytest.raises(ValueError, match="everything"):
        create_token(name="a", scope="everything")


# --- The command ------------------------------------------------------------------


def run(*arguments):
    out, err = io.StringIO(), io.StringIO()
    call_command("create_api_token", *arguments, stdout=out, stderr=err)
    return out.getvalue()


@pytest.mark.parametrize("scope", ["read", "sync"])
def test_command_prints_a_working_token_alone(scope, client):
    secret = run("importer", "--scope", scope).removesuffix("\n")
    token = find_token(secret)
    assert (token.name, token.scope, token.expires_at) == ("importer", scope, None)
    headers = {"Authorization": f"Bearer {secret}"}
    assert client.get("/players", headers=headers).status_code == 200


def test_command_reads_by_default():
    assert find_token(run("importer").strip()).scope == "read"


def test_command_limits_to_a_team_and_days():
    team = factories.make_team(name="Under 16")
    secret = run("importer", "--team", "Under 16", "--expires-days", "30").strip()
    token = find_token(secret)
    assert token.team == team
    left = token.expires_at - timezone.now()
    assert timedelta(days=29, hours=23) < left <= timedelta(days=30)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["importer", "--team", "Nobody"], "There is no team 'Nobody'"),
        (["importer", "--scope", "all"], "invalid choice"),
        (["importer", "--expires-days", "0"], "between 1 and 36500"),
        ([" "], "1 to 100 characters"),
    ],
)
def test_command_says_what_is_wrong(arguments, message):
    with pytest.raises(CommandError, match=message):
        run(*arguments)
    assert not ApiToken.objects.exists()


# --- Throttle ---------------------------------------------------------------------


class Clock:
    now = 6000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store():
    from django.core.cache.backends.locmem import LocMemCache

    return LocMemCache("throttle-test", {})


@pytest.fixture(autouse=True)
def _empty(store):
    store.clear()


def test_calls_are_counted_by_name_until_their_time_is_over(store):
    counts = [count_calls("a", lifetime_s=60, store=store) for _ in range(2)]
    assert counts == [1, 2]
    assert count_calls("a", lifetime_s=60, calls=3, store=store) == 5
    assert count_calls("b", lifetime_s=60, store=store) == 1
    store.delete("a")
    assert count_calls("a", lifetime_s=60, store=store) == 1


def test_throttle_counts_within_a_minute(clock, store):
    throttle = Throttle(3, store=store, clock=clock)
    assert [throttle.wait_s("a") for _ in range(3)] == [None, None, None]
    clock.now += 15
    assert throttle.wait_s("a") == 45
    assert throttle.wait_s("b") is None
    clock.now += 45
    assert throttle.wait_s("a") is None


def test_throttle_counts_over_processes(clock, store):
    here, there = (Throttle(60, store=store, clock=clock) for _ in range(2))
    passed = 0
    for _ in range(60):
        passed += here.wait_s("a") is None
        passed += there.wait_s("a") is None
    # Each process may be behind by a few calls, of 60 no more than 2.
    assert 60 <= passed <= 64


def test_throttle_asks_the_store_seldom(clock, store):
    throttle = Throttle(600, store=store, clock=clock)
    for _ in range(100):
        throttle.wait_s("a")
    assert store.get(f"token-calls:a:{int(clock.now // WINDOW_S)}") == 81


def test_throttle_forgets_old_windows(clock, store):
    throttle = Throttle(10, store=store, clock=clock)
    for name in range(50):
        throttle.wait_s(str(name))
    clock.now += WINDOW_S
    throttle.wait_s("new")
    assert list(throttle._windows) == ["new"]


# --- Makers who leave ---------------------------------------------------------------


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_staff": False}])
def test_a_token_ends_with_the_role_of_its_maker(change):
    staff = factories.make_staff()
    _, secret = create_token(name="a", by=staff)
    _, of_command = create_token(name="b")
    assert find_token(secret) is not None
    for name, value in change.items():
        setattr(staff, name, value)
    staff.save()
    assert find_token(secret) is None
    assert find_token(of_command) is not None


@pytest.mark.parametrize("how", ["one", "many"])
def test_a_token_is_revoked_when_its_maker_is_deleted(how):
    staff = factories.make_staff()
    token, secret = create_token(name="a", by=staff)
    ended, _ = create_token(name="b", by=staff)
    revoke_token(ended)
    before = ApiToken.objects.get(pk=ended.pk).revoked_at
    # It must not turn into one that a command made, which works without a maker.
    if how == "one":
        staff.delete()
    else:
        User.objects.filter(pk=staff.pk).delete()
    assert find_token(secret) is None
    token.refresh_from_db()
    assert token.created_by is None
    assert token.revoked_at is not None
    assert ApiToken.objects.get(pk=ended.pk).revoked_at == before


def test_a_token_that_was_taken_over_goes_on():
    leaving, staying = factories.make_staff(), factories.make_staff()
    token, secret = create_token(name="a", by=leaving)
    assert take_over_token(token, by=staying)
    assert not take_over_token(token, by=staying)
    leaving.delete()
    assert find_token(secret) == token
    entry = AuditEntry.objects.get(action=Action.TOKEN_TAKEN_OVER)
    assert (entry.user, entry.subject_id) == (staying, token.pk)


def test_a_revoked_token_cannot_be_taken_over():
    token, _ = create_token(name="a", by=factories.make_staff())
    revoke_token(token)
    assert not take_over_token(token, by=factories.make_staff())
