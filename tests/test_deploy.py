"""What docs/deploy.md tells a host to run is what the Procfile runs, and exists."""

import configparser
import os
import pwd
import re
import shlex
import shutil
import subprocess
import time

import pytest
from django.conf import settings
from django.core.management import get_commands

from tests.certificates import make_certificate
from tests.test_architecture import ROOT
from tests.test_docs import variables_read

BINARIES = "/srv/dashboard/.venv/bin/"
DEPLOY = ROOT / "deploy"
UNITS = {path.name: path.read_text("utf-8") for path in (DEPLOY / "systemd").iterdir()}
PAGE = (ROOT / "docs" / "deploy.md").read_text("utf-8")
SERVICES = sorted(name for name in UNITS if name.endswith(".service"))


def procfile():
    lines = (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
    # Variables in front of a program are a shell's, for what platforms set.
    before = re.compile(r": (?:\w+=\S+ )+(?:env (?:-u \w+ )+)?")
    plain = [before.sub(": ", line) for line in lines]
    return dict(line.split(": ", 1) for line in plain)


def commands(unit):
    found = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    assert all(command.startswith(BINARIES) for command in found)
    return [command.removeprefix(BINARIES) for command in found]


@pytest.mark.parametrize("name", ["release", "web", "worker"])
def test_units_run_what_the_procfile_runs(name):
    unit = UNITS[f"dashboard-{name}.service"]
    assert commands(unit) == procfile()[name].split(" && ")


def test_what_the_procfile_runs_exists():
    known = get_commands()
    for command in " && ".join(procfile().values()).split(" && "):
        words = command.split()
        if words[0] == "python":
            assert words[1] == "manage.py"
            assert words[2] in known
        else:
            assert words[:3] == ["gunicorn", "reboot_site.wsgi", "--config"]
            assert (ROOT / words[3]).is_file()


@pytest.mark.parametrize("name", SERVICES)
def test_units_run_as_the_account_that_reads_the_settings(name):
    """No EnvironmentFile: systemd reads one by other rules than all commands do."""
    unit = configparser.RawConfigParser(strict=False)
    unit.read_string(UNITS[name])
    service = unit["Service"]
    assert service["User"] == "dashboard"
    assert service["UMask"] == "0077"
    assert service["StateDirectory"].startswith("dashboard")
    assert service["StateDirectoryMode"] == "0700"
    assert "EnvironmentFile" not in service
    assert "Environment" not in service


def programs(unit):
    """The unit with programs of this machine for those that only the host has."""
    unit = unit.replace(BINARIES, "/usr/bin/env ")
    return unit.replace("User=dashboard", "User=root")


@pytest.mark.processes
@pytest.mark.parametrize("name", sorted(UNITS))
def test_systemd_understands_the_units(name, tmp_path):
    needed("systemd-analyze")
    for other, text in UNITS.items():
        (tmp_path / other).write_text(programs(text), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", str(tmp_path / name)],
        capture_output=True,
        text=True,
        check=False,
        env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:", "PATH": "/usr/bin:/bin"},
    )
    told = [line for line in done.stderr.splitlines() if "dashboard-" in line]
    assert (done.returncode, told) == (0, [])


def needed(program):
    """Skip without the program; in continuous integration it has to be there."""
    found = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None and os.environ.get("CI") != "true":
        pytest.skip(f"no {program}")
    return found


@pytest.mark.parametrize("name", sorted(n for n in UNITS if n.endswith(".timer")))
def test_timers_start_a_unit_that_exists_and_are_switched_on(name):
    assert name.replace(".timer", ".service") in UNITS
    (switched_on,) = re.findall(r"^systemctl enable --now (.*)$", PAGE, re.MULTILINE)
    assert name in switched_on.split()
    assert "WantedBy=timers.target" in UNITS[name]


def shell(unit, kind, folder):
    """Run what a unit says, in a folder in place of its own; returns exit statuses."""
    (own,) = re.findall(r"^WorkingDirectory=(.*)$", UNITS[unit], re.MULTILINE)
    assert own == "/var/lib/dashboard/backups"
    found = re.findall(rf"^{kind}=(.*)$", UNITS[unit], re.MULTILINE)
    lines = [line.replace("%%", "%").replace("$$", "$") for line in found]
    return [
        subprocess.run(shlex.split(line), cwd=folder, check=False).returncode
        for line in lines
    ]


@pytest.mark.processes
def test_rotation_deletes_old_backups_while_new_ones_arrive(tmp_path):
    days = {"new": 0, "month": 29, "old": 32, "older": 90}
    for name, age in days.items():
        path = tmp_path / f"dashboard-{name}.backup"
        path.touch()
        os.utime(path, (time.time() - age * 86400,) * 2)
    (tmp_path / "by-hand.backup").touch()
    os.utime(tmp_path / "by-hand.backup", (0, 0))
    unit = "dashboard-rotate.service"
    assert shell(unit, "ExecCondition", tmp_path) == [0]
    assert shell(unit, "ExecStart", tmp_path) == [0]
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"dashboard-new.backup", "dashboard-month.backup", "by-hand.backup"}

    (tmp_path / "dashboard-new.backup").unlink()
    assert shell(unit, "ExecCondition", tmp_path) == [1]


@pytest.mark.processes
def test_the_backup_unit_writes_a_file_that_rotation_knows(tmp_path):
    (line,) = re.findall(
        r"^ExecStart=(.*)$", UNITS["dashboard-backup.service"], re.MULTILINE
    )
    line = line.replace("%%", "%").replace("$$", "$")
    line = line.replace(".venv/bin/python manage.py backup", "touch")
    line = line.replace("/var/lib/dashboard/backups", str(tmp_path))
    subprocess.run(shlex.split(line), check=True)
    (path,) = tmp_path.iterdir()
    assert re.fullmatch(r"dashboard-\d{8}T\d{6}Z\.backup", path.name)


@pytest.mark.processes
def test_commands_by_hand_see_the_settings_and_nothing_else(tmp_path):
    """Whoever calls from wherever: folder, account and environment of the services."""
    shown = tmp_path / ".venv" / "bin" / "python"
    shown.parent.mkdir(parents=True)
    shown.write_text('#!/bin/sh\necho "$@"\npwd\nenv\n', encoding="utf-8")
    shown.chmod(0o755)
    text = (DEPLOY / "dashboard").read_text("utf-8")
    account = pwd.getpwuid(os.geteuid()).pw_name
    text = text.replace("/srv/dashboard", str(tmp_path)).replace(
        "= dashboard ]", f"= {account} ]"
    )
    script = tmp_path / "dashboard"
    script.write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["sh", str(script), "sync", "--since", "2026-01-01"],
        cwd="/",
        env=os.environ | {"DATABASE_URL": "of the caller", "HTTPS": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    called, folder, *environment = done.stdout.splitlines()
    assert called == "manage.py sync --since 2026-01-01"
    assert folder == str(tmp_path)
    names = {line.partition("=")[0] for line in environment}
    assert names - {"PWD", "OLDPWD", "SHLVL", "_"} == {"HOME", "LANG", "PATH", "TERM"}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate and its key for dashboard.example."""
    folder = tmp_path_factory.mktemp("tls")
    paths = folder / "certificate.pem", folder / "key.pem"
    make_certificate(*paths, "dashboard.example")
    return paths


@pytest.mark.processes
def test_nginx_understands_its_file(certificate, tmp_path):
    nginx = needed("nginx")
    site = (DEPLOY / "nginx.conf").read_text("utf-8")
    for path, own in zip(
        ("/etc/ssl/dashboard.pem", "/etc/ssl/private/dashboard.key"),
        certificate,
        strict=True,
    ):
        assert path in site
        site = site.replace(path, str(own))
    # 80 and 443 need rights, and may be taken.
    site = site.replace(":443 ", ":8443 ").replace(" 443 ", " 8443 ")
    site = site.replace(":80;", ":8480;").replace(" 80;", " 8480;")
    (tmp_path / "site").write_text(site, encoding="utf-8")
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid; error_log stderr; events {{}}"
        f" http {{ access_log off; include {tmp_path}/site; }}",
        encoding="utf-8",
    )
    done = subprocess.run(
        [nginx, "-t", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr.replace('the "listen ... http2"', "")


@pytest.mark.processes
def test_caddy_understands_its_file():
    caddy = needed("caddy")
    done = subprocess.run(
        [caddy, "validate", "--adapter", "caddyfile", "--config", DEPLOY / "Caddyfile"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "not formatted" not in done.stderr


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile"])
def test_proxies_let_through_what_the_product_takes(name):
    text = (DEPLOY / name).read_text("utf-8")
    assert settings.UPLOAD_MAX_BYTES == 2400 * 1_000_000
    assert re.search(r"2400(m;|MB$)", text, re.MULTILINE)
    assert "127.0.0.1:8000" in text


def test_the_page_names_only_files_that_are_there_and_all_of_them():
    for name in re.findall(r"^install -m \d+ (deploy/\S+) ", PAGE, re.MULTILINE):
        assert list(ROOT.glob(name)), name
    for path in DEPLOY.iterdir():
        assert f"deploy/{path.name}" in PAGE


def test_settings_of_the_page_are_settings():
    (block,) = re.findall(r"```sh\n(ALLOWED_HOSTS=.*?)```", PAGE, re.DOTALL)
    names = {line.partition("=")[0] for line in block.splitlines()}
    assert names <= variables_read()
