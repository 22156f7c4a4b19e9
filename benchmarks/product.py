"""The product as it is served: production settings, data of a real sync.

For benchmarks that look at it from outside: gunicorn, DEBUG off, static files
collected and compressed, a simulator that was synced, one signed-in superuser. HTTPS
is off, as in `make run`: on localhost there is nobody to terminate TLS, and browsers
take it for a secure place all the same.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.bench_cold import free_port, start, stop, wait
from benchmarks.results import ROOT

# Of the page: the session with most swings, its athlete, its first swing.
_LOOK = """
import django, json
django.setup()
from django.contrib.auth import get_user_model
from django.test import Client
from athletes.models import Session
user = get_user_model().objects.create_superuser("bench", password=None)
client = Client()
client.force_login(user)
session = Session.objects.order_by("-swing_count", "-session_date", "id")[0]
swings = session.movements.filter(is_swing=True).order_by("position")
first, second = swings.values_list("pk", flat=True)[:2]
print(json.dumps({
    "cookie": client.cookies["sessionid"].value,
    "session_pk": session.pk,
    "swings": session.swing_count,
    "pages": {
        "home": "/",
        "athletes": "/athletes/",
        "athlete": f"/athletes/{session.player_id}/",
        "session": f"/athletes/sessions/{session.pk}/",
        "swing": f"/athletes/swings/{first}/",
        "compare": f"/athletes/compare/?items=swing-{first},swing-{second}",
        "sessions": "/athletes/compare/?items=" + ",".join(
            f"session-{pk}" for pk in Session.objects.filter(swing_count__gt=0)
            .order_by("player", "session_date", "id").values_list("pk", flat=True)[:6]
        ),
    },
}))
"""


@dataclass(frozen=True)
class Product:
    """Where it answers and what there is to look at."""

    url: str
    cookie: str
    pages: dict[str, str]
    session_pk: int
    swings: int
    environment: dict[str, str]
    pid: int

    def processor_ms(self) -> float:
        """Return the processor time that the web's processes have used so far."""
        ticks = 0
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        for one in (str(self.pid), *children.read_text(encoding="ascii").split()):
            stat = Path(f"/proc/{one}/stat").read_text(encoding="ascii")
            user, system = stat.rpartition(")")[2].split()[11:13]
            ticks += int(user) + int(system)
        return 1e3 * ticks / os.sysconf("SC_CLK_TCK")


def environment_for(folder: Path) -> dict[str, str]:
    """Return the environment of a product whose data lie in a folder."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "reboot_site.settings",
        "SECRET_KEY": "of-this-benchmark-alone-0123456789-abcdefghijklmnop",
        "VAR_DIR": str(folder),
        "HTTPS": "0",
        "BIND_HOST": "127.0.0.1",
        "LOG_LEVEL": "ERROR",
        "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
    }


def filled(folder: Path, *, root: Path = ROOT, **simulated: object) -> dict[str, str]:
    """Sync a new database in a folder, by the source in `root`; its environment.

    `simulated` are settings of the simulator (`simulator.app.Config`).
    """
    from simulator.app import Config
    from simulator.server import SimulatorServer

    environment = environment_for(folder)

    def manage(*words: str, stdout: Any = None) -> None:
        subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=root,
            env=environment,
            check=True,
            stdout=stdout,
        )

    manage("migrate", "-v0", "--noinput")
    manage("collectstatic", "-v0", "--noinput")
    config = Config(**simulated)  # type: ignore[arg-type]
    with SimulatorServer(config) as vendor:
        environment |= {
            "REBOOT_BASE_URL": vendor.url,
            "REBOOT_API_KEY": config.api_key,
        }
        with (folder / "sync.txt").open("wb") as told:
            manage("sync", stdout=told)
    return environment


@contextmanager
def product(folder: Path, **simulated: object) -> Iterator[Product]:
    """Serve it with what a simulator of these settings (`simulator.app.Config`) has."""
    environment = filled(folder, **simulated)
    looked = subprocess.run(
        [sys.executable, "-c", _LOOK],
        cwd=ROOT,
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
    )
    port = free_port()
    words = ["-m", "gunicorn", "reboot_site.wsgi"]
    words += ["--config", "reboot_site/gunicorn.py"]
    web = start([sys.executable, *words], environment | {"PORT": str(port)})
    try:
        wait(f"http://localhost:{port}/health/live", web)
        found = json.loads(looked.stdout.splitlines()[-1])
        yield Product(
            url=f"http://localhost:{port}",
            environment=environment,
            pid=web.pid,
            **found,
        )
    finally:
        stop(web)
