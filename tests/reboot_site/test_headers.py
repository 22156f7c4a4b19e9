"""Headers that harden every answer, whatever it is an answer to."""

import pytest
from django.test import Client

from tests import factories

pytestmark = pytest.mark.django_db

PATHS = (
    *("/", "/athletes/", "/accounts/login/", "/accounts/second-factor/on/"),
    *("/admin/", "/admin/athletes/player/", "/players", "/docs", "/health"),
    *("/nothing-here/", "/players/0"),
)
POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "object-src 'none'",
}


@pytest.fixture
def client():
    client = Client(raise_request_exception=False)
    client.force_login(
        factories.make_superuser(), "django.contrib.auth.backends.ModelBackend"
    )
    return client


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_is_hardened(client, path):
    response = client.get(path)
    policy = response["Content-Security-Policy"]
    assert set(policy.split("; ")) == POLICY
    assert "unsafe" not in policy
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in response["Permissions-Policy"]
    if path != "/health":
        assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("path", ["/accounts/login/", "/players"])
def test_behind_tls_browsers_are_kept_there(settings, path):
    settings.SECURE_HSTS_SECONDS = 31536000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    settings.SECURE_HSTS_PRELOAD = True
    settings.SECURE_SSL_REDIRECT = True
    response = Client().get(path, secure=True)
    assert response["Strict-Transport-Security"] == (
        "max-age=31536000; includeSubDomains; preload"
    )
    plain = Client().get(path)
    assert (plain.status_code, plain["Location"]) == (301, f"https://testserver{path}")


def test_another_host_name_is_refused(client, settings):
    settings.ALLOWED_HOSTS = ["dashboard.example"]
    for path in ("/accounts/login/", "/players"):
        assert client.get(path, headers={"Host": "evil.example"}).status_code == 400
        good = client.get(path, headers={"Host": "dashboard.example"})
        assert good.status_code in {200, 302}


# --- Bodies -----------------------------------------------------------------------


def send(client, path, size, **extra):
    """A request that says it has a body of that size, and who read of it."""
    reader = Unread()
    answer = client.generic(
        "POST",
        path,
        CONTENT_TYPE="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(size),
        **{"wsgi.input": reader},
        **extra,
    )
    return answer, reader.was_read


class Unread:
    was_read = False

    def read(self, *_):
        self.was_read = True
        return b""

    readline = read


@pytest.mark.parametrize("path", ["/accounts/login/", "/syncing/upload/", "/nowhere/"])
@pytest.mark.parametrize("size", [3_000_000, 10**12, "9" * 30])
def test_a_large_body_of_a_stranger_is_not_read(path, size):
    """With the CSRF token in order too, which would otherwise be looked for in it."""
    stranger = Client(enforce_csrf_checks=True)
    stranger.get("/accounts/login/")
    answer, was_read = send(stranger, path, size)
    assert (answer.status_code, was_read) == (413, False)
    assert "2.5\xa0MB" in answer.content.decode()


def test_a_coach_may_not_send_large_files_either_and_staff_within_bounds(settings):
    coach, staff = Client(), Client()
    coach.force_login(factories.make_user())
    staff.force_login(factories.make_staff())
    assert send(coach, "/syncing/upload/", 3_000_000)[0].status_code == 413
    answer, was_read = send(staff, "/syncing/upload/", settings.UPLOAD_MAX_BYTES)
    assert (answer.status_code, was_read) == (200, True)
    too_large = settings.UPLOAD_MAX_BYTES + 1
    assert send(staff, "/syncing/upload/", too_large)[0].status_code == 413
    assert send(staff, "/syncing/", 3_000_000)[0].status_code == 413


def test_programs_are_told_in_their_shape(client):
    answer, was_read = send(client, "/sync/trigger", 3_000_000)
    assert (answer.status_code, was_read) == (413, False)
    assert answer.json() == {"detail": "A request body can have up to 2,621,440 bytes."}
