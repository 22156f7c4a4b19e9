"""The whole product on this machine: `make run`.

Prepares the database and the static files, starts web and worker and, where no
vendor credentials are set, the simulator with a first sync against it. Ctrl-C
stops everything that was started; the data stay for the next start.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import date, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.chdir(ROOT)

from django.core.exceptions import ImproperlyConfigured  # noqa: E402

from reboot_site.env import Env, load_dotenv  # noqa: E402
from reboot_site.permissions import write_for_owner_alone  # noqa: E402
from reboot_site.startup import (  # noqa: E402
    make_folder,
    refusing_wrong_settings,
)

DEMO_USER = "demo-api"
DEMO_PASSWORD = "demo-api-password"  # noqa: S105  # of the simulator, guards nothing
# Enough athletes for paging and percentiles, few enough frames for a quick start.
DEMO_OPTIONS = "--players 137 --sessions 150 --swings 5 --stories"
#: Holds the day of the demonstration's newest session. It stays as it was at the first
#: start: the vendor's data do not move by themselves.
LAST_DAY_FILE = "demo_last_day.txt"
LOGINS_FILE = "demo_logins.txt"
#: Says whether teams, setups and notes were added to the demonstration.
ROWS_FILE = "demo_rows.txt"


def main() -> int:
    """Start the whole product, wait for Ctrl-C, and return the exit status."""
    with refusing_wrong_settings():
        var = prepare_environment()
        options = _simulator_options(var)
    env = Env(os.environ)
    is_demo = not (env.text("REBOOT_API_KEY") or env.text("REBOOT_USERNAME"))
    children: list[subprocess.Popen[bytes]] = []
    # SIGINT too: it is ignored at first where a shell started us in the background.
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, _interrupt)
    try:
        if is_demo:
            children.append(_start_simulator([*_last_day(var), *options]))
        with refusing_wrong_settings():
            # Reads all settings, those of the web server too. Not before: the simulator
            # is one of them.
            from reboot_site import gunicorn

            # gunicorn itself stops at an empty one.
            os.environ["WEB_CONCURRENCY"] = str(gunicorn.workers)
            url = f"http://{seen_at(gunicorn.bind)}/"
            notes = _prepare(is_demo=is_demo, var=var)
        children.append(_start([sys.executable, "manage.py", "supervise_qcluster"]))
        web = _start(
            [
                sys.executable,
                *("-m", "gunicorn", "reboot_site.wsgi"),
                *("--config", "reboot_site/gunicorn.py", "--log-level", "warning"),
            ]
        )
        children.append(web)
        _wait_until_healthy(url, web)
        print(f"\n  The dashboard is at {url}")
        for note in notes:
            print(f"  {note}")
        print("  Ctrl-C stops it.\n", flush=True)
        while all(child.poll() is None for child in children):
            if is_demo and _add_demo_rows(var):
                is_demo = False
            time.sleep(0.5 if not is_demo else 2)
        print("A part of the product stopped; see the lines above.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopping …", flush=True)
        return 0
    finally:
        _stop(children)


def prepare_environment() -> Path:
    """Set what a start on this machine needs, and return VAR_DIR.

    Raises `ImproperlyConfigured` where a setting that it needs is wrong.
    """
    write_for_owner_alone()
    load_dotenv(ROOT / ".env")
    env = Env(os.environ)
    var = env.folder("VAR_DIR", ROOT / "var", base=ROOT)
    make_folder(var, setting="VAR_DIR")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reboot_site.settings")
    # Served over plain http on this machine, where secure cookies do not travel.
    for name, value in {"HTTPS": "0", "BIND_HOST": "127.0.0.1"}.items():
        os.environ[name] = env.text(name, value)
    if not env.text("SECRET_KEY"):
        os.environ["SECRET_KEY"] = _kept_secret(var / "secret_key")
    return var


def _simulator_options(var: Path) -> list[str]:
    from simulator.__main__ import read_options

    usual = DEMO_OPTIONS
    if (var / LOGINS_FILE).exists() and not (var / ROWS_FILE).exists():
        # Made before there were stories: its athletes keep their names.
        usual = usual.removesuffix(" --stories")
    try:
        options = shlex.split(Env(os.environ).text("SIMULATOR_OPTIONS", usual))
        read_options(options)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"SIMULATOR_OPTIONS: {error}. Write them as on a command line, such as "
            "--players 20; python -m simulator --help lists them."
        ) from error
    return options


def _last_day(var: Path) -> list[str]:
    """Options by which the demonstration's newest session is of yesterday.

    An installation that was made before they existed keeps its days.
    """
    path = var / LAST_DAY_FILE
    # One that is empty was being written when somebody pressed Ctrl-C.
    if not (path.exists() and path.read_text(encoding="utf-8").strip()):
        if not path.exists() and (var / LOGINS_FILE).exists():
            return []
        yesterday = date.today() - timedelta(days=1)  # noqa: DTZ011  # as people see it
        path.touch(mode=0o600)
        path.write_text(yesterday.isoformat(), encoding="utf-8")
    return ["--last-day", path.read_text(encoding="utf-8").strip()]


def seen_at(bind: str) -> str:
    """Return where a browser on this machine finds a server that listens at `bind`."""
    host, _, port = bind.rpartition(":")
    if host in {"0.0.0.0", "127.0.0.1"}:  # noqa: S104  # compared, not listened at
        return f"localhost:{port}"
    return f"[::1]:{port}" if host == "[::]" else bind


def _interrupt(signum: int, frame: object) -> None:
    raise KeyboardInterrupt


def _kept_secret(path: Path) -> str:
    """A key of this installation, made once and readable by its owner alone."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50), encoding="utf-8")
    return path.read_text(encoding="utf-8").strip()


def _start(command: list[str], **options: object) -> subprocess.Popen[bytes]:
    # Sessions of their own: Ctrl-C reaches this process, which stops them in order.
    return subprocess.Popen(command, start_new_session=True, **options)  # type: ignore[call-overload,no-any-return]


def _start_simulator(options: list[str]) -> subprocess.Popen[bytes]:
    process = _start(
        [
            sys.executable,
            *("-m", "simulator", "--port", "0"),
            *("--username", DEMO_USER, "--password", DEMO_PASSWORD),
            *options,
        ],
        stdout=subprocess.PIPE,
    )
    while process.stdout and (line := process.stdout.readline().decode()):
        url = next((w for w in line.split() if w.startswith("http://")), None)
        if url:
            os.environ["REBOOT_BASE_URL"] = url.rstrip("/")
            os.environ["REBOOT_USERNAME"] = DEMO_USER
            os.environ["REBOOT_PASSWORD"] = DEMO_PASSWORD
            return process
    raise SystemExit("The simulator did not start; see the lines above.")


def _prepare(*, is_demo: bool, var: Path) -> list[str]:
    """Bring database and static files up to date; returns lines to print."""
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    call_command("register_schedules", verbosity=0)
    if not settings.DEBUG:
        stamp, digest = var / "static.stamp", _static_digest()
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != digest:
            print("Preparing static files …", flush=True)
            call_command("collectstatic", verbosity=0, interactive=False, clear=True)
            stamp.write_text(digest, encoding="utf-8")
    notes = []
    if is_demo:
        notes = [
            "No Reboot Motion credentials are set: a simulator at "
            f"{settings.REBOOT_BASE_URL} stands in, with made-up athletes.",
            *_demo_logins(var),
        ]
        from syncing.models import SyncLog
        from syncing.services import request_sync

        if not SyncLog.objects.exists():
            request_sync(trigger="schedule")
            notes.append("A first sync against the built-in simulator has begun.")
    from django.db import connections

    # gunicorn and the cluster open their own.
    connections.close_all()
    return notes


def _demo_logins(var: Path) -> list[str]:
    """Make demo logins on an empty database; tell them again at each start."""
    from django.contrib.auth import get_user_model

    user_model = get_user_model()
    path = var / LOGINS_FILE
    if not user_model.objects.exists():
        lines = []
        for name, is_staff in (("staff", True), ("coach", False)):
            password = secrets.token_urlsafe(9)
            user_model.objects.create_user(
                username=name,
                password=password,
                is_staff=is_staff,
                is_superuser=is_staff,
            )
            lines.append(f"Demo login ({name}):  {name}  /  {password}")
        (var / ROWS_FILE).touch(mode=0o600)
        path.touch(mode=0o600)
        path.write_text("\n".join(lines), encoding="utf-8")
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def _add_demo_rows(var: Path) -> bool:
    """Add what no sync brings, once the first one has ended; say whether it is done."""
    path = var / ROWS_FILE
    if not path.exists() or path.read_text(encoding="utf-8").strip():
        return True
    from django.conf import settings
    from django.db import OperationalError, connections

    from scripts import demo_rows
    from syncing.models import SyncLog

    try:
        if SyncLog.objects.active().exists():
            return False
        demo_rows.add(settings.REBOOT_BASE_URL)
    except (OSError, OperationalError):
        return False  # the database is busy, or the simulator: again in a moment
    finally:
        # Of this process: none stays open while it waits.
        connections.close_all()
    path.write_text("added", encoding="utf-8")
    return True


def _static_digest() -> str:
    """Changes when a static file, their storage or a pinned requirement changes."""
    digest = hashlib.sha256((ROOT / "requirements.txt").read_bytes())
    digest.update((ROOT / "reboot_site" / "static_files.py").read_bytes())
    for path in sorted((ROOT / "static").rglob("*")):
        if path.is_file():
            stat = path.stat()
            digest.update(f"{path.relative_to(ROOT)} {stat.st_size} ".encode())
            digest.update(str(stat.st_mtime_ns).encode())
    return digest.hexdigest()


def _wait_until_healthy(url: str, web: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if web.poll() is not None:
            raise SystemExit("The web server did not start; see the lines above.")
        try:
            # S310: the address is this product's own.
            with urllib.request.urlopen(f"{url}health/live", timeout=2):  # noqa: S310
                return
        except urllib.error.HTTPError as error:
            raise SystemExit(f"The health check answers {error.code}.") from error
        except OSError:
            time.sleep(0.1)
    raise SystemExit("The web server does not answer.")


def _stop(children: list[subprocess.Popen[bytes]]) -> None:
    """Web first, then worker, the simulator last; force only what does not end."""
    for child in reversed(children):
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + 40
    for child in reversed(children):
        try:
            child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
