"""Files on the disk are for the product's own account alone."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from reboot_site import permissions
from tests.test_architecture import ROOT


def mode(path):
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture
def installation(tmp_path):
    """As an earlier version left it: everything can be read by all."""
    var = tmp_path / "var"
    for name in (
        *("dashboard.sqlite3", "dashboard.sqlite3-wal", "dashboard.sqlite3-shm"),
        *("files/archives/a.zip", "backups/old.backup", "metrics/x.db", "secret_key"),
        "static/page.css",
    ):
        path = var / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for path in (var, *var.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return var


def start(var, *command):
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "reboot_site.settings",
            "SECRET_KEY": "of-this-test-alone-0123456789-abcdefghijklmnopqrstuvwxyz",
            "VAR_DIR": str(var),
            **dict.fromkeys(("DATABASE_URL", "REDIS_URL", "BACKUP_DIR"), ""),
        },
        check=False,
        capture_output=True,
        text=True,
        umask=0o022,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


GUNICORN = ("-m", "gunicorn", "--check-config", "--config", "reboot_site/gunicorn.py")


@pytest.mark.processes
@pytest.mark.parametrize(
    "command",
    [
        ("manage.py", "createcachetable"),
        (*GUNICORN, "reboot_site.wsgi"),
        # As any server would load it; and what a child makes.
        (
            *("-c", "import subprocess as s, reboot_site.wsgi as w"),
            "; s.run(['touch', w.os.environ['VAR_DIR'] + '/made'])",
        ),
    ],
    ids=["manage.py", "gunicorn", "wsgi"],
)
def test_a_start_closes_what_an_earlier_version_left_open(installation, command):
    if command[0] == "-c":
        command = ("-c", "".join(command[1:]))
    said = start(installation, *command)
    assert mode(installation) == 0o700
    open_to_others = {
        path.relative_to(installation).as_posix()
        for path in installation.rglob("*")
        if mode(path) & 0o077
    }
    # Everybody's, and behind a closed door all the same.
    assert open_to_others == {"static", "static/page.css"}
    lines = [line for line in said.splitlines() if "reboot_site.permissions" in line]
    assert len(lines) == 1
    assert f"Other accounts of this host could read {installation}" in lines[0]
    assert "They no longer can." in lines[0]


@pytest.mark.processes
def test_a_new_installation_is_closed_from_the_start(tmp_path):
    var = tmp_path / "new" / "var"
    said = start(var, "manage.py", "createcachetable")
    assert (var / "dashboard.sqlite3").stat().st_size > 0
    assert [p for p in (var, *var.rglob("*")) if mode(p) & 0o077] == []
    assert "reboot_site.permissions" not in said


@pytest.fixture
def here(installation, settings):
    settings.VAR_DIR = installation
    settings.BASE_DIR = installation.parent
    settings.BACKUP_DIR = str(installation / "backups")
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(installation / "files")},
        }
    }
    return installation


def test_a_file_of_settings_is_closed(here):
    dotenv = here.parent / ".env"
    dotenv.touch()
    dotenv.chmod(0o664)
    permissions.close_what_is_open()
    assert mode(dotenv) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_what_another_account_owns_is_left_and_named(here, caplog):
    os.chown(here, 54321, 54321)
    permissions.close_what_is_open()
    assert mode(here) == 0o755
    assert mode(here / "files" / "archives" / "a.zip") == 0o600
    warning = caplog.records[-1]
    assert warning.levelname == "WARNING"
    assert f"can read {here}, and this process can't change" in warning.message
    assert "chmod -R go=" in warning.message


def test_a_folder_that_everybody_writes_into_is_left(here, caplog):
    here.chmod(0o1777)
    permissions.close_what_is_open()
    assert mode(here) == 0o1777
    assert f"can read {here}, and" in caplog.records[-1].message


def test_a_link_is_not_followed(here, tmp_path):
    outside = tmp_path / "outside.txt"
    outside.touch()
    outside.chmod(0o644)
    (here / "files" / "link").symlink_to(outside)
    permissions.close_what_is_open()
    assert mode(outside) == 0o644


def test_stored_files_are_closed_also_when_they_are_moved(tmp_path):
    from django.core.files.storage import FileSystemStorage
    from django.core.files.uploadedfile import TemporaryUploadedFile

    store = FileSystemStorage(location=tmp_path)
    file = TemporaryUploadedFile("a.csv", "text/csv", 0, "utf-8")
    Path(file.temporary_file_path()).chmod(0o644)
    name = store.save("folder/a.csv", file)
    file.close()
    assert mode(tmp_path / name) == 0o600
    assert mode(tmp_path / "folder") == 0o700
