"""What the dependency audit says and returns, from outputs of pip-audit."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import audit_dependencies
from scripts.audit_dependencies import Waiver, outcome, read_waivers

pytestmark = pytest.mark.no_database

TODAY = dt.date(2026, 3, 1)
CLEAN = {"name": "segno", "version": "1.6.6", "vulns": []}
# As pip-audit 2.x prints a hit of its PyPI service with --format json.
VULNERABLE = {
    "name": "example",
    "version": "1.0.0",
    "vulns": [
        {
            "id": "PYSEC-2026-1",
            "fix_versions": ["1.0.1", "2.0.0"],
            "aliases": ["CVE-2026-1", "GHSA-aaaa-bbbb-cccc"],
            "description": "An invented one.",
        }
    ],
}
# As pip-audit prints what an index without the JSON API does not know.
SKIPPED = {
    "name": "numpy",
    "skip_reason": "Dependency not found on PyPI and could not be audited: "
    "numpy (2.4.6)",
}
UNREACHABLE = "ERROR:pip_audit._cli:Could not connect to PyPI's vulnerability feed\n"


def run(*packages, code=0, stderr="", waivers=()):
    stdout = json.dumps({"dependencies": list(packages), "fixes": []})
    status, lines = outcome(code, stdout, stderr, waivers=waivers, today=TODAY)
    return status, "\n".join(lines)


def test_clean_packages_pass_and_are_counted():
    status, said = run(CLEAN)
    assert status == 0
    assert said == "1 packages audited, no vulnerability that is not waived."


def test_a_known_vulnerability_fails_and_says_what_to_do():
    status, said = run(CLEAN, VULNERABLE, code=1)
    assert status == 1
    assert "VULNERABLE: example 1.0.0: PYSEC-2026-1, CVE-2026-1" in said
    assert "fixed in 1.0.1, 2.0.0" in said
    assert "make lock" in said
    assert "audit-waivers.toml" in said
    assert "no vulnerability" not in said


@pytest.mark.parametrize("name", ["PYSEC-2026-1", "CVE-2026-1"])
def test_a_waived_vulnerability_passes_with_its_reason(name):
    waiver = Waiver(name, "Only the server part is affected.", TODAY)
    status, said = run(VULNERABLE, code=1, waivers=[waiver])
    assert status == 0
    assert "waived until 2026-03-01: example 1.0.0" in said
    assert "Only the server part is affected." in said


def test_a_waiver_runs_out():
    waiver = Waiver("CVE-2026-1", "Later.", TODAY - dt.timedelta(days=1))
    status, said = run(VULNERABLE, code=1, waivers=[waiver])
    assert status == 1
    assert "ran out on 2026-02-28" in said


def test_packages_that_were_not_found_are_not_called_audited():
    """pip-audit itself then says "No known vulnerabilities found"."""
    status, said = run(SKIPPED, stderr="No known vulnerabilities found\n")
    assert status == 0
    assert said.splitlines() == [
        "not audited: 1 of 1 packages",
        "  Dependency not found on PyPI and could not be audited: numpy",
    ]


def test_a_part_that_was_not_found_is_told_beside_the_audited_part():
    _, said = run(SKIPPED, CLEAN)
    assert "not audited: 1 of 2 packages" in said
    assert "1 packages audited" in said


def test_a_service_that_cannot_be_reached_passes_and_says_so():
    status, lines = outcome(1, "", UNREACHABLE, waivers=[], today=TODAY)
    assert status == 0
    assert lines[0].startswith("not audited: the service cannot be reached.")


@pytest.mark.parametrize(
    ("stdout", "stderr"),
    [("", "Traceback: KeyError"), ("{}", ""), ("[1]", ""), ("not json", "")],
)
def test_what_is_not_understood_fails(stdout, stderr):
    status, _ = outcome(1, stdout, stderr, waivers=[], today=TODAY)
    assert status == 2


def test_waivers_need_a_reason(tmp_path):
    path = tmp_path / "waivers.toml"
    path.write_text('[[waiver]]\nid = "CVE-1"\nreason = " "\nuntil = 2026-03-01\n')
    with pytest.raises(SystemExit):
        read_waivers(path)
    path.write_text('[[waiver]]\nid = "CVE-1"\nreason = "So."\nuntil = 2026-03-01\n')
    assert read_waivers(path) == [Waiver("CVE-1", "So.", TODAY)]
    assert read_waivers(tmp_path / "none.toml") == []


def test_the_waivers_of_this_project_can_be_read():
    for waiver in read_waivers(audit_dependencies.WAIVERS):
        assert waiver.reason


def test_pip_audit_itself_against_a_host_that_answers_nobody(tmp_path):
    """The real program with the real requirements, and no way out."""
    nowhere = "http://127.0.0.1:9"  # the discard port: refused at once
    found = subprocess.run(
        [sys.executable, str(Path(audit_dependencies.__file__))],
        env={
            **os.environ,
            "HTTPS_PROXY": nowhere,
            "HTTP_PROXY": nowhere,
            "https_proxy": nowhere,
            "http_proxy": nowhere,
            "NO_PROXY": "",
            "no_proxy": "",
            "XDG_CACHE_HOME": str(tmp_path),
            "HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert found.returncode == 0, found.stdout + found.stderr
    assert found.stdout.startswith("not audited: ")
    assert "packages audited" not in found.stdout
