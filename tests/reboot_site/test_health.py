"""Whether pages can be rendered here, as balancers and operators ask for it."""

import json
import os
import subprocess
import sys

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.db import connection
from django.test import Client

from tests import migrated
from tests.test_architecture import ROOT

PATHS = ("/health", "/health/ready", "/health/live")

pytestmark = pytest.mark.django_db


def drop(table):
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {table}")


def health(client):
    answer = client.get("/health")
    assert client.get("/health/ready").status_code == answer.status_code
    assert client.get("/health/live").status_code == 200
    return answer.status_code, answer.json()["detail"]


# --- The database -------------------------------------------------------------------


@pytest.mark.both
def test_health_tells_of_a_missing_cache_table_and_migrate_makes_it(client):
    assert health(client) == (200, None)
    drop("django_cache")
    told = (503, "The cache table is missing: run manage.py migrate.")
    assert health(client) == told
    call_command("migrate", verbosity=0, interactive=False)
    assert health(client) == (200, None)
    # As the release step of earlier versions goes on.
    call_command("createcachetable", verbosity=0)
    assert health(client) == (200, None)


@pytest.mark.both
def test_health_tells_of_tables_that_migrate_would_not_make(client):
    drop("django_session")
    told = "1 table is missing, though all migrations ran: restore a backup."
    assert health(client) == (503, told)


def test_redis_needs_no_cache_table(client, settings):
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    }
    drop("django_cache")
    call_command("migrate", verbosity=0, interactive=False)
    assert "django_cache" not in connection.introspection.table_names()
    assert health(client) == (200, None)


# --- Static files -------------------------------------------------------------------


@pytest.fixture
def production(settings, tmp_path):
    """The folder where a server in production looks for collected files."""
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "tests.reboot_site.test_static_files.Uncompressed"}
    }
    return tmp_path


def read_again():
    """Read the list of collected files, as a new process does."""
    staticfiles_storage.hashed_files, _ = staticfiles_storage.load_manifest()


def test_health_tells_of_files_that_are_not_collected(client, production):
    status, detail = health(client)
    assert status == 503
    assert detail.endswith(
        " static files are not collected: run manage.py collectstatic, then start the "
        "web process again."
    )
    with pytest.raises(ValueError, match="Missing staticfiles manifest entry"):
        Client().get("/accounts/login/")

    call_command("collectstatic", verbosity=0, interactive=False)
    read_again()
    assert health(client) == (200, None)
    assert client.get("/accounts/login/").status_code == 200

    # Its folder is on a disk that was emptied, or holds an older version's files.
    (production / staticfiles_storage.stored_name("css/site.css")).unlink()
    del staticfiles_storage.hashed_files["js/keys.js"]
    status, detail = health(client)
    assert (status, detail.partition(" ")[0]) == (503, "2")


# --- Whoever asks -------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("host", ["10.20.30.40:8000", "evil.example", "a_b/ ,", ""])
def test_health_answers_whatever_the_host_header_says(client, settings, path, host):
    settings.ALLOWED_HOSTS = ["dashboard.example"]
    settings.SECURE_SSL_REDIRECT = True
    answer = client.get(path, headers={"Host": host})
    good = client.get(path, headers={"Host": "dashboard.example"})
    assert (answer.status_code, answer.content) == (200, good.content)
    assert answer.headers.keys() == good.headers.keys()


@pytest.mark.parametrize("path", ["/health/", "/health/other", "/", "/players"])
def test_other_paths_still_refuse_an_unknown_host(client, settings, path):
    settings.ALLOWED_HOSTS = ["dashboard.example"]
    answer = client.get(path, headers={"Host": "10.20.30.40"})
    assert answer.status_code == 400


# --- From nothing -------------------------------------------------------------------

ASK = """
import json, django
django.setup()
from django.test import Client
client = Client(headers={"Host": "10.20.30.40:8000"})
print(json.dumps([client.get(path).json() for path in ("/health", "/health/live")]))
"""


@pytest.mark.processes
def test_a_new_installation_is_told_what_it_needs(tmp_path):
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "reboot_site.settings",
        "SECRET_KEY": "of-this-test-alone-0123456789-abcdefghijklmnopqrstuvwxyz",
        "ALLOWED_HOSTS": "dashboard.example",
        "DEBUG": "0",
        "HTTPS": "1",
        "VAR_DIR": str(tmp_path),
        **dict.fromkeys(("DATABASE_URL", "REDIS_URL"), ""),
    }

    def run(*command):
        done = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.splitlines()

    def detail():
        health, live = json.loads(run("-c", ASK)[-1])
        assert live == {"status": "alive"}
        return health["detail"]

    assert detail().endswith(" migrations are missing: run manage.py migrate.")
    migrated.make_file(tmp_path / "dashboard.sqlite3")
    run("manage.py", "migrate", "-v0")
    # The database has all that it needs, and a sync can begin.
    assert " static files are not collected" in detail()
