"""Answers requests inside one process, and says what each cost. Run by file name.

For `benchmarks.bench_page_processor`: it runs in a process of its own, on the source
that PYTHONPATH names, so that another commit is measured by this very file. Each line
of stdin is an address, or a word below; each line of stdout is what is found, as JSON.
"""

from __future__ import annotations

import gzip
import io
import json
import sys
import time
from typing import Any

WHICH, YARDSTICK = "which", "yardstick"
ROWS = [list(range(row, row + 10)) for row in range(200)]
TABLE = (
    "<table>{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>"
    "{% endfor %}</tr>{% endfor %}</table>"
)


def which() -> dict[str, Any]:
    """Sign somebody in who may see all; return their cookie and pages to ask for."""
    from django.contrib.auth import get_user_model
    from django.db.models import Count
    from django.test import Client

    from athletes.models import Movement, Player, Session

    user = get_user_model().objects.create_superuser("bench", password=None)
    client = Client()
    client.force_login(user)
    sessions = Session.objects.order_by("-swing_count", "-session_date", "id")
    # An athlete of several sessions has what a coach looks at: a trend, changes.
    athlete = Player.objects.annotate(held=Count("sessions")).order_by("-held", "pk")[0]
    first, second = sessions[:2]
    swing = Movement.objects.filter(session=first, is_swing=True)
    return {
        "cookie": client.cookies["sessionid"].value,
        "athletes": Player.objects.count(),
        "sessions": Session.objects.count(),
        "movements": Movement.objects.count(),
        "swings": first.swing_count,
        "pages": {
            "home": "/",
            "athletes": "/athletes/",
            "athlete": f"/athletes/{athlete.pk}/",
            "session": f"/athletes/sessions/{first.pk}/",
            "swing": f"/athletes/swings/{swing.order_by('position')[0].pk}/",
            "comparison": "/athletes/compare/?items="
            f"session-{first.pk},session-{second.pk}",
        },
    }


def environ(path: str, cookie: str) -> dict[str, Any]:
    """Return what a WSGI server makes of a browser's request."""
    path, _, query = path.partition("?")
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        "HTTP_COOKIE": f"sessionid={cookie}",
        "HTTP_ACCEPT_ENCODING": "gzip",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def answer(application: Any, path: str, cookie: str) -> dict[str, Any]:
    """Ask for a page; return its cost, its queries and its size."""
    from django.db import connection

    told: list[tuple[str, list[tuple[str, str]]]] = []
    queries = []

    def count(execute: Any, *words: Any) -> Any:
        queries.append(words[0])
        return execute(*words)

    asked = environ(path, cookie)
    began = time.process_time()
    with connection.execute_wrapper(count):
        found = application(asked, lambda status, heads: told.append((status, heads)))
        sent = b"".join(found)
        getattr(found, "close", lambda: None)()
    took = time.process_time() - began
    status, heads = told[0]
    named = {name.lower(): value for name, value in heads}
    is_packed = named.get("content-encoding") == "gzip"
    return {
        "ms": 1e3 * took,
        "status": int(status.split()[0]),
        "queries": len(queries),
        "sent": len(sent),
        "bytes": len(gzip.decompress(sent) if is_packed else sent),
    }


def yardstick() -> dict[str, Any]:
    """What a table of 2 000 numbers costs as a template of Django alone."""
    from django.template import Context, Engine

    template = Engine().from_string(TABLE)
    began = time.process_time()
    template.render(Context({"rows": ROWS}))
    return {"ms": 1e3 * (time.process_time() - began)}


def main() -> None:
    """Answer until stdin ends."""
    from reboot_site import gunicorn, wsgi

    # As the web server does before it forks: all imported, the garbage frozen.
    gunicorn.on_starting(None)
    cookie = sys.argv[1] if len(sys.argv) > 1 else ""
    for line in sys.stdin:
        asked = line.strip()
        if asked == WHICH:
            found = which()
            cookie = found["cookie"]
        elif asked == YARDSTICK:
            found = yardstick()
        else:
            found = answer(wsgi.application, asked, cookie)
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
