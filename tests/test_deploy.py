"""What docs/deploy.md tells a host to run is what the Procfile runs, and exists."""

import configparser
import os
import re
import shutil
import subprocess

import pytest
from django.core.management import get_commands

from tests.test_architecture import ROOT

BINARIES = "/srv/dashboard/.venv/bin/"


def procfile():
    lines = (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
    # Variables in front of a program are a shell's, for what platforms set.
    plain = [re.sub(r": (?:\w+=\S+ )+", ": ", line) for line in lines]
    return dict(line.split(": ", 1) for line in plain)


def units():
    """The release's and the web's unit, and the worker's, which changes the latter."""
    text = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    release, web, changes = re.findall(r"```ini\n(.*?)```", text, re.DOTALL)
    worker = web
    for line in re.findall(r"^\w+=.*$", changes, re.MULTILINE):
        name = line.partition("=")[0]
        worker = re.sub(rf"^{name}=.*$", line, worker, flags=re.MULTILINE)
    return {"release": release, "web": web, "worker": worker}


def commands(unit):
    found = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    assert all(command.startswith(BINARIES) for command in found)
    return [command.removeprefix(BINARIES) for command in found]


@pytest.mark.parametrize("name", ["release", "web", "worker"])
def test_units_run_what_the_procfile_runs(name):
    assert commands(units()[name]) == procfile()[name].split(" && ")


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


@pytest.mark.parametrize("name", ["release", "web", "worker"])
def test_units_are_well_formed(name):
    unit = configparser.RawConfigParser(strict=False)
    unit.read_string(units()[name])
    assert unit["Service"]["EnvironmentFile"] == "/etc/dashboard.env"
    assert unit["Service"]["UMask"] == "0077"
    assert unit["Service"]["ExecStart"]


@pytest.mark.processes
@pytest.mark.parametrize("name", ["release", "web", "worker"])
def test_systemd_understands_the_units(name, tmp_path):
    if shutil.which("systemd-analyze") is None and os.environ.get("CI") != "true":
        pytest.skip("no systemd-analyze")
    for other, text in units().items():
        # Here the program stands elsewhere than on the host.
        text = text.replace(BINARIES, "/usr/bin/env ").replace(
            "User=dashboard", "User=root"
        )
        (tmp_path / f"dashboard-{other}.service").write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", str(tmp_path / f"dashboard-{name}.service")],
        capture_output=True,
        text=True,
        check=False,
        env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:", "PATH": "/usr/bin:/bin"},
    )
    told = [line for line in done.stderr.splitlines() if "dashboard-" in line]
    assert (done.returncode, told) == (0, [])
