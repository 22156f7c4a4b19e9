"""The product, and below /test/ what the tests of its web server ask for."""

import hashlib
import tempfile

from reboot_site.wsgi import application as product

SIZE = 24 * 1024 * 1024


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if not path.startswith("/test/"):
        return product(environ, start_response)
    headers = [("Content-Type", "application/octet-stream")]
    if path == "/test/digest":
        digest = hashlib.sha256()
        size = int(environ.get("CONTENT_LENGTH") or 0)
        while size and (data := environ["wsgi.input"].read(min(size, 65536))):
            digest.update(data)
            size -= len(data)
        text = digest.hexdigest().encode()
        start_response("200 OK", [*headers, ("Content-Length", str(len(text)))])
        return [text]
    if path == "/test/unread":
        start_response("413 Content Too Large", [*headers, ("Content-Length", "0")])
        return []
    if path == "/test/file":
        file = tempfile.TemporaryFile()  # noqa: SIM115 - the server closes it
        file.writelines(blocks())
        file.seek(0)
        start_response("200 OK", [*headers, ("Content-Length", str(SIZE))])
        return environ["wsgi.file_wrapper"](file, 65536)
    start_response("200 OK", headers)
    return blocks()


def blocks():
    for number in range(SIZE // 65536):
        yield hashlib.sha256(str(number).encode()).digest() * 2048
