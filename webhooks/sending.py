"""One POST to one checked address, with limits on everything that comes back."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from webhooks.targets import Target

CONNECT_S = 5.0
READ_S = 10.0
#: The whole exchange, however slowly the other side drips.
TOTAL_S = 20.0
#: The answer tells nothing but its status; more of it is not read.
MAX_ANSWER = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """The receiver's answer to one POST: a status, or why there is none."""

    status: int | None
    error: str
    seconds: float

    @property
    def is_accepted(self) -> bool:
        """Return whether the receiver answered with a status of 200 to 299."""
        return self.status is not None and 200 <= self.status < 300


class _Connection(http.client.HTTPConnection):
    """Connects to an address that was checked, whatever the name says by now."""

    def __init__(self, target: Target) -> None:
        super().__init__(target.host, target.port, timeout=READ_S)
        self._target = target
        self._context = ssl.create_default_context() if target.is_https else None

    def connect(self) -> None:
        self.sock = self._first_that_answers()
        self.sock.settimeout(READ_S)
        if self._context is not None:
            self.sock = self._context.wrap_socket(
                self.sock, server_hostname=self._target.host
            )

    def _first_that_answers(self) -> socket.socket:
        failure: OSError = OSError("no address")
        for address in self._target.addresses[:4]:
            try:
                return socket.create_connection(
                    (address, self._target.port), timeout=CONNECT_S
                )
            except OSError as error:
                failure = error
        raise failure


def send(target: Target, body: bytes, headers: Mapping[str, str]) -> Answer:
    """POST `body`; follows no redirect, and never waits longer than `TOTAL_S`."""
    started = time.monotonic()
    connection = _Connection(target)
    timed_out = threading.Event()

    def cut() -> None:
        timed_out.set()
        sock = connection.sock
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it ended by itself in this moment

    watch = threading.Timer(TOTAL_S, cut)
    watch.daemon = True
    watch.start()
    status: int | None = None
    error = ""
    try:
        connection.request(
            "POST", target.path, body, {"Host": target.host_header, **headers}
        )
        response = connection.getresponse()
        status = response.status
        response.read(MAX_ANSWER)
        if not 200 <= status < 300:
            error = _refusal(status)
    except ssl.SSLCertVerificationError:
        error = "The certificate of the address is not valid."
    except (OSError, http.client.HTTPException) as failure:
        if status is None:
            error = (
                f"No answer within {TOTAL_S:.0f} s."
                if timed_out.is_set() or isinstance(failure, TimeoutError)
                else f"The address cannot be reached ({type(failure).__name__})."
            )
        elif not 200 <= status < 300:
            error = _refusal(status)
    finally:
        watch.cancel()
        connection.close()
    return Answer(status, error, round(time.monotonic() - started, 3))


def _refusal(status: int) -> str:
    if 300 <= status < 400:
        return f"The answer was a redirect ({status}), which is not followed."
    return f"The answer was {status}."
