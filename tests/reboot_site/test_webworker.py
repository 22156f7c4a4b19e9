"""The web server goes on answering, however slow some clients are."""

import hashlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest

from reboot_site.webconnection import COLLECTED_BODY_MAX
from tests.acceptance.conftest import free_port
from tests.reboot_site.slow_wsgi import SIZE, blocks
from tests.test_architecture import ROOT

pytestmark = pytest.mark.processes

PLAIN = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
# Far more than the two threads there are.
MANY = 12
WAIT_S = 30


class Server:
    def __init__(self, port, process, log):
        self.port, self.process, self.log = port, process, log

    def connect(self, *, buffer=None):
        client = socket.socket()
        client.settimeout(WAIT_S)
        if buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        client.connect(("127.0.0.1", self.port))
        return client

    def answers(self):
        """Whether somebody else is answered, on a new connection."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        try:
            client.request("GET", "/health/live")
            return client.getresponse().status == 200
        finally:
            client.close()

    def request(self, method, path, body=None, **headers):
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        try:
            client.request(method, path, body, headers)
            answer = client.getresponse()
            return answer.status, answer.read()
        finally:
            client.close()


def start(tmp_path, *, patience_s):
    port = free_port()
    log = tmp_path / "log.txt"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn"),
                *("tests.reboot_site.slow_wsgi", "--config", "reboot_site/gunicorn.py"),
            ],
            cwd=ROOT,
            env=os.environ
            | {
                "DJANGO_SETTINGS_MODULE": "reboot_site.settings",
                "VAR_DIR": str(tmp_path),
                "PORT": str(port),
                "BIND_HOST": "127.0.0.1",
                "WEB_CONCURRENCY": "1",
                "WEB_THREADS": "2",
                "WEB_PATIENCE_SECONDS": str(patience_s),
                # No static files were collected for it.
                "DEBUG": "1",
                **dict.fromkeys(("DATABASE_URL", "REDIS_URL"), ""),
            },
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
    server = Server(port, process, log)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if server.answers():
                return server
        except OSError:
            time.sleep(0.1)
    process.kill()
    raise AssertionError(log.read_text())


def stop(server):
    server.process.send_signal(signal.SIGTERM)
    return server.process.wait(60)


@pytest.fixture(scope="module")
def patient(tmp_path_factory):
    """So patient that nobody is cut off while a test looks."""
    server = start(tmp_path_factory.mktemp("patient"), patience_s=600)
    yield server
    assert stop(server) == 0
    assert "Traceback" not in server.log.read_text()


@pytest.fixture(scope="module")
def hasty(tmp_path_factory):
    server = start(tmp_path_factory.mktemp("hasty"), patience_s=1)
    yield server
    assert stop(server) == 0
    assert "Traceback" not in server.log.read_text()


def post(size, path="/health/live"):
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {size}\r\n\r\n"
    ).encode()


CHUNKED = b"POST /health/live HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked"
SLOW = {
    "silent": b"",
    "slow head": PLAIN[:-9],
    "slow body": post(1000) + b"username=",
    "slow large body": post(3_000_000) + b"username=",
    "slow chunks": CHUNKED + b"\r\n\r\n5\r\nab",
    # Answered, and then they do not close.
    "slow to close": PLAIN.replace(b"1.1", b"1.0"),
    "slow reading of a file": b"GET /test/file HTTP/1.1\r\nHost: x\r\n\r\n",
    "slow reading of a stream": b"GET /test/stream HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("sent", SLOW.values(), ids=SLOW)
def test_slow_clients_hold_nobody_up(patient, sent):
    with ExitStack() as stack:
        for _ in range(MANY):
            client = stack.enter_context(patient.connect(buffer=4096))
            client.sendall(sent)
        assert patient.answers()
        assert patient.answers()


@pytest.mark.parametrize("kind", ["slow head", "slow body"])
def test_who_is_too_slow_is_told_so_and_cut_off(hasty, kind):
    with hasty.connect() as client:
        client.sendall(SLOW[kind])
        answer = b""
        while data := client.recv(4096):
            answer += data
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_bytes_now_and_then_do_not_lengthen_the_time(hasty):
    """As in the attack: one byte, and again one byte."""
    with hasty.connect() as client:
        client.settimeout(0.2)
        client.sendall(PLAIN[:10])
        deadline = time.monotonic() + WAIT_S
        answer = b""
        while not answer and time.monotonic() < deadline:
            try:
                client.sendall(b"x")
                answer = client.recv(4096)
            except TimeoutError:
                continue
    assert answer.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("kind", ["silent", "slow to close"])
def test_who_says_nothing_is_cut_off(hasty, kind):
    with hasty.connect() as client:
        client.sendall(SLOW[kind])
        while client.recv(4096):
            pass


def test_a_large_body_that_stops_is_cut_off(hasty):
    """The application reads it itself, on a thread; that ends too."""
    with hasty.connect() as client:
        client.sendall(post(3_000_000, "/test/digest") + b"x" * 70_000)
        assert client.recv(4096) == b""


def test_all_but_the_bodies_that_staff_may_send_are_collected(settings):
    """Else an application's thread would wait for what anybody may send."""
    assert settings.DATA_UPLOAD_MAX_MEMORY_SIZE == COLLECTED_BODY_MAX


# --- What is not slow is answered as ever -------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 70_000, 2_621_440, 2_621_441, 9_000_000])
def test_bodies_of_all_sizes_arrive_whole(patient, size):
    body = os.urandom(size)
    found = patient.request("POST", "/test/digest", body)
    assert found == (200, hashlib.sha256(body).hexdigest().encode())


def test_a_body_in_small_pieces_arrives_whole(patient):
    body = os.urandom(3000)
    with patient.connect() as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = post(len(body), "/test/digest") + body
        for start_at in range(0, len(data), 97):
            client.sendall(data[start_at : start_at + 97])
        answer = http.client.HTTPResponse(client)
        answer.begin()
        assert answer.read() == hashlib.sha256(body).hexdigest().encode()


@pytest.mark.parametrize("path", ["/test/file", "/test/stream"])
@pytest.mark.parametrize("buffer", [None, 65536], ids=["quick", "slow"])
def test_large_answers_leave_whole(patient, path, buffer):
    digest = hashlib.sha256()
    for block in blocks():
        digest.update(block)
    with patient.connect(buffer=buffer) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        if buffer:
            assert patient.answers()  # while it waits
        answer = http.client.HTTPResponse(client)
        answer.begin()
        body = answer.read()
    assert len(body) == SIZE
    assert hashlib.sha256(body).hexdigest() == digest.hexdigest()


def test_requests_that_follow_each_other_on_one_connection(patient):
    body = b"abc"
    one = post(len(body), "/test/digest") + body
    digest = hashlib.sha256(body).hexdigest().encode()
    with patient.connect() as client:
        # At once, the last of them in two parts.
        client.sendall(one + PLAIN + one[:-1])
        time.sleep(0.1)
        client.sendall(one[-1:] + PLAIN)
        seen = b""
        while seen.count(b"HTTP/1.1 200 OK") < 4:
            data = client.recv(65536)
            assert data, seen
            seen += data
    assert seen.count(digest) == 2


def test_who_asks_first_is_told_to_go_on(patient):
    body = b"abc"
    head = post(len(body), "/test/digest")
    with patient.connect() as client:
        client.sendall(head.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
        assert client.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(body)
        answer = client.recv(4096)
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_a_body_that_nobody_reads_is_no_request(patient):
    """What is inside of it would otherwise be asked in the sender's name."""
    for head in (post(3_000_000, "/test/unread"), CHUNKED + b"\r\n\r\n"):
        with patient.connect() as client:
            client.sendall(head + PLAIN)
            seen = b""
            while data := client.recv(65536):
                seen += data
        assert seen.count(b"HTTP/1.1 ") == 1


def test_a_head_without_end_is_refused(patient):
    with patient.connect() as client:
        client.sendall(PLAIN[:-2] + b"X-Long: " + b"x" * 70_000)
        answer = client.recv(4096)
    assert answer.startswith(b"HTTP/1.1 431 ")


def test_more_clients_than_there_is_room_for(patient):
    """Those who wait longest give way to who comes."""
    with ExitStack() as stack:
        for _ in range(420):
            stack.enter_context(patient.connect()).sendall(b"GET /")
        assert patient.answers()
