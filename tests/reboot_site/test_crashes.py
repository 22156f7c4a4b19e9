"""What a crash report holds when it leaves the house."""

import gzip
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import brotli
import pytest
import sentry_sdk

from reboot_site import crashes
from tests.test_architecture import ROOT

SECRET = "abcdef0123456789"


def test_nothing_is_sent_without_a_dsn():
    assert crashes.start("") is False
    assert not sentry_sdk.get_client().is_active()


def test_scrubbed_event_keeps_the_error_and_drops_people_and_keys():
    event = {
        "request": {
            "method": "POST",
            "url": "https://site/accounts/reset/MQ/secret/",
            "query_string": "search=Aldertree",
            "cookies": {"sessionid": SECRET},
            "headers": {"Authorization": f"Bearer {SECRET}"},
            "data": {"first_name": "Aldertree"},
        },
        "user": {"id": "1", "email": "somebody@facility.invalid"},
        "extra": {"sys.argv": ["Aldertree"]},
        "exception": {
            "values": [
                {
                    "type": "OSError",
                    "value": f"GET https://a.b/c?X-Amz-Signature={SECRET}",
                }
            ]
        },
    }
    safe = crashes.scrubbed(event, {})
    assert safe["request"] == {"method": "POST"}
    assert safe["exception"]["values"][0]["type"] == "OSError"
    assert SECRET not in str(safe)
    assert "Aldertree" not in str(safe)
    assert "facility.invalid" not in str(safe)


def test_scrubbed_crumb_drops_queries_and_data():
    assert (
        crashes.scrubbed_crumb({"category": "query", "message": "SELECT"}, {}) is None
    )
    crumb = {"category": "httplib", "data": {"http.query": f"token={SECRET}"}}
    assert crashes.scrubbed_crumb(crumb, {}) == {"category": "httplib"}


@pytest.mark.parametrize(
    ("told", "sent"),
    [
        ("not a number: 'Aldertree'", "not a number: '[hidden]'"),
        ("not a number: b'Aldertree'", "not a number: b'[hidden]'"),
        ("Job's name is 'Aldertree'", "Job's name is '[hidden]'"),
        ("""'Al\\'s Oak' and "O'Hara" """, """'[hidden]' and "[hidden]" """),
        ("it isn't there, is it? It's not", "it isn't there, is it? It's not"),
        ("cut off: 'Aldertr", "cut off: '[hidden]'"),
        ("Failing row contains (1, Aldertree).", "Failing row contains [hidden]"),
    ],
)
def test_error_is_sent_without_the_values_it_quotes(told, sent):
    event = {"exception": {"values": [{"type": "ValueError", "value": told}]}}
    safe = crashes.scrubbed(event, {})
    assert safe["exception"]["values"] == [{"type": "ValueError", "value": sent}]


NAME_IN_QUOTES = "could not convert string to float: 'Aldertree'"


def test_no_part_of_a_report_holds_a_name():
    """Whatever part an integration puts it into, also one that does not exist yet."""
    frames = {"frames": [{"function": "f", "vars": {"name": "Aldertree"}}]}
    event = {
        "level": "error",
        "transaction": "/athletes/Aldertree/",
        "transaction_info": {"source": "url"},
        "logentry": {
            "message": f"Failed 'task' - {NAME_IN_QUOTES}",
            "formatted": "process 3 failed: Aldertree",
            "params": ["Aldertree"],
        },
        "message": NAME_IN_QUOTES,
        "breadcrumbs": {
            "values": [
                {
                    "category": "log",
                    "message": NAME_IN_QUOTES,
                    "data": {"a": "Aldertree"},
                }
            ]
        },
        "contexts": {"runtime": {"name": "CPython"}, "task": {"args": "Aldertree"}},
        "extra": {"name": "Aldertree"},
        "exception": {
            "values": [
                {
                    "type": "ValueError",
                    "value": f"“Aldertree” and {NAME_IN_QUOTES}",
                    "mechanism": {"type": "logging", "data": {"a": "Aldertree"}},
                    "stacktrace": frames,
                }
            ]
        },
        "threads": {"values": [{"stacktrace": frames}]},
        "stacktrace": frames,
        "something new": "Aldertree",
    }
    safe = crashes.scrubbed(event, {})
    assert "Aldertree" not in str(safe)
    assert safe["logentry"] == {
        "message": "Failed '[hidden]' - could not convert string to float: '[hidden]'"
    }
    assert safe["exception"]["values"][0]["stacktrace"] == {
        "frames": [{"function": "f"}]
    }
    assert safe["contexts"] == {"runtime": {"name": "CPython"}}


@pytest.fixture
def collector():
    """A server that takes crash reports: its address, and what it was sent."""
    got = []

    class Take(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            unpack = {"gzip": gzip.decompress, "br": brotli.decompress, None: bytes}
            got.append(unpack[self.headers["Content-Encoding"]](body).decode())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *words):
            pass

    server = HTTPServer(("127.0.0.1", 0), Take)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://key@127.0.0.1:{server.server_port}/1", got
    server.shutdown()
    server.server_close()


# A page that crashes over an athlete's name, asked for with a name and a token.
CRASH = """
import logging
import traceback

import sentry_sdk
from django.contrib.auth.decorators import login_not_required
from django.test import RequestFactory
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from reboot_site.wsgi import application
from reboot_site import urls

@login_not_required
@csrf_exempt
def crash(request, name):
    last_name = name
    return float(last_name)

urls.urlpatterns.insert(0, path("crash/<str:name>/", crash))
headers = {"X-Request-ID": "request-7", "Authorization": "Bearer login0123456789"}
logging.getLogger("a.worker").error("told %s", ValueError("'Aldertree'"))
try:
    float("Aldertree")
except ValueError as error:
    logging.getLogger("a.worker").error(f"Failed - {error} : {traceback.format_exc()}")
asked = RequestFactory(headers=headers).post("/crash/Aldertree/?q=Aldertree", {"a": 1})
answered = []
application(asked.environ, lambda status, headers: answered.append(status))
assert answered == ["500 Internal Server Error"], answered
sentry_sdk.flush()
"""


@pytest.mark.processes
def test_crash_of_a_page_arrives_without_the_name(collector, tmp_path):
    dsn, got = collector
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "reboot_site.settings",
        "DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite3",
        "VAR_DIR": str(tmp_path),
        "DEBUG": "1",
        "SENTRY_DSN": dsn,
        "ALLOWED_HOSTS": "testserver",
    }
    done = subprocess.run(
        [sys.executable, "-c", CRASH],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    events = [body.splitlines()[-1] for body in got if '"type":"event"' in body]
    assert len(events) == 3
    (event,) = [found for found in map(json.loads, events) if "exception" in found]
    (error,) = event["exception"]["values"]
    assert error["type"] == "ValueError"
    assert error["value"] == "could not convert string to float: '[hidden]'"
    assert event["tags"]["request_id"] == "request-7"
    assert event["request"] == {"method": "POST"}
    for private in ("Aldertree", "login0123456789"):
        assert private not in "".join(got).replace('float(\\"Aldertree\\")', "")
