"""A server that answers with prepared bytes: for what no simulator should do."""

import contextlib
import json
import socket
import socketserver
import threading


class ScriptedServer:
    """Sends the next answer to each request; the last one is repeated.

    An answer is bytes, or a function of the connection's file that writes them. The
    requests, headers and body, are kept in ``requests``. With ``tls``, a context of a
    server for ``localhost``, it is spoken to over https.
    """

    def __init__(self, *answers, tls=None):
        self.answers = list(answers)
        self.requests = []
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                lines = []
                while (line := self.rfile.readline()) not in (b"\r\n", b"\n", b""):
                    lines.append(line.decode("latin-1").strip())
                length = next(
                    (
                        int(line.split(":")[1])
                        for line in lines
                        if line.lower().startswith("content-length:")
                    ),
                    0,
                )
                outer.requests.append((lines, self.rfile.read(length)))
                answers = outer.answers
                answer = answers.pop(0) if len(answers) > 1 else answers[0]
                with contextlib.suppress(OSError):
                    if callable(answer):
                        answer(self.wfile)
                    else:
                        self.wfile.write(answer)
                    self.wfile.flush()
                    self.connection.shutdown(socket.SHUT_RDWR)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self._origin = "http://127.0.0.1"
        if tls is not None:
            self._origin = "https://localhost"
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}
        )

    @property
    def url(self):
        return f"{self._origin}:{self._server.server_address[1]}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def answer(body=b"", status="200 OK", *, length=True, **headers):
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
        headers.setdefault("Content_Type", "application/json")
    lines = [f"HTTP/1.1 {status}", "Connection: close"]
    if length is True:
        length = len(body)
    if length is not None:
        lines.append(f"Content-Length: {length}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


TOKEN = answer({"access_token": "tok-1", "token_type": "bearer", "expires_in": 86400})
