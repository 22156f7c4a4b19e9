"""What the dependency audit says and returns, from outputs of pip-audit."""

from __future__ import annotations

import datetime as dt
import json
import os
import ssl
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from scripts import audit_dependencies
from scripts.audit_dependencies import (
    UnknownAnswerError,
    UnreachableError,
    Waiver,
    judge,
    read_run,
    read_waivers,
)
from tests.certificates import make_certificate

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
    report = read_run("pypi", code, stdout, stderr)
    status, lines = judge(report, waivers, TODAY)
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
        "NOT AUDITED: 1 of 1 packages. Whether they are vulnerable is not known.",
        "  numpy",
        "    pypi.org has no answer about it (404), as a mirror without the JSON API",
    ]


def test_a_part_that_was_not_found_is_told_beside_the_audited_part():
    _, said = run(SKIPPED, CLEAN)
    assert "NOT AUDITED: 1 of 2 packages" in said
    assert "1 packages audited" in said


def test_a_service_that_cannot_be_reached_is_told_apart():
    with pytest.raises(UnreachableError, match="PyPI cannot be reached: ERROR"):
        read_run("pypi", 1, "", UNREACHABLE)


@pytest.mark.parametrize(
    ("stdout", "stderr"),
    [("", "Traceback: KeyError"), ("{}", ""), ("[1]", ""), ("not json", "")],
)
def test_what_is_not_understood_fails(stdout, stderr):
    with pytest.raises(UnknownAnswerError):
        read_run("pypi", 1, stdout, stderr)


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


# --- The real pip-audit, and an internet in which we say what there is --------------


class Internet:
    """A proxy that answers in the place of pypi.org and api.osv.dev, over TLS.

    `answers` gives status and body by host; who is not in it cannot be reached.
    """

    def __init__(self, folder: Path) -> None:
        self.answers: dict[str, tuple[int, object]] = {}
        self.asked: list[tuple[str, str]] = []
        self.certificate = folder / "certificate.pem"
        key = folder / "key.pem"
        make_certificate(self.certificate, key, "pypi.org", "api.osv.dev")
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self.certificate, key)
        internet = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_CONNECT(self) -> None:
                self.host = self.path.partition(":")[0]
                if self.host not in internet.answers:
                    self.send_error(502)
                    return
                self.send_response(200)
                self.end_headers()
                self.connection = tls.wrap_socket(self.connection, server_side=True)
                self.rfile = self.connection.makefile("rb")
                self.wfile = self.connection.makefile("wb", 0)
                self.close_connection = False

            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                internet.asked.append((self.host, self.path))
                status, body = internet.answers[self.host]
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = answer  # names of the library

            def finish(self) -> None:
                super().finish()
                self.connection.close()  # the one over TLS; the server knows it not

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def internet(tmp_path):
    made = Internet(tmp_path)
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def check(internet, tmp_path):
    """Runs the script as `make check` does; exit status and what it said."""
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"example-package==1.0.0 --hash=sha256:{'0' * 64}\n")

    def call(*arguments, **environment):
        proxies = dict.fromkeys(
            ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"), internet.url
        )
        found = subprocess.run(
            [
                *(sys.executable, str(Path(audit_dependencies.__file__))),
                *("--requirements", str(requirements), *arguments),
            ],
            env=os.environ
            | proxies
            | {
                "NO_PROXY": "",
                "no_proxy": "",
                "REQUESTS_CA_BUNDLE": str(internet.certificate),
                "XDG_CACHE_HOME": str(tmp_path),
                "HOME": str(tmp_path),
            }
            | environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        return found.returncode, found.stdout + found.stderr

    return call


NO_JSON = (404, {"message": "Not Found"})
# As the two services tell of a vulnerability.
PYPI_KNOWS = {
    "info": {"name": "example-package", "version": "1.0.0"},
    "vulnerabilities": [
        {
            "id": "PYSEC-2026-1",
            "aliases": ["CVE-2026-1"],
            "details": "An invented one.",
            "summary": None,
            "fixed_in": ["1.0.1"],
            "withdrawn": None,
            "published": "2026-01-01T00:00:00Z",
        }
    ],
}
OSV_KNOWS = {
    "vulns": [
        {
            "schema_version": "1.7.0",
            "id": "GHSA-aaaa-bbbb-cccc",
            "aliases": ["CVE-2026-1"],
            "summary": "An invented one.",
            "affected": [
                {
                    "package": {"name": "example-package", "ecosystem": "PyPI"},
                    "ranges": [
                        {
                            "type": "ECOSYSTEM",
                            "events": [{"introduced": "0"}, {"fixed": "1.0.1"}],
                        }
                    ],
                }
            ],
        }
    ]
}


def test_a_vulnerability_that_pypi_knows_fails(internet, check):
    internet.answers = {"pypi.org": (200, PYPI_KNOWS)}
    status, said = check()
    assert status == 1, said
    assert "VULNERABLE: example-package 1.0.0: PYSEC-2026-1, CVE-2026-1" in said
    assert "fixed in 1.0.1." in said
    assert internet.asked == [("pypi.org", "/pypi/example-package/1.0.0/json")]


@pytest.mark.parametrize("pypi", [{}, {"pypi.org": NO_JSON}])
def test_what_pypi_does_not_answer_is_asked_of_osv(internet, check, pypi):
    internet.answers = pypi | {"api.osv.dev": (200, OSV_KNOWS)}
    status, said = check()
    assert status == 1, said
    assert "VULNERABLE: example-package 1.0.0" in said
    assert "GHSA-aaaa-bbbb-cccc" in said
    internet.answers["api.osv.dev"] = (200, {})
    status, said = check("--strict")
    assert (status, said) == (
        0,
        "1 packages audited, no vulnerability that is not waived.\n",
    )


def test_where_nobody_answers_it_says_so_and_fails_when_asked_to(internet, check):
    internet.answers = {"pypi.org": NO_JSON, "api.osv.dev": (503, {})}
    status, said = check()
    assert status == 0, said
    assert said.startswith("NOT AUDITED: 1 of 1 packages. Whether they are vulnerable")
    assert "no answer about it (404)" in said
    assert "OSV cannot be reached" in said
    assert "packages audited" not in said
    internet.answers = {}
    assert check("--strict")[0] == 3
    status, said = check(AUDIT_STRICT="1")
    assert status == 3
    assert "PyPI cannot be reached" in said


def test_the_real_requirements_can_be_read(internet, check):
    """All pins that hold on this system are asked about, with nothing resolved."""
    internet.answers = {"pypi.org": (200, {"vulnerabilities": []})}
    status, said = check("--requirements", str(audit_dependencies.REQUIREMENTS))
    assert status == 0, said
    asked = {path.split("/")[2] for _, path in internet.asked}
    assert {"django", "cryptography", "numpy", "pytest"} <= asked
    assert said.startswith(f"{len(asked)} packages audited")
