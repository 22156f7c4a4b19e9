"""Logging in and out, lockout, passwords, units."""

import re
import threading

import pytest
from axes.models import AccessAttempt
from django.core import mail
from django.core.cache import cache
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.later import later
from accounts.models import Action, AuditEntry
from accounts.services import log_out_everywhere
from tests import factories

pytestmark = pytest.mark.django_db

PASSWORD = factories.PASSWORD


@pytest.fixture
def coach():
    return factories.make_user(username="coach", email="coach@facility.invalid")


def log_in(client, username="coach", password=PASSWORD, **extra):
    return client.post(
        "/accounts/login/", {"username": username, "password": password, **extra}
    )


def is_logged_in(client):
    return client.get("/players").status_code == 200


# --- Login ------------------------------------------------------------------------


def test_login_page_is_open_and_the_rest_is_not(client, coach):
    assert client.get("/accounts/login/").status_code == 200
    response = client.get("/accounts/password_change/")
    assert response.status_code == 302
    assert response["Location"] == "/accounts/login/?next=/accounts/password_change/"


def test_a_fragment_after_the_login_ended_leads_the_whole_page_to_the_login(client):
    response = client.get(
        "/athletes/?q=a",
        headers={
            "HX-Request": "true",
            "HX-Current-URL": "https://elsewhere.example/athletes/?page=2",
        },
    )
    assert (response.status_code, response.content) == (200, b"")
    assert response["HX-Redirect"] == "/accounts/login/?next=/athletes/%3Fpage%3D2"


def test_a_right_password_logs_in_and_goes_on(client, coach):
    response = log_in(client, next="/docs")
    assert (response.status_code, response["Location"]) == (302, "/docs")
    assert is_logged_in(client)


def test_login_does_not_lead_to_other_hosts(client, coach):
    assert log_in(client, next="https://elsewhere.example/")["Location"] == "/"


def test_a_wrong_password_does_not_log_in(client, coach):
    response = log_in(client, password="wrong")
    assert response.status_code == 200
    assert not is_logged_in(client)


def test_login_is_locked_after_eight_wrong_passwords(client, coach):
    factories.make_user(username="other")
    for _ in range(7):
        assert log_in(client, password="wrong").status_code == 200
    response = log_in(client, password="wrong")
    assert response.status_code == 429
    assert "registration/locked.html" in [t.name for t in response.templates]
    assert "Locked for a while" in response.content.decode()
    # The right password does not help now; another user is not locked.
    assert log_in(client).status_code == 429
    assert not is_logged_in(client)
    assert log_in(client, username="other").status_code == 302


def test_a_right_password_in_between_counts_anew(client, coach):
    for _ in range(7):
        log_in(client, password="wrong")
    assert log_in(client).status_code == 302
    assert not AccessAttempt.objects.exists()
    client.logout()
    assert log_in(client, password="wrong").status_code == 200


@pytest.mark.parametrize("setting", ["127.0.0.1", "*"])
def test_behind_a_proxy_one_address_does_not_lock_the_others(coach, settings, setting):
    settings.FORWARDED_ALLOW_IPS = [setting]
    guesser = Client(headers={"X-Forwarded-For": "203.0.113.9"})
    for _ in range(8):
        last = log_in(guesser, password="wrong")
    assert last.status_code == 429
    owner = Client(headers={"X-Forwarded-For": "203.0.113.10"})
    assert log_in(owner).status_code == 302


def test_one_address_cannot_try_one_password_with_many_names(client, coach, settings):
    settings.LOGIN_FAILURES_PER_NETWORK = 5
    for number in range(5):
        assert log_in(client, username=f"name{number}").status_code == 200
    refused = log_in(client)
    assert (refused.status_code, is_logged_in(client)) == (429, False)
    assert "Locked for a while" in refused.content.decode()
    elsewhere = Client(REMOTE_ADDR="192.0.2.9")
    assert log_in(elsewhere).status_code == 302


# --- What the audit has of it -------------------------------------------------------


def audited(*actions):
    entries = AuditEntry.objects.filter(action__in=actions).order_by("pk")
    return [(e.action, e.actor, e.subject_type, e.subject_id) for e in entries]


def test_wrong_passwords_and_the_lock_are_in_the_audit(client, coach):
    for _ in range(10):
        log_in(client, password="wrong")
    found = audited(Action.LOGIN_FAILED, Action.LOGIN_LOCKED)
    failed = (Action.LOGIN_FAILED, "not logged in", "accounts.user", coach.pk)
    # Nothing after the lock: the audit does not grow with whoever goes on trying.
    assert found == [failed] * 8 + [(Action.LOGIN_LOCKED, *failed[1:])]
    counts = AuditEntry.objects.filter(action=Action.LOGIN_FAILED).values_list("detail")
    assert sorted(detail["failures"] for (detail,) in counts) == list(range(1, 9))


def test_names_that_nobody_has_are_not_in_the_audit(client, coach):
    log_in(client, username="my-password-by-mistake")
    assert not AuditEntry.objects.exists()


def test_an_own_new_password_is_in_the_audit(client, coach):
    client.force_login(coach)
    new = "seven-invented-words"
    for old in ("wrong", PASSWORD):
        client.post(
            "/accounts/password_change/",
            {"old_password": old, "new_password1": new, "new_password2": new},
        )
    assert audited(*Action) == [
        (Action.LOGIN_FAILED, "coach", "accounts.user", coach.pk),
        (Action.PASSWORD_CHANGED, "coach", "accounts.user", coach.pk),
    ]
    assert new not in str(AuditEntry.objects.values())


def test_the_old_password_cannot_be_guessed_where_it_is_changed(client, coach):
    client.force_login(coach)
    new = "seven-invented-words"
    for guess in ["wrong"] * 8 + [PASSWORD]:
        answer = client.post(
            "/accounts/password_change/",
            {"old_password": guess, "new_password1": new, "new_password2": new},
        )
    assert answer.status_code == 429
    coach.refresh_from_db()
    assert coach.check_password(PASSWORD)


def test_lockout_logs_name_nobody(client, coach, caplog):
    for _ in range(9):
        log_in(client, password="wrong-secret")
    assert "POST /accounts/login/ 429" in caplog.text
    assert "coach" not in caplog.text
    assert "wrong-secret" not in caplog.text


def test_session_ends_after_the_set_time(client, coach, settings):
    log_in(client)
    cookie = client.cookies["sessionid"]
    assert cookie["max-age"] == 7 * 24 * 3600
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_logout_needs_a_post(client, coach):
    client.force_login(coach)
    assert client.get("/accounts/logout/").status_code == 405
    done = client.post("/accounts/logout/")
    assert done.status_code == 302
    assert done["Clear-Site-Data"] == '"cache"'
    assert not is_logged_in(client)


def test_logout_everywhere_ends_all_sessions_of_this_user(client, coach):
    other = factories.make_user()
    tablet, phone, colleague = Client(), Client(), Client()
    for device, user in ((tablet, coach), (phone, coach), (colleague, other)):
        device.force_login(user)
    assert tablet.get("/accounts/logout-everywhere/").status_code == 405
    response = tablet.post("/accounts/logout-everywhere/")
    assert response["Clear-Site-Data"] == '"cache"'
    assert response["Location"] == "/accounts/login/"
    assert not is_logged_in(tablet)
    assert not is_logged_in(phone)
    assert is_logged_in(colleague)
    assert log_in(phone).status_code == 302
    entry = AuditEntry.objects.get(action=Action.LOGGED_OUT_EVERYWHERE)
    assert (entry.user, entry.subject_id) == (coach, coach.pk)


def test_sessions_outlive_a_rotated_key_but_not_a_logout_everywhere(coach, settings):
    here, there = Client(), Client()
    here.force_login(coach)
    there.force_login(coach)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-for-this-test-0123456789"
    assert is_logged_in(here)
    log_out_everywhere(coach)
    assert not is_logged_in(here)
    assert not is_logged_in(there)


# --- Passwords --------------------------------------------------------------------


def test_changing_the_password_ends_other_sessions(coach):
    here, there = Client(), Client()
    here.force_login(coach)
    there.force_login(coach)
    new = "seven-invented-words"
    response = here.post(
        "/accounts/password_change/",
        {"old_password": PASSWORD, "new_password1": new, "new_password2": new},
    )
    assert response["Location"] == "/accounts/password_change/done/"
    assert is_logged_in(here)
    assert not is_logged_in(there)


@pytest.mark.parametrize("weak", ["short", "1234567890123", "password123", "coach"])
def test_weak_passwords_are_refused(client, coach, weak):
    client.force_login(coach)
    response = client.post(
        "/accounts/password_change/",
        {"old_password": PASSWORD, "new_password1": weak, "new_password2": weak},
    )
    assert response.status_code == 200
    coach.refresh_from_db()
    assert coach.check_password(PASSWORD)


@pytest.fixture
def nobody_asked():
    """Requests for a new password are counted by address, also those of other tests."""
    cache.clear()


def ask_for_a_password(client, address):
    """Returns when what comes after the answer is done, too."""
    response = client.post("/accounts/password_reset/", {"email": address})
    assert response["Location"] == "/accounts/password_reset/done/"
    later("nothing", lambda: None).result(30)
    return response


@pytest.mark.django_db(transaction=True)
def test_a_lost_password_is_replaced_by_mail(client, coach, nobody_asked):
    assert client.get("/accounts/password_reset/").status_code == 200
    response = ask_for_a_password(client, coach.email)
    assert client.get(response["Location"]).status_code == 200
    (message,) = mail.outbox
    assert message.to == [coach.email]
    link = re.search(r"http://testserver(/accounts/reset/\S+)", message.body)[1]
    form = client.get(link, follow=True)
    new = "seven-invented-words"
    done = client.post(
        form.redirect_chain[-1][0], {"new_password1": new, "new_password2": new}
    )
    assert done["Location"] == "/accounts/reset/done/"
    assert client.get(done["Location"]).status_code == 200
    assert audited(*Action) == [
        (Action.PASSWORD_RESET_ASKED, "not logged in", "accounts.user", coach.pk),
        (Action.PASSWORD_RESET, "not logged in", "accounts.user", coach.pk),
    ]
    assert log_in(client, password=new).status_code == 302
    # The link works once.
    assert "no longer works" in Client().get(link).content.decode()


@pytest.mark.django_db(transaction=True)
def test_an_unknown_address_is_answered_alike(client, coach, nobody_asked):
    with CaptureQueriesContext(connection) as unknown:
        ask_for_a_password(client, "no@body.invalid")
    assert mail.outbox == []
    assert not AuditEntry.objects.exists()
    with CaptureQueriesContext(connection) as known:
        ask_for_a_password(client, coach.email)
    assert len(mail.outbox) == 1
    assert len(known) == len(unknown)


class HangingMail(EmailBackend):
    """A mail server that takes its time."""

    goes_on = threading.Event()

    def send_messages(self, messages):
        assert self.goes_on.wait(30)
        return super().send_messages(messages)


class BrokenMail(EmailBackend):
    """A mail server that refuses."""

    def send_messages(self, messages):
        raise OSError("refused")


@pytest.mark.django_db(transaction=True)
def test_no_answer_waits_for_the_mail_server(client, coach, settings, nobody_asked):
    settings.EMAIL_BACKEND = f"{__name__}.HangingMail"
    HangingMail.goes_on.clear()
    try:
        response = client.post("/accounts/password_reset/", {"email": coach.email})
        assert response["Location"] == "/accounts/password_reset/done/"
        assert mail.outbox == []
    finally:
        HangingMail.goes_on.set()
    later("nothing", lambda: None).result(30)
    assert [message.to for message in mail.outbox] == [[coach.email]]


@pytest.mark.django_db(transaction=True)
def test_a_mail_that_cannot_be_sent_is_in_the_log(
    client, coach, settings, caplog, nobody_asked
):
    settings.EMAIL_BACKEND = f"{__name__}.BrokenMail"
    ask_for_a_password(client, coach.email)
    assert "OSError: refused" in caplog.text
    assert coach.email not in caplog.text
    # What failed stands in nobody's way.
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    ask_for_a_password(client, coach.email)
    assert len(mail.outbox) == 1


def test_work_for_later_is_done_in_turn_and_a_failure_is_logged(caplog):
    done = []
    first = later("first", lambda: 1 / 0)
    second = later("second", lambda: done.append(threading.current_thread().name))
    second.result(30)
    assert first.done()
    assert len(done) == 1
    assert done[0] != threading.current_thread().name
    assert 'The background task "first" failed' in caplog.text
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_mailbox_is_not_filled_with_resets(client, coach, nobody_asked):
    for _ in range(8):
        ask_for_a_password(client, coach.email)
    assert len(mail.outbox) == 5


def test_without_mail_the_page_sends_to_staff(client, coach, settings, capsys):
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    response = client.post("/accounts/password_reset/", {"email": coach.email})
    assert response.status_code == 200
    assert "Ask staff" in response.content.decode()
    assert capsys.readouterr().out == ""


# --- Units ------------------------------------------------------------------------


def test_units_are_kept_and_lead_back(client, coach):
    client.force_login(coach)
    response = client.post(
        "/accounts/units/", {"units": "metric", "next": "/athletes/?q=a"}
    )
    assert response["Location"] == "/athletes/?q=a"
    coach.refresh_from_db()
    assert coach.units == "metric"


def test_paper_is_kept_apart_from_units(client, coach):
    client.force_login(coach)
    client.post("/accounts/units/", {"units": "metric"})
    assert 'value="a4" aria-pressed="true"' in client.get("/").content.decode()
    client.post("/accounts/units/", {"paper": "letter"})
    coach.refresh_from_db()
    assert (coach.units, coach.paper) == ("metric", "letter")
    assert 'value="letter" aria-pressed="true"' in client.get("/").content.decode()
    client.post("/accounts/units/", {"paper": "foolscap"})
    coach.refresh_from_db()
    assert coach.paper == "letter"


@pytest.mark.parametrize("target", ["https://elsewhere.example/", "//elsewhere", ""])
def test_units_do_not_lead_to_other_hosts(client, coach, target):
    client.force_login(coach)
    response = client.post("/accounts/units/", {"units": "metric", "next": target})
    assert response["Location"] == "/"


def test_unknown_units_change_nothing(client, coach):
    client.force_login(coach)
    response = client.post(
        "/accounts/units/", {"units": "furlongs", "is_staff": "1", "next": "/docs"}
    )
    assert response["Location"] == "/docs"
    coach.refresh_from_db()
    assert (coach.units, coach.is_staff) == ("imperial", False)


@pytest.mark.django_db(transaction=True)
def test_the_link_to_a_new_password_leads_to_this_site_alone(settings):
    settings.ALLOWED_HOSTS = ["testserver"]
    for headers in (
        {"Host": "evil.example"},
        {"Host": "testserver@evil.example"},
        {"Host": "evil.example#testserver"},
        {"X-Forwarded-Host": "evil.example"},
        {"Forwarded": "host=evil.example"},
        {"X-Host": "evil.example"},
        {"X-Forwarded-Server": "evil.example"},
    ):
        user = factories.make_user()
        client = Client(raise_request_exception=False)
        answer = client.post(
            "/accounts/password_reset/", {"email": user.email}, headers=headers
        )
        later("nothing", lambda: None).result(30)
        if "Host" in headers:
            assert (answer.status_code, mail.outbox) == (400, []), headers
            continue
        (sent,) = mail.outbox
        mail.outbox.clear()
        assert sent.to == [user.email]
        assert "evil" not in sent.body, headers
        assert "http://testserver/accounts/reset/" in sent.body
