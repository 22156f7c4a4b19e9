"""Locked logins: counted as django-axes counts, unlocked by staff, in the audit."""

import datetime as dt

import pytest
from axes.models import AccessAttempt, AccessLog
from django.utils import timezone

from accounts import locks
from accounts.models import Action, AuditEntry, FailedLogin
from tests import factories

pytestmark = pytest.mark.django_db

LOGIN = "/accounts/login/"


def fail(client, username, times, browser="one"):
    for _ in range(times):
        response = client.post(
            LOGIN,
            {"username": username, "password": "wrong"},
            headers={"User-Agent": browser},
        )
    return response


def logs_in(client, user):
    fields = {"username": user.username, "password": factories.PASSWORD}
    return client.post(LOGIN, fields).status_code == 302


def test_two_browsers_lock_one_login_together(client):
    user = factories.make_user()
    fail(client, user.username, 4, "one")
    assert list(locks.locked_logins()) == []
    assert fail(client, user.username, 4, "two").status_code == 429
    assert [row["username"] for row in locks.locked_logins()] == [user.username]
    assert locks.locked(AccessAttempt.objects.all()).count() == 2


def test_a_lock_ends_by_itself(client):
    user = factories.make_user()
    fail(client, user.username, 8)
    AccessAttempt.objects.update(attempt_time=timezone.now() - dt.timedelta(minutes=16))
    FailedLogin.objects.update(at=timezone.now() - dt.timedelta(minutes=16))
    assert list(locks.locked_logins()) == []
    assert logs_in(client, user)


@pytest.fixture
def staff(client):
    user = factories.make_staff()
    client.force_login(user)
    return user


@pytest.mark.parametrize("way", ["action", "delete"])
def test_staff_unlock_and_the_audit_has_it(client, staff, way):
    coach = factories.make_user()
    stranger = type(client)()
    fail(stranger, coach.username, 4, "one")
    fail(stranger, coach.username, 4, "two")
    assert not logs_in(stranger, coach)
    pk = AccessAttempt.objects.first().pk
    if way == "action":
        answer = client.post(
            "/admin/axes/accessattempt/", {"action": "unlock", "_selected_action": [pk]}
        )
    else:
        answer = client.post(f"/admin/axes/accessattempt/{pk}/delete/", {"post": "yes"})
    assert answer.status_code == 302
    assert not AccessAttempt.objects.exists()
    assert logs_in(stranger, coach)
    entry = AuditEntry.objects.get(action=Action.LOGIN_UNLOCKED)
    assert (entry.user, entry.subject_type, entry.subject_id) == (
        staff,
        "accounts.user",
        coach.pk,
    )
    assert entry.detail == {"was_locked": True}


def test_an_unlocked_name_that_nobody_has_is_not_written_down(client, staff):
    fail(type(client)(), "MyPassword123", 1)
    pk = AccessAttempt.objects.get().pk
    client.post(
        "/admin/axes/accessattempt/", {"action": "unlock", "_selected_action": [pk]}
    )
    entry = AuditEntry.objects.get(action=Action.LOGIN_UNLOCKED)
    assert (entry.subject_id, entry.detail) == (None, {"was_locked": False})


def test_the_list_says_what_is_locked(client, staff):
    coach, other = factories.make_user(), factories.make_user()
    fail(type(client)(), coach.username, 8)
    fail(type(client)(), other.username, 1)
    page = client.get("/admin/axes/accessattempt/").content.decode()
    assert "Wrong passwords and locked logins" in page
    assert page.count("locked until") == 1
    assert page.count(">not locked<") == 1
    for value, user in (("yes", coach), ("no", other)):
        listed = client.get(f"/admin/axes/accessattempt/?locked={value}").context["cl"]
        assert [row.username for row in listed.result_list] == [user.username]


def test_what_was_typed_is_not_shown(client, staff):
    fail(type(client)(), "somebody", 1)
    attempt = AccessAttempt.objects.get()
    page = client.get(f"/admin/axes/accessattempt/{attempt.pk}/change/")
    assert page.status_code == 200
    assert "field-ip_address" in page.content.decode()
    assert "post_data" not in page.content.decode()


def test_logins_are_not_deleted_by_hand(client, staff):
    coach = factories.make_user()
    assert logs_in(type(client)(), coach)
    pk = AccessLog.objects.get(username=coach.username).pk
    assert client.get(f"/admin/axes/accesslog/{pk}/change/").status_code == 200
    answer = client.post(f"/admin/axes/accesslog/{pk}/delete/", {"post": "yes"})
    assert answer.status_code == 403
    assert AccessLog.objects.filter(pk=pk).exists()


def test_the_start_page_has_no_list_without_effect(client):
    client.force_login(factories.make_superuser())
    page = client.get("/admin/").content.decode()
    assert "Logins" in page
    for word in ("Axes", "Groups", "Access failures", "Authentication and"):
        assert word not in page
    assert client.get("/admin/auth/group/").status_code == 404
