"""What the dependency audit says and returns, with the real pip-audit."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import ssl
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from scripts import audit_dependencies
from tests.certificates import make_certificate

pytestmark = pytest.mark.processes

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


CLEAN = {"vulnerabilities": []}


def test_a_vulnerability_that_pypi_knows_fails(internet, check):
    internet.answers = {"pypi.org": (200, PYPI_KNOWS)}
    status, said = check()
    assert status == 1, said
    assert "Found 1 known vulnerability in 1 package" in said
    assert re.search(r"example-package +1\.0\.0 +PYSEC-2026-1 +1\.0\.1", said)
    assert "make lock" in said
    assert "audit-waivers.toml" in said
    assert internet.asked == [("pypi.org", "/pypi/example-package/1.0.0/json")]


def test_clean_packages_pass(internet, check):
    internet.answers = {"pypi.org": (200, CLEAN)}
    assert check("--strict") == (0, "No known vulnerabilities found (pypi).\n")


def test_a_waiver_holds_until_its_day(internet, check, tmp_path):
    internet.answers = {"pypi.org": (200, PYPI_KNOWS)}
    waivers = tmp_path / "waivers.toml"
    today = dt.datetime.now(dt.UTC).date()
    entry = '[[waiver]]\nid = "{}"\nreason = "{}"\nuntil = {}\n'
    for name in ("PYSEC-2026-1", "CVE-2026-1"):
        waivers.write_text(entry.format(name, "Only its server.", today))
        status, said = check("--waivers", str(waivers))
        assert status == 0, said
        assert f"waived until {today}: {name}: Only its server." in said
    yesterday = today - dt.timedelta(days=1)
    waivers.write_text(entry.format(name, "Only its server.", yesterday))
    status, said = check("--waivers", str(waivers))
    assert status == 1
    assert f"the waiver of {name} ran out on {yesterday}" in said
    waivers.write_text(entry.format(name, " ", today))
    assert "has no reason" in check("--waivers", str(waivers))[1]


@pytest.mark.parametrize("pypi", [{}, {"pypi.org": NO_JSON}])
def test_what_pypi_does_not_answer_is_asked_of_osv(internet, check, pypi):
    internet.answers = pypi | {"api.osv.dev": (200, OSV_KNOWS)}
    status, said = check()
    assert status == 1, said
    assert re.search(r"example-package +1\.0\.0 +CVE-2026-1 +1\.0\.1", said)
    internet.answers["api.osv.dev"] = (200, {})
    assert check("--strict") == (0, "No known vulnerabilities found (osv).\n")


def test_where_nobody_answers_it_says_so_and_fails_when_asked_to(internet, check):
    internet.answers = {"pypi.org": NO_JSON, "api.osv.dev": (503, {})}
    status, said = check()
    assert status == 0, said
    assert said.startswith("NOT AUDITED: whether a dependency is vulnerable is not")
    assert "pypi does not know 1 of the packages" in said
    assert "osv cannot be reached" in said
    assert "No known" not in said
    internet.answers = {}
    assert check("--strict")[0] == 3
    status, said = check(AUDIT_STRICT="1")
    assert status == 3
    assert "pypi cannot be reached" in said


def test_the_real_requirements_can_be_read(internet, check):
    """All pins that hold on this system are asked about, with nothing resolved."""
    internet.answers = {"pypi.org": (200, CLEAN)}
    status, said = check("--requirements", str(audit_dependencies.REQUIREMENTS))
    assert status == 0, said
    asked = {path.split("/")[2] for _, path in internet.asked}
    assert {"django", "cryptography", "numpy", "pytest"} <= asked


def test_the_waivers_of_this_project_can_be_read():
    today = dt.datetime.now(dt.UTC).date()
    assert isinstance(
        audit_dependencies.waived(audit_dependencies.WAIVERS, today), list
    )
