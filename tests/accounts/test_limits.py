"""Guesses at one account from everywhere, and why its user is not locked out."""

from __future__ import annotations

import datetime as dt
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from axes.models import AccessAttempt
from django.core import mail
from django.db import connection
from django.db.models import F
from django.test import Client
from django_otp.oath import totp

from accounts import limits
from accounts.later import later
from accounts.models import (
    Action,
    AuditEntry,
    Authenticator,
    FailedLogin,
    Pool,
    User,
)
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

LOGIN = "/accounts/login/"
KEY = b"twenty invented bytes"[:20]


@pytest.fixture
def coach() -> User:
    return factories.make_user(username="coach", email="coach@facility.invalid")


def at(address: str) -> Client:
    return Client(REMOTE_ADDR=address)


def log_in(client: Client, password: str = factories.PASSWORD, name="coach") -> int:
    fields = {"username": name, "password": password}
    return client.post(LOGIN, fields).status_code


def log_out(client: Client) -> None:
    """Without what the test client does besides: it throws all cookies away."""
    client.post("/accounts/logout/")


def let_pass(**time: float) -> None:
    """As if all that happened had happened so much earlier."""
    gone = dt.timedelta(**time)
    FailedLogin.objects.update(at=F("at") - gone)
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - gone)


def guess_from_everywhere(times: int = 35, name: str = "coach") -> int:
    """Wrong passwords, each from a network of its own and a minute apart.

    Returns how many were looked at.
    """
    found = []
    for number in range(times):
        found.append(log_in(at(f"198.{number}.100.7"), "wrong", name))
        let_pass(seconds=61)
    assert set(found) <= {200, 429}
    return found.count(200)


def attack(failures: int = limits.PER_HOUR[Pool.ELSEWHERE]) -> None:
    """Leave what so many guesses of `guess_from_everywhere` leave.

    The first and the last are real; a test that looks at the guesses themselves makes
    all of them.
    """
    assert guess_from_everywhere(1) == 1
    row = FailedLogin.objects.latest("pk")
    assert row.pool == Pool.ELSEWHERE
    for number in range(1, failures - 1):
        row.pk, row.network, row.wider = None, f"198.{number}.100.7", f"198.{number}"
        row.at -= dt.timedelta(seconds=61)
        row.save()
    assert log_in(at("198.200.100.7"), "wrong") == 200
    let_pass(seconds=61)


@pytest.mark.both
def test_one_account_has_at_most_a_hundred_failures_an_hour():
    assert sum(limits.PER_HOUR.values()) <= 100


def test_guesses_from_everywhere_end(coach):
    assert guess_from_everywhere() == 30
    assert AuditEntry.objects.filter(action=Action.LOGIN_FAILED).count() == 30
    lock = AuditEntry.objects.get(action=Action.LOGIN_LOCKED)
    assert (lock.subject_id, lock.detail) == (
        coach.pk,
        {"locked_for": "everyone else"},
    )
    # The right password is not looked at either, for the attacker would learn it.
    assert log_in(at("203.0.113.9")) == 429
    let_pass(hours=1)
    assert log_in(at("203.0.113.9")) == 302
    assert FailedLogin.objects.count() == 0


def test_a_name_that_nobody_has_is_counted_alike():
    assert guess_from_everywhere(name="nobody") == 30
    assert not FailedLogin.objects.filter(name__contains="nobody").exists()


def test_guesses_from_everywhere_have_to_wait(coach):
    for number in range(10):
        assert log_in(at(f"198.{number}.100.7"), "wrong") == 200
    refused = at("203.0.113.9").post(
        LOGIN, {"username": "coach", "password": factories.PASSWORD}
    )
    assert refused.status_code == 429
    assert 1 <= int(refused["Retry-After"]) <= 2
    # What was refused does not count, and makes nobody wait longer.
    let_pass(seconds=2)
    assert log_in(at("203.0.113.9"), "wrong") == 200
    let_pass(seconds=2)
    assert log_in(at("203.0.113.9")) == 429
    let_pass(seconds=2)
    assert log_in(at("203.0.113.9")) == 302


def test_a_known_device_has_its_own_budget(coach):
    tablet = at("192.0.2.1")
    assert log_in(tablet) == 302
    log_out(tablet)
    attack()
    elsewhere = at("203.0.113.9")
    elsewhere.cookies = tablet.cookies
    assert log_in(elsewhere) == 302
    log_out(elsewhere)
    # Which is a budget, not a way around the lock.
    answers = [log_in(elsewhere, "wrong") for _ in range(8)]
    assert answers == [200] * 7 + [429]
    assert log_in(elsewhere) == 429
    let_pass(minutes=15)
    assert log_in(elsewhere) == 302


@pytest.mark.both
def test_a_network_of_earlier_logins_has_its_own_budget(coach):
    assert log_in(at("2001:db8:1:2::9")) == 302
    attack()
    assert log_in(at("2001:db8:1:3::9")) == 429
    assert log_in(at("2001:db8:1:2::10")) == 302


def test_a_known_device_is_not_locked_by_others_in_its_network(coach, settings):
    """Guests in the facility's network share its address."""
    settings.LOGIN_FAILURES_PER_NETWORK = 20
    tablet, guest = at("192.0.2.1"), at("192.0.2.1")
    assert log_in(tablet) == 302
    log_out(tablet)
    assert [log_in(guest, "wrong") for _ in range(9)].count(429) == 2
    for number in range(20):
        log_in(guest, "wrong", f"name{number}")
    assert log_in(guest, name=factories.make_user().username) == 429
    assert log_in(guest) == 429
    assert log_in(tablet) == 302


def test_whoever_goes_on_trying_makes_no_lock_longer(coach):
    for _ in range(8):
        log_in(at("192.0.2.1"), "wrong")
    let_pass(minutes=10)
    for _ in range(8):
        assert log_in(at("192.0.2.1"), "wrong") == 429
    let_pass(minutes=5)
    assert log_in(at("192.0.2.1")) == 302


def test_a_device_is_known_for_its_user_alone(coach):
    other = factories.make_user()
    tablet = at("192.0.2.1")
    assert log_in(tablet, name=other.username) == 302
    log_out(tablet)
    attack()
    moved = at("203.0.113.9")
    moved.cookies = tablet.cookies
    assert log_in(moved) == 429
    assert log_in(moved, name=other.username) == 302


@pytest.mark.parametrize("how", ["logged out everywhere", "forged", "of another key"])
def test_a_device_that_is_not_known_any_more(coach, settings, how):
    tablet = at("192.0.2.1")
    log_in(tablet)
    if how == "logged out everywhere":
        tablet.post("/accounts/logout-everywhere/")
    elif how == "forged":
        log_out(tablet)
        tablet.cookies["device"] = f"{'a' * 32},{coach.pk}.0:x:y"
    else:
        log_out(tablet)
        settings.SECRET_KEY = "another-key-for-this-test-0123456789"
    attack()
    moved = at("203.0.113.9")
    moved.cookies = tablet.cookies
    assert log_in(moved) == 429


@pytest.mark.django_db(transaction=True)
def test_a_new_password_by_mail_opens_the_login_during_an_attack(coach):
    attack()
    client = at("203.0.113.9")
    client.post("/accounts/password_reset/", {"email": coach.email})
    later("nothing", lambda: None).result(30)
    link = re.search(r"http://testserver(/accounts/reset/\S+)", mail.outbox[0].body)[1]
    form = client.get(link, follow=True).redirect_chain[-1][0]
    new = "seven-invented-words"
    client.post(form, {"new_password1": new, "new_password2": new})
    assert log_in(at("203.0.113.9"), new) == 429
    assert log_in(client, new) == 302


def test_staff_unlock_an_account_that_strangers_have_locked(coach):
    attack()
    staff = Client()
    staff.force_login(factories.make_staff())
    page = staff.get("/admin/axes/accessattempt/?locked=yes")
    assert "on new devices and networks" in page.content.decode()
    pk = AccessAttempt.objects.first().pk
    path = "/admin/axes/accessattempt/"
    staff.post(path, {"action": "unlock", "_selected_action": [pk]})
    assert log_in(at("203.0.113.9")) == 302


@pytest.mark.both
def test_one_network_of_ipv6_is_one_caller(coach):
    found = [log_in(at(f"2001:db8:1:2::{n}"), "wrong") for n in range(1, 9)]
    assert found == [200] * 7 + [429]
    assert log_in(at("2001:db8:1:2:ffff::1")) == 429
    assert log_in(at("2001:db8:1:3::1")) == 302


@pytest.mark.parametrize("form", ["192.0.2.{}", "2001:db8:1:{}::1"])
def test_neighboring_addresses_are_counted_together_too(coach, settings, form):
    settings.LOGIN_FAILURES_PER_WIDER_NETWORK = 6
    for number in range(6):
        client = at(form.format(number + 1))
        assert log_in(client, "wrong", f"name{number}") == 200
    assert log_in(at(form.format(99))) == 429
    assert log_in(at("203.0.113.9")) == 302


# --- Codes, and passwords that are asked for once more ------------------------------


def waiting_for_code(address: str) -> Client:
    client = at(address)
    assert log_in(client) == 302
    return client


def give_second_factor(user: User) -> None:
    sealed = Authenticator.sealed(KEY)
    Authenticator.objects.create(user=user, sealed_key=sealed)


def test_codes_are_counted_for_the_account(coach):
    give_second_factor(coach)
    found = []
    clients = [waiting_for_code(f"198.{n}.100.7") for n in range(40)]
    for client in clients:
        found.append(
            client.post("/accounts/login/code/", {"code": "aaaa-aaaa"}).status_code
        )
        let_pass(seconds=61)
    assert (found.count(422), found.count(429)) == (30, 10)
    right = {"code": f"{totp(KEY):06d}"}
    assert clients[0].post("/accounts/login/code/", right).status_code == 429
    let_pass(hours=1)
    assert clients[0].post("/accounts/login/code/", right).status_code == 302


def test_a_password_asked_for_once_more_is_counted_for_the_account(coach):
    new = {"new_password1": "seven-invented-words", "new_password2": "x"}
    found = []
    for number in range(40):
        client = at(f"198.{number}.100.7")
        client.force_login(coach)
        answer = client.post(
            "/accounts/password_change/", {"old_password": "wrong", **new}
        )
        found.append(answer.status_code)
        let_pass(seconds=61)
    assert (found.count(200), found.count(429)) == (30, 10)


def test_what_is_right_is_not_counted(coach):
    give_second_factor(coach)
    client = waiting_for_code("192.0.2.1")
    right = {"code": f"{totp(KEY):06d}"}
    assert client.post("/accounts/login/code/", right).status_code == 302
    client.post("/accounts/password_change/", {"old_password": factories.PASSWORD})
    client.post("/accounts/second-factor/off/", {"password": factories.PASSWORD})
    assert not FailedLogin.objects.exists()


@pytest.mark.both
@pytest.mark.django_db(transaction=True)
def test_guesses_at_one_moment_see_each_other(coach):
    """Threads as processes: each has its own connection to the database."""
    attack(28)

    def guess(number: int) -> int:
        try:
            return log_in(at(f"203.0.{number}.9"), "wrong")
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(guess, range(6)))
    assert set(found) <= {200, 429}
    of_pool = FailedLogin.objects.filter(pool=Pool.ELSEWHERE)
    assert 28 <= of_pool.count() <= 30
    assert of_pool.count() == 28 + found.count(200)


# --- Names and codes that are none ------------------------------------------------


@pytest.mark.both
@pytest.mark.parametrize("name", ["x" * 151, "x" * 256, "y" * 100_000])
def test_a_name_that_nobody_can_have_is_a_wrong_one_and_counts(name):
    found = []
    for _ in range(8):
        answer = at("192.0.2.1").post(LOGIN, {"username": name, "password": "x"})
        found.append(answer.status_code)
    assert found == [200] * 7 + [429]
    assert FailedLogin.objects.count() == 8
    assert AccessAttempt.objects.get().failures_since_start == 8
    assert len(AccessAttempt.objects.get().username) < 40


@pytest.mark.both
@pytest.mark.parametrize("field", ["username", "password"])
def test_what_has_nul_is_refused_before_it_is_checked(coach, field):
    """Refused for the whole site, so it is no guess, and nothing is counted."""
    typed = {"username": coach.username, "password": factories.PASSWORD}
    answer = at("192.0.2.1").post(LOGIN, typed | {field: typed[field] + "\0"})
    assert answer.status_code == 400
    assert FailedLogin.objects.count() == 0


@pytest.mark.both
def test_a_code_with_nul_is_refused_before_it_is_checked(coach):
    give_second_factor(coach)
    client = waiting_for_code("192.0.2.1")
    for code in ("\0" * 6, "\0" * 16):
        answer = client.post("/accounts/login/code/", {"code": code})
        assert answer.status_code == 400
    assert FailedLogin.objects.count() == 0
