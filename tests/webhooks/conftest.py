"""A receiver of webhooks on a real port."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from webhooks import signing
from webhooks.models import Webhook


class Receiver(ThreadingHTTPServer):
    """Keeps what it was sent; answers as `answers` says, the last one for ever."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests = []
        self.answers = [(200, {})]
        self.behave = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/hook?a=b"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, dict(self.headers), body))
        if self.server.behave is not None:
            self.server.behave(self)
            return
        answers = self.server.answers
        status, headers = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def do_GET(self):
        self.server.requests.append((self.path, dict(self.headers), b"GET"))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments):
        pass


@pytest.fixture
def receiver(settings):
    settings.WEBHOOKS_ALLOW_LOOPBACK = True
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)


def make_webhook(url="https://example.org/hook", **fields):
    """A webhook for all events; its secret is in `secret`."""
    webhook = Webhook(
        **{
            "name": "a program",
            "url": url,
            "events": ["sync.finished", "sync.failing", "session.stored"],
            **fields,
        }
    )
    secret = signing.new_secret(webhook)
    webhook.save()
    webhook.secret = secret
    return webhook
