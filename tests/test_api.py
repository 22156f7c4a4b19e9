"""What holds for every JSON path: who may call, the error shape, caching, docs."""

import json
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken
from accounts.services import create_token
from reboot_site.api import api
from syncing.models import WorkerHeartbeat
from tests import factories
from tests.openapi import assert_documented

pytestmark = pytest.mark.django_db

PUBLIC = {"/health", "/health/live", "/health/ready"}
OPERATIONS = [
    (path, method)
    for path, methods in api.get_openapi_schema()["paths"].items()
    for method in methods
]
GUARDED = [operation for operation in OPERATIONS if operation[0] not in PUBLIC]
READS = [path for path, method in GUARDED if method == "get"]


@pytest.fixture
def rows():
    """One row of everything, and the paths that lead to them."""
    frames = factories.make_frames()
    movement = frames.movement
    return {
        "players": movement.session.player_id,
        "sessions": movement.session_id,
        "movements": movement.pk,
    }


def call(client, path, method, rows=None, **options):
    kind = path.split("/")[1]
    return getattr(client, method)(path.format(id=(rows or {}).get(kind, 1)), **options)


def assert_problem(response, status):
    assert response.status_code == status
    assert response["Content-Type"] == "application/json"
    assert list(response.json()) == ["detail"]


def test_contract_paths_are_all_there():
    assert set(OPERATIONS) >= {
        ("/players", "get"),
        ("/players/{id}", "get"),
        ("/players/{id}/sessions", "get"),
        ("/players/{id}/changes", "get"),
        ("/sessions", "get"),
        ("/movements", "get"),
        ("/exports/metrics", "get"),
        ("/sessions/{id}", "get"),
        ("/sessions/{id}/metrics", "get"),
        ("/sessions/{id}/data", "get"),
        ("/sessions/{id}/movements", "get"),
        ("/movements/{id}", "get"),
        ("/movements/{id}/data", "get"),
        ("/sync/trigger", "post"),
        ("/sync/status", "get"),
        ("/stats", "get"),
        ("/health", "get"),
    }


# --- Who may call ---------------------------------------------------------------


@pytest.mark.parametrize(("path", "method"), GUARDED)
def test_nobody_gets_in_without_a_login(client, rows, path, method):
    response = call(client, path, method, rows)
    assert_problem(response, 401)
    assert_documented(response, path, method)
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header",
    ["Bearer swd_wrong", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "", "swd_x", "é"],
)
@pytest.mark.parametrize(("path", "method"), GUARDED)
def test_a_wrong_token_does_not_get_in(client, rows, path, method, header):
    # Not even beside a valid session: the program meant to be somebody else.
    client.force_login(factories.make_superuser())
    response = call(client, path, method, rows, headers={"Authorization": header})
    assert_problem(response, 401)


@pytest.mark.parametrize("who", ["read", "sync", "coach", "staff"])
@pytest.mark.parametrize("path", READS)
def test_reads_are_open_to_tokens_and_sessions(client, rows, path, who):
    headers = {}
    if who == "coach":
        client.force_login(factories.make_user())
    elif who == "staff":
        client.force_login(factories.make_staff())
    else:
        headers = factories.make_token(who)
    response = call(client, path, "get", rows, headers=headers)
    assert response.status_code == 200
    files = {
        "/exports/metrics": "text/csv; charset=utf-8",
        "/sessions/{id}/data": "application/vnd.apache.parquet",
    }
    assert response["Content-Type"] == files.get(path, "application/json")


@pytest.mark.parametrize("how", ["revoked", "expired"])
def test_ended_tokens_do_not_get_in(client, how):
    token, secret = create_token(name="ended")
    headers = {"Authorization": f"Bearer {secret}"}
    assert client.get("/players", headers=headers).status_code == 200
    moment = timezone.now() - timedelta(seconds=1)
    field = "revoked_at" if how == "revoked" else "expires_at"
    ApiToken.objects.filter(pk=token.pk).update(**{field: moment})
    assert_problem(client.get("/players", headers=headers), 401)


def test_scheme_is_read_in_any_case(client):
    header = factories.make_token()["Authorization"]
    headers = {"Authorization": header.replace("Bearer", "bearer")}
    assert client.get("/players", headers=headers).status_code == 200


def test_a_session_that_changes_state_needs_the_csrf_token():
    client = Client(enforce_csrf_checks=True)
    client.force_login(factories.make_staff())
    response = client.post("/sync/trigger")
    assert_problem(response, 403)
    assert "CSRF" in response.json()["detail"]
    page = client.get("/docs")
    token = client.cookies["csrftoken"].value
    assert page.status_code == 200
    ok = client.post("/sync/trigger", headers={"X-CSRFToken": token})
    assert ok.status_code == 202


def test_a_token_needs_no_csrf_token():
    client = Client(enforce_csrf_checks=True)
    headers = factories.make_token("sync")
    assert client.post("/sync/trigger", headers=headers).status_code == 202


def test_an_inactive_user_does_not_get_in(client):
    user = factories.make_user()
    client.force_login(user)
    user.is_active = False
    user.save()
    assert_problem(client.get("/players"), 401)


def test_too_many_calls_are_told_to_wait(client, settings):
    settings.API_TOKEN_CALLS_PER_MINUTE = 3
    cache.clear()
    headers, other = factories.make_token(), factories.make_token()
    statuses = [client.get("/stats", headers=headers).status_code for _ in range(4)]
    # The minute may turn in between; then one call more goes through.
    if statuses[-1] == 200:
        statuses = [client.get("/stats", headers=headers).status_code for _ in range(4)]
    assert statuses[-1] == 429
    response = client.get("/stats", headers=headers)
    assert_problem(response, 429)
    assert_documented(response, "/stats")
    assert 1 <= int(response["Retry-After"]) <= 60
    assert client.get("/stats", headers=other).status_code == 200


# --- The error shape -----------------------------------------------------------


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_wrong_methods_are_told_in_the_error_shape(client, rows, path, method):
    headers = factories.make_token("sync")
    response = call(client, path, "delete", rows, headers=headers)
    assert_problem(response, 405)
    assert response["Allow"] == ("GET, HEAD" if method == "get" else "POST")
    assert method.upper() in response.json()["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "/players/",
        "/players/1/",
        "/players/1/nothing",
        "/exports",
        "/sync",
        "/sync/",
        "/stats/more",
        "/docs/",
        "/health/other",
        "/openapi.json/",
        "/definitions/x",
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_unknown_paths_are_told_in_the_error_shape(client, path, method):
    assert_problem(getattr(client, method)(path), 401)
    response = getattr(client, method)(path, headers=factories.make_token())
    assert_problem(response, 404)


@pytest.mark.parametrize(
    ("path", "method"), [row for row in OPERATIONS if row[0] not in PUBLIC]
)
def test_refused_hosts_are_told_in_the_error_shape(client, rows, path, method):
    assert_problem(
        call(client, path, method, rows, headers={"Host": "elsewhere.example"}), 400
    )


@pytest.fixture
def broken_table():
    """The table of athletes under another name, as after half a migration."""

    def rename(old, new):
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {old} RENAME TO {new}")

    rename("players", "players_away")
    yield
    rename("players_away", "players")


@pytest.mark.django_db(transaction=True)
def test_crashes_are_told_in_the_error_shape_without_details(broken_table):
    client = Client(raise_request_exception=False)
    response = client.get("/players", headers=factories.make_token())
    assert_problem(response, 500)
    assert_documented(response, "/players")
    assert response.json() == {"detail": "Internal Server Error"}


@pytest.mark.parametrize("path", [path for path in READS if "{" in path])
def test_invalid_ids_are_told_in_the_error_shape(client, path):
    ids = {"players": "x", "sessions": "x", "movements": "x"}
    response = call(client, path, "get", ids, headers=factories.make_token())
    assert_problem(response, 422)
    assert_documented(response, path)
    # What was sent may be somebody's name and is not repeated.
    assert set(response.json()["detail"][0]) == {"type", "loc", "msg"}


@pytest.mark.parametrize("path", [path for path in READS if "{" in path])
def test_unknown_ids_are_told_in_the_error_shape(client, path):
    ids = dict.fromkeys(("players", "sessions", "movements"), 2**40)
    response = call(client, path, "get", ids, headers=factories.make_token())
    assert_problem(response, 404)
    assert_documented(response, path)


# --- Reading again ---------------------------------------------------------------


@pytest.mark.parametrize("path", READS)
def test_unchanged_answers_are_not_sent_again(client, rows, path):
    headers = factories.make_token()
    first = call(client, path, "get", rows, headers=headers)
    assert first["ETag"].startswith('"')
    again = call(
        client, path, "get", rows, headers=headers | {"If-None-Match": first["ETag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == first["ETag"]
    other = call(
        client, path, "get", rows, headers=headers | {"If-None-Match": '"other"'}
    )
    assert other.status_code == 200


def test_a_changed_row_changes_the_etag(client):
    player = factories.make_player()
    headers = factories.make_token()
    etag = client.get(f"/players/{player.pk}", headers=headers)["ETag"]
    player.weight_lbs = 190.5
    player.save()
    response = client.get(
        f"/players/{player.pk}", headers=headers | {"If-None-Match": etag}
    )
    assert response.status_code == 200
    assert response.json()["weight_lbs"] == 190.5


def test_browsers_keep_nothing_and_programs_ask_again(client):
    headers = factories.make_token()
    program = client.get("/players", headers=headers)
    assert program["Cache-Control"] == "private, no-cache"
    assert "Authorization" in program["Vary"]
    client.force_login(factories.make_user())
    browser = client.get("/players")
    assert browser["Cache-Control"] == "private, no-store"
    assert "Cookie" in browser["Vary"]


@pytest.mark.parametrize("path", [*READS, *sorted(PUBLIC)])
def test_head_answers_like_get_without_a_body(client, rows, path):
    headers = factories.make_token()
    whole = call(client, path, "get", rows, headers=headers)
    response = call(client, path, "head", rows, headers=headers)
    assert (response.status_code, response.content) == (200, b"")
    assert response["Content-Type"] == whole["Content-Type"]
    assert response.get("ETag") == whole.get("ETag")


@pytest.mark.parametrize("path", READS)
def test_answers_fit_their_documented_schema(client, rows, path):
    response = call(client, path, "get", rows, headers=factories.make_token())
    if response.streaming:
        body = b"".join(response.streaming_content)
        response.json = lambda: json.loads(body, parse_constant=pytest.fail)
    assert_documented(response, path)


# --- Health ----------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/health", "/health/ready"])
def test_health_needs_no_login(client, path):
    response = client.get(path)
    assert response.status_code == 200
    assert_documented(response, path)
    body = response.json()
    assert (body["status"], body["detail"]) == ("healthy", None)
    assert body["migrations_missing"] == 0
    assert body["worker"] == {
        "state": "never_seen",
        "heartbeat_age_s": None,
        "hosts": 0,
        "silent_hosts": 0,
        "queue_length": 0,
    }
    assert response["Cache-Control"] == "private, no-store"


def test_health_tells_of_workers_on_all_hosts(client):
    now = timezone.now()
    for host, minutes in (("one", 0), ("two", 20)):
        beat_at = now - timedelta(minutes=minutes)
        WorkerHeartbeat.objects.create(host=host, beat_at=beat_at)
    response = client.get("/health")
    assert_documented(response, "/health")
    worker = response.json()["worker"]
    assert worker.pop("heartbeat_age_s") < 60
    assert worker == {
        "state": "running",
        "hosts": 2,
        "silent_hosts": 1,
        "queue_length": 0,
    }
    assert b"two" not in response.content

    WorkerHeartbeat.objects.update(beat_at=now - timedelta(minutes=20))
    worker = client.get("/health").json()["worker"]
    assert (worker["state"], worker["silent_hosts"]) == ("silent", 2)


def test_health_says_which_migrations_are_missing(client):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
    response = client.get("/health")
    assert response.status_code == 503
    assert_documented(response, "/health")
    assert response.json() == {
        "status": "unhealthy",
        "detail": "1 migration is missing: run manage.py migrate.",
        "migrations_missing": 1,
        "worker": None,
    }
    assert client.get("/health/ready").status_code == 503
    assert client.get("/health/live").json() == {"status": "alive"}


def test_health_costs_few_queries(client, django_assert_max_num_queries):
    client.get("/health")
    with django_assert_max_num_queries(6):
        client.get("/health")


# --- Documentation -----------------------------------------------------------------


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_documentation_is_behind_a_login_or_token(client, path):
    assert_problem(client.get(path), 401)
    assert client.get(path, headers=factories.make_token()).status_code == 200
    client.force_login(factories.make_user())
    assert client.get(path).status_code == 200


def test_a_person_is_led_from_the_docs_to_the_login(client):
    response = client.get("/docs", headers={"Accept": "text/html,*/*;q=0.8"})
    assert response.status_code == 302
    assert response["Location"] == "/accounts/login/?next=/docs"


def test_openapi_document_is_version_3_1(client):
    response = client.get("/openapi.json", headers=factories.make_token())
    document = response.json()
    assert document["openapi"] == "3.1.0"
    assert document["components"]["securitySchemes"]["BearerToken"] == {
        "type": "http",
        "scheme": "bearer",
    }
    assert "http" not in json.dumps(document["servers"])
    again = client.get(
        "/openapi.json",
        headers=factories.make_token() | {"If-None-Match": response["ETag"]},
    )
    assert again.status_code == 304


def test_docs_load_nothing_from_elsewhere(client):
    client.force_login(factories.make_user())
    page = client.get("/docs").content.decode()
    assert "://" not in page
    assert "<style" not in page
    settings = json.loads(
        page.split('type="application/json">')[1].split("</script>")[0]
    )
    assert settings["persistAuthorization"] is False
    assert settings["validatorUrl"] is None
    assert settings["url"] == "/openapi.json"
