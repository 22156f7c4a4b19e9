"""The second factor: turned on, asked for, locked, lost and found."""

from __future__ import annotations

import re
import time
from base64 import b32decode
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import time_machine
from django.core import mail
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from django_otp.oath import totp

from accounts import second_factor
from accounts.later import later
from accounts.models import (
    Action,
    AuditEntry,
    Authenticator,
    RecoveryCode,
)
from accounts.services import log_out_everywhere
from tests import factories

pytestmark = pytest.mark.django_db

PASSWORD = factories.PASSWORD
KEY = b"twenty invented bytes"[:20]
ON = "/accounts/second-factor/on/"
OFF = "/accounts/second-factor/off/"
CODE = "/accounts/login/code/"


@pytest.fixture(autouse=True)
def time_stands_still():
    """In the middle of a step of 30 s, so that none ends between a code and its use."""
    with time_machine.travel(time.time() // 30 * 30 + 15, tick=False):
        yield


def code_of(key: bytes = KEY, *, steps: int = 0) -> str:
    """The code that an app shows `steps` times 30 s from now."""
    return f"{totp(key, t0=-30 * steps):06d}"


def give_second_factor(user, key: bytes = KEY) -> list[str]:
    Authenticator.objects.create(
        user=user, name="authenticator", sealed_key=Authenticator.sealed(key)
    )
    return second_factor.new_codes(user)


@pytest.fixture
def coach():
    return factories.make_user(username="coach", email="coach@facility.invalid")


@pytest.fixture
def codes(coach):
    return give_second_factor(coach)


def enter_password(client, user="coach", password=PASSWORD, path="/accounts/login/"):
    return client.post(path, {"username": user, "password": password})


def enter_code(client, code, **extra):
    return client.post(CODE, {"code": code, **extra})


def is_logged_in(client):
    return client.get("/players").status_code == 200


def forget_wrong_codes():
    """As if the seconds to wait after a wrong code were over."""
    Authenticator.objects.update(throttling_failure_timestamp=None)


# --- Turning it on ----------------------------------------------------------------


def offered_key(page) -> bytes:
    typed = re.search(r'class="key">([A-Z2-7 ]+)<', page.content.decode())[1]
    return b32decode(typed.replace(" ", ""))


def turn_on(client, code=None, password=PASSWORD):
    key = offered_key(client.get(ON))
    return key, client.post(ON, {"password": password, "code": code or code_of(key)})


def test_it_is_turned_on_with_password_and_first_code(client, coach):
    client.force_login(coach)
    assert "It is off" in client.get("/accounts/second-factor/").content.decode()
    key, done = turn_on(client)
    assert done.status_code == 200
    assert "no-store" in done["Cache-Control"]
    shown = re.findall(r"<li><code>([a-z2-7-]{19})</code>", done.content.decode())
    assert len(set(shown)) == 10
    device = Authenticator.objects.get(user=coach)
    assert Authenticator.opened(device.sealed_key) == key
    assert RecoveryCode.objects.filter(user=coach).count() == 10
    entry = AuditEntry.objects.get(action=Action.SECOND_FACTOR_ON)
    assert (entry.user, entry.subject_id) == (coach, coach.pk)
    # Shown once: no page has them or the key again.
    later = client.get("/accounts/second-factor/").content.decode()
    assert "It is on" in later
    assert shown[0] not in later
    assert client.get(ON).status_code == 302


def test_neither_key_nor_codes_can_be_read_in_the_database(client, coach):
    client.force_login(coach)
    key, done = turn_on(client)
    shown = re.findall(r"<li><code>([a-z2-7-]{19})</code>", done.content.decode())
    stored = str(list(Authenticator.objects.values())) + str(
        list(RecoveryCode.objects.values())
    )
    assert key.hex() not in stored
    assert all(code not in stored for code in shown)
    assert all(code.replace("-", "") not in stored for code in shown)


def test_the_picture_holds_the_key_and_the_name(client, coach, rf):
    request = rf.get("/")
    request.session = {}
    offer = second_factor.offer(request)
    url = urlsplit(offer.url(coach))
    assert (url.scheme, url.netloc) == ("otpauth", "totp")
    assert unquote(url.path) == "/Swing dashboard:coach"
    values = parse_qs(url.query)
    assert b32decode(values["secret"][0]) == offer.key
    assert values["issuer"] == ["Swing dashboard"]
    assert offer.picture(coach).startswith("data:image/svg+xml")
    # The same key until it is confirmed: a reload does not undo the scanning.
    assert second_factor.offer(request).key == offer.key


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"code": "000000x"}, "code"), ({"password": "wrong"}, "password")],
)
def test_nothing_is_turned_on_without_both(client, coach, changes, field):
    client.force_login(coach)
    _, response = turn_on(client, **changes)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert not Authenticator.objects.exists()


def test_a_code_of_another_key_does_not_turn_it_on(client, coach):
    client.force_login(coach)
    _, response = turn_on(client, code=code_of(b"x" * 20))
    assert response.status_code == 422
    assert not Authenticator.objects.exists()


def test_turning_it_on_ends_other_sessions_and_keeps_this_one(coach):
    here, there = Client(), Client()
    here.force_login(coach)
    there.force_login(coach)
    turn_on(here)
    assert is_logged_in(here)
    assert not is_logged_in(there)


# --- Logging in -------------------------------------------------------------------


def test_the_password_alone_does_not_log_in(client, coach, codes):
    response = client.post(
        "/accounts/login/?next=/docs",
        {"username": "coach", "password": PASSWORD, "next": "/docs"},
    )
    assert response["Location"] == f"{CODE}?next=%2Fdocs"
    assert not is_logged_in(client)
    assert client.get(response["Location"]).status_code == 200
    done = enter_code(client, code_of(), next="/docs")
    assert (done.status_code, done["Location"]) == (302, "/docs")
    assert is_logged_in(client)


def test_the_code_page_leads_to_no_other_host(client, coach, codes):
    enter_password(client)
    response = enter_code(client, code_of(), next="https://elsewhere.example/")
    assert response["Location"] == "/"


def test_the_admin_asks_for_the_code_too(client, codes):
    staff = factories.make_staff(username="chief")
    give_second_factor(staff)
    asked = client.get("/admin/", follow=True)
    assert asked.redirect_chain[-1][0] == "/accounts/login/?next=/admin/"
    # A form sent straight to the admin's own address logs nobody in.
    enter_password(client, "chief", path="/admin/login/?next=/admin/")
    assert client.get("/admin/").status_code == 302
    client.post(
        "/accounts/login/",
        {"username": "chief", "password": PASSWORD, "next": "/admin/"},
    )
    assert client.get("/admin/").status_code == 302
    assert enter_code(client, code_of(), next="/admin/")["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


@pytest.mark.both
def test_a_code_is_good_once(client, coach, codes):
    code = code_of()
    enter_password(client)
    assert enter_code(client, code).status_code == 302
    second = Client()
    enter_password(second)
    refused = enter_code(second, code)
    assert refused.status_code == 422
    assert not is_logged_in(second)


@pytest.mark.parametrize(("steps", "logs_in"), [(-1, 1), (0, 1), (1, 1), (-3, 0)])
def test_a_clock_half_a_minute_off_is_forgiven(client, coach, codes, steps, logs_in):
    enter_password(client)
    enter_code(client, code_of(steps=steps))
    assert is_logged_in(client) is bool(logs_in)


def test_a_phone_that_goes_slow_is_followed(client, coach, codes):
    """Each login learns by how much the phone is late."""
    Authenticator.objects.update(drift=-4)
    enter_password(client)
    assert enter_code(client, code_of(steps=-5)).status_code == 302
    assert Authenticator.objects.get().drift == -5


@pytest.mark.parametrize("code", ["12345", "abcdef", "١٢٣٤٥٦", "", "-12345"])
def test_what_is_no_code_does_not_log_in(client, coach, codes, code):
    enter_password(client)
    assert enter_code(client, code).status_code == 422
    assert not is_logged_in(client)


def test_without_the_password_there_is_no_code_page(client, coach, codes):
    assert client.get(CODE)["Location"] == "/accounts/login/"
    assert enter_code(client, code_of())["Location"] == "/accounts/login/"
    assert not is_logged_in(client)


def test_the_code_has_to_come_within_ten_minutes(client, coach, codes):
    enter_password(client)
    session = client.session
    session["login_waits_for_code"] = {
        **session["login_waits_for_code"],
        "at": time.time() - 601,
    }
    session.save()
    assert enter_code(client, code_of())["Location"] == "/accounts/login/"
    assert not is_logged_in(client)


def test_a_login_that_waits_ends_with_a_new_password(client, coach, codes):
    enter_password(client)
    coach.set_password("another-password-9")
    coach.save()
    assert enter_code(client, code_of())["Location"] == "/accounts/login/"
    assert not is_logged_in(client)


@pytest.mark.parametrize("how", ["logged out everywhere", "deactivated"])
def test_a_login_that_waits_ends_with_the_account(client, coach, codes, how):
    enter_password(client)
    if how == "deactivated":
        coach.is_active = False
        coach.save()
    else:
        log_out_everywhere(coach)
    enter_code(client, code_of())
    assert not is_logged_in(client)


def test_logging_in_changes_the_session_key(client, coach, codes):
    client.get("/accounts/login/")
    enter_password(client)
    waiting = client.cookies["sessionid"].value
    enter_code(client, code_of())
    assert client.cookies["sessionid"].value != waiting


@pytest.mark.both
@pytest.mark.django_db(transaction=True)
def test_a_password_from_the_mail_does_not_pass_by_the_code(client, coach, codes):
    # Others asked for the same address.
    cache.clear()
    client.post("/accounts/password_reset/", {"email": coach.email})
    later("nothing", lambda: None).result(30)
    link = re.search(r"http://testserver(/accounts/reset/\S+)", mail.outbox[0].body)[1]
    form = client.get(link, follow=True)
    new = "seven-invented-words"
    client.post(
        form.redirect_chain[-1][0], {"new_password1": new, "new_password2": new}
    )
    assert not is_logged_in(client)
    assert enter_password(client, password=new)["Location"] == CODE


# --- Locking ----------------------------------------------------------------------


@pytest.mark.both
def test_wrong_codes_lock_the_login_as_wrong_passwords_do(client, coach, codes):
    for _ in range(4):
        enter_password(client, password="wrong")
    enter_password(client)
    for _ in range(3):
        assert enter_code(client, "000000").status_code == 422
        forget_wrong_codes()
    assert enter_code(client, "000000").status_code == 429
    forget_wrong_codes()
    # Neither the right code nor the right password helps now.
    assert enter_code(client, code_of()).status_code == 429
    assert enter_password(client).status_code == 429
    assert not is_logged_in(client)


def test_wrong_recovery_codes_lock_too(client, coach, codes):
    enter_password(client)
    found = [enter_code(client, f"aaaa-{n:04d}-aaaa-aaaa") for n in range(8)]
    assert [r.status_code for r in found] == [422] * 7 + [429]
    assert enter_code(client, codes[0]).status_code == 429


@pytest.mark.both
def test_guesses_from_everywhere_have_to_wait(coach, codes):
    """The lock counts one address; the wait counts for the key, from any address."""
    for number in range(4):
        client = Client(REMOTE_ADDR=f"198.51.100.{number}")
        enter_password(client)
        assert enter_code(client, "000000").status_code == 422
        if number < 3:
            Authenticator.objects.update(
                throttling_failure_timestamp=timezone.now()
                - timezone.timedelta(seconds=2**number)
            )
    client = Client(REMOTE_ADDR="198.51.100.9")
    enter_password(client)
    refused = enter_code(client, code_of())
    assert "Too many wrong codes: wait 8 s." in refused.content.decode()
    assert not is_logged_in(client)
    forget_wrong_codes()
    assert enter_code(client, code_of()).status_code == 302
    assert Authenticator.objects.get().throttling_failure_count == 0


def test_the_wait_does_not_grow_for_ever(coach, codes):
    device = Authenticator.objects.get()
    for _ in range(30):
        device.throttle_increment()
    device.refresh_from_db()
    _, why = device.verify_is_allowed()
    assert (why["locked_until"] - timezone.now()).total_seconds() <= 1024


# --- Recovery ---------------------------------------------------------------------


@pytest.mark.both
def test_a_recovery_code_logs_in_once(client, coach, codes):
    enter_password(client)
    assert enter_code(client, codes[3].upper().replace("-", " ")).status_code == 302
    assert is_logged_in(client)
    assert second_factor.codes_left(coach) == 9
    entry = AuditEntry.objects.get(action=Action.RECOVERY_CODE_USED)
    assert (entry.user, entry.detail) == (coach, {"left": 9})
    assert "9 are left" in client.get("/accounts/second-factor/").content.decode()
    second = Client()
    enter_password(second)
    assert enter_code(second, codes[3]).status_code == 422
    assert not is_logged_in(second)


def test_a_recovery_code_is_its_owners(client, coach, codes):
    other = factories.make_user(username="other")
    give_second_factor(other)
    enter_password(client, "other")
    assert enter_code(client, codes[0]).status_code == 422
    assert second_factor.codes_left(coach) == 10


@pytest.mark.both
def test_new_recovery_codes_end_the_old_ones(client, coach, codes):
    client.force_login(coach)
    path = "/accounts/second-factor/codes/"
    assert client.get(path).status_code == 200
    wrong = client.post(path, {"password": "wrong", "code": code_of()})
    assert wrong.status_code == 422
    done = client.post(path, {"password": PASSWORD, "code": code_of()})
    shown = re.findall(r"<li><code>([a-z2-7-]{19})</code>", done.content.decode())
    assert len(shown) == 10
    assert not set(shown) & set(codes)
    client.logout()
    enter_password(client)
    assert enter_code(client, codes[0]).status_code == 422
    assert enter_code(client, shown[0]).status_code == 302
    assert AuditEntry.objects.filter(action=Action.RECOVERY_CODES_MADE).count() == 1


def test_a_replaced_secret_key_goes_on_as_a_fallback(client, coach, codes, settings):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-for-this-test-0123456789"
    enter_password(client)
    assert enter_code(client, code_of()).status_code == 302


def test_a_lost_secret_key_is_said_and_recovery_codes_go_on(
    client, coach, codes, settings
):
    settings.SECRET_KEY = "another-key-for-this-test-0123456789"
    enter_password(client)
    refused = enter_code(client, code_of())
    assert "key was replaced" in refused.content.decode()
    assert enter_code(client, codes[0]).status_code == 302


# --- Turning it off, and resetting ------------------------------------------------


def test_turning_it_off_needs_password_and_code(client, coach, codes):
    client.force_login(coach)
    assert client.get(OFF).status_code == 200
    for fields in (
        {"password": PASSWORD},
        {"password": PASSWORD, "code": "000000"},
        {"password": "wrong", "code": code_of()},
    ):
        assert client.post(OFF, fields).status_code == 422
        assert coach.has_second_factor()
    forget_wrong_codes()
    done = client.post(OFF, {"password": PASSWORD, "code": code_of()})
    assert done["Location"] == "/accounts/second-factor/"
    assert not coach.has_second_factor()
    assert not RecoveryCode.objects.exists()
    assert AuditEntry.objects.get(action=Action.SECOND_FACTOR_OFF).user == coach
    client.logout()
    assert enter_password(client)["Location"] == "/"


def test_staff_reset_the_second_factor_of_a_coach(client, coach, codes):
    there = Client()
    there.force_login(coach)
    staff, colleague = factories.make_staff(), factories.make_staff()
    give_second_factor(colleague)
    client.force_login(staff)
    page = client.get(f"/admin/accounts/user/{coach.pk}/change/").content.decode()
    assert "10 recovery codes left" in page
    client.post(
        "/admin/accounts/user/",
        {
            "action": "reset_second_factor",
            "_selected_action": [coach.pk, colleague.pk],
        },
    )
    assert not coach.has_second_factor()
    assert not is_logged_in(there)
    # Only superusers look after staff.
    assert colleague.has_second_factor()
    entry = AuditEntry.objects.get(action=Action.SECOND_FACTOR_RESET)
    assert (entry.user, entry.subject_id) == (staff, coach.pk)
    assert enter_password(Client())["Location"] == "/"


def test_staff_see_who_has_a_second_factor(client, coach, codes):
    staff = factories.make_staff()
    client.force_login(staff)
    for value, found in (("on", {coach.pk}), ("off", {staff.pk})):
        page = client.get("/admin/accounts/user/", {"second_factor": value})
        assert {user.pk for user in page.context["cl"].result_list} == found


def test_the_last_superuser_is_let_in_again_by_a_command(coach, codes, capsys):
    call_command("reset_second_factor", "coach")
    assert not coach.has_second_factor()
    entry = AuditEntry.objects.get(action=Action.SECOND_FACTOR_RESET)
    assert (entry.user, entry.subject_id) == (None, coach.pk)


# --- Required of staff ------------------------------------------------------------


@pytest.fixture
def required(settings):
    settings.STAFF_NEED_SECOND_FACTOR = True


def test_required_of_staff_nothing_opens_before_it_is_on(client, required):
    staff = factories.make_staff()
    client.force_login(staff)
    browser = {"Accept": "text/html,*/*"}
    for path in ("/", "/admin/", "/athletes/", "/players"):
        response = client.get(path, headers=browser)
        assert response["Location"] == "/accounts/second-factor/", path
    assert client.get("/players").status_code == 403
    assert client.post("/syncing/start/").status_code == 403
    assert (
        client.get("/syncing/freshness/", headers={"HX-Request": "true"}).content == b""
    )
    page = client.get("/accounts/second-factor/", headers=browser)
    assert "Staff must use it here" in page.content.decode()
    turn_on(client)
    assert client.get("/admin/", headers=browser).status_code == 200
    assert client.get("/players").status_code == 200
    assert client.post(OFF, {}).status_code == 403


def test_required_of_staff_coaches_and_programs_go_on(client, required, coach):
    client.force_login(coach)
    assert client.get("/athletes/").status_code == 200
    token = factories.make_token(by=factories.make_staff())
    assert Client(headers=token).get("/players").status_code == 200


def test_programs_with_tokens_are_not_asked_for_codes(coach, codes):
    staff = factories.make_staff()
    give_second_factor(staff)
    token = factories.make_token(by=staff)
    assert Client(headers=token).get("/players").status_code == 200


@pytest.mark.parametrize("again", [False, True])
def test_a_second_factor_that_is_off_is_no_proof_after_a_promotion(
    client, coach, codes, required, again
):
    enter_password(client)
    enter_code(client, code_of())
    fields = {"password": PASSWORD, "code": codes[0]}
    assert client.post(OFF, fields).status_code == 302
    coach.is_staff = True
    coach.save()
    if again:  # on a phone that this session never saw a code of
        give_second_factor(coach, b"another key of twenty bytes"[:20])
    assert client.get("/players").status_code == 403
    answer = client.get("/admin/", headers={"Accept": "text/html"})
    assert answer["Location"] == "/accounts/second-factor/"
