"""Makes a database with rows of every kind, through the product's own functions.

Athletes and swings come from the simulator by `manage.py sync`; what people do is
sent to the forms. Only users, teams and a sign of life of a worker are rows made here.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

from scripts.snapshots.site import (
    COACH,
    LIMITED,
    PASSWORD,
    ROOT,
    STAFF,
    SUPERUSER,
    TEAM,
    USERS,
    client_of,
    model,
    rows,
    start_django,
)

SHAPE = ("--players", "6", "--sessions", "24", "--swings", "4", "--seed", "7")
FACTS = "facts.json"
DATA = "var"


def make_database(folder: Path) -> None:
    """Fill the empty folder with a database, its files, and facts about both.

    The facts are the moment at which recordings stand still, and what the product
    shows once only: tokens and addresses of share links.
    """
    if folder.exists() and any(folder.iterdir()):
        raise SystemExit(f"{folder} is not empty: name a new folder.")
    folder.mkdir(parents=True, exist_ok=True)
    with _simulator() as url:
        start_django(folder / DATA, REBOOT_BASE_URL=url)
        _manage("migrate", verbosity=0, interactive=False)
        _manage("sync")
        _people()
        tokens = _tokens()
        _webhook()
        _what_the_vendor_changes(url)
    _failed_run()
    _decisions_of_a_coach()
    shares = _share_links()
    _decisions_of_staff()
    _locked_login()
    _work_the_queue_off()
    # Later than the worker, which would call what is due.
    _manage("register_schedules", verbosity=0)
    # One task that waits.
    _post(STAFF, "/privacy/storage/")
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    clock = hour + timedelta(hours=2)
    # Not under the name of this machine.
    rows("syncing.WorkerHeartbeat").delete()
    model("syncing.WorkerHeartbeat").objects.create(
        host="worker-1", beat_at=clock - timedelta(seconds=20)
    )
    _close()
    facts = {
        "clock": clock.isoformat(),
        "tokens": tokens,
        "shares": shares,
    }
    (folder / FACTS).write_text(json.dumps(facts, indent=1) + "\n", "utf-8")


@contextmanager
def _simulator() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "simulator", "--port", "0", *SHAPE],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None  # noqa: S101  # it is a pipe
        url = process.stdout.readline().strip()
        if not url:
            raise SystemExit("The simulator did not start; see the lines above.")
        yield url
    finally:
        process.terminate()
        process.wait(20)


def _manage(name: str, *words: str, **options: Any) -> None:
    from django.core.management import call_command

    # The sync ends with status 1 where files are missing, as some are on purpose.
    with suppress(SystemExit):
        call_command(name, *words, **options)


def _people() -> None:
    from django.contrib.auth import get_user_model

    for name in (*USERS, "locked"):
        get_user_model()._default_manager.create_user(
            username=name,
            password=PASSWORD,
            email=f"{name}@dashboard.example",
            is_staff=name in {STAFF, SUPERUSER},
            is_superuser=name == SUPERUSER,
            limited_to_teams=name == LIMITED,
        )
    team = model("accounts.Team").objects.create(name=TEAM)
    team.players.set(rows("athletes.Player")[:3])
    team.members.set(get_user_model()._default_manager.filter(username=LIMITED))


def _tokens() -> dict[str, str]:
    tokens = {}
    for name, *options in (
        ("token read",),
        ("token sync", "--scope", "sync"),
        ("token team", "--team", TEAM),
    ):
        out = StringIO()
        _manage("create_api_token", name, *options, stdout=out, stderr=StringIO())
        tokens[name] = out.getvalue().strip()
    return tokens


def _webhook() -> None:
    # A name that no network knows: deliveries fail, and nothing leaves the machine.
    _post(
        SUPERUSER,
        "/admin/webhooks/webhook/add/",
        name="scoreboard",
        url="https://hooks.invalid/swings",
        events=["sync.finished", "session.stored"],
        is_active="on",
    )


def _what_the_vendor_changes(url: str) -> None:
    """Doubles, damaged files, a session without data yet; then things that go away."""

    def mutate(action: str, **given: Any) -> Any:
        body = json.dumps({"action": action, **given}).encode()
        with urllib.request.urlopen(  # noqa: S310  # the simulator started above
            f"{url}/__simulator__/mutate", body, timeout=60
        ) as answer:
            return json.load(answer)["result"]

    right, left, switch, fourth, _, gone = rows("athletes.Player")[:6]
    doubles = [
        mutate(
            "add_player",
            first_name=player.first_name,
            last_name=player.last_name,
            date_of_birth=player.date_of_birth.isoformat(),
        )
        for player in (left, fourth)
    ]
    day = "2025-11-{:02d}"
    for number, athlete in enumerate([*doubles, switch.org_player_id], 1):
        mutate(
            "add_session",
            org_player_ids=[athlete],
            swings=4,
            session_date=day.format(number),
        )
    for number, damage in enumerate(
        ["bad-truncated", "bad-one-swing", "bad-missing-columns", "refused"], 10
    ):
        session = mutate(
            "add_session",
            org_player_ids=[right.org_player_id],
            swings=4,
            session_date=day.format(number),
        )
        mutate("damage_session", session_id=session, damage=damage)
    mutate(
        "add_session",
        org_player_ids=[right.org_player_id],
        status="processing",
        session_date=day.format(20),
    )
    _manage("sync")
    mutate("remove_session", session_id=rows("athletes.Session")[0].session_id)
    mutate("remove_player", org_player_id=gone.org_player_id)
    _manage("sync", "--full")


def _failed_run() -> None:
    from django.conf import settings

    # Port 9 of this machine answers nobody.
    settings.REBOOT_BASE_URL = "http://127.0.0.1:9"
    settings.REBOOT_USERNAME = settings.REBOOT_PASSWORD = ""
    _manage_quietly("sync")


def _manage_quietly(name: str) -> None:
    from django.core.management import CommandError

    with suppress(CommandError):
        _manage(name)


def _post(username: str, path: str, **fields: Any) -> Any:
    """Send a form; stops where the product does not take it."""
    # As from a browser: a form is never sent without any field.
    answer = client_of(username).post(path, {"csrfmiddlewaretoken": "-", **fields})
    if answer.status_code >= 400:
        raise SystemExit(f"{path} answers {answer.status_code} to {username}.")
    return answer


def _decisions_of_a_coach() -> None:
    right, _, switch = rows("athletes.Player")[:3]
    sessions = rows("athletes.Session").filter(
        player=right, data_state="complete", missing_since=None
    )
    for session, condition in zip(
        sessions.order_by("session_date"), ("tee", "machine", "machine"), strict=False
    ):
        _post(
            COACH,
            f"/athletes/sessions/{session.pk}/facts/",
            condition=condition,
            bat="33/30",
        )
    one = sessions[0]
    _post(COACH, f"/athletes/{right.pk}/tags/", name="returning")
    _post(COACH, f"/athletes/{switch.pk}/tags/", name="Varsity & more")
    _post(COACH, f"/athletes/sessions/{one.pk}/tags/", name="before the break")
    _post(COACH, f"/athletes/sessions/{one.pk}/notes/", text="Tired legs <today>.")
    _post(STAFF, f"/athletes/sessions/{one.pk}/notes/", text="New bat.\nSecond line.")
    swings = rows("athletes.Movement").filter(session=one, is_swing=True)
    out, moved, undone = swings[:3]
    _post(
        COACH,
        f"/athletes/swings/{out.pk}/inclusion/",
        inclusion="excluded",
        reason="Bunt.",
    )
    for swing in (moved, undone):
        zero_s = swing.events["reference"]["time_s"]
        ms = 1000 * (swing.events["foot_down"]["time_s"] - zero_s) + 20
        moved = {
            "zero_s": repr(zero_s),
            "foot_down": f"{ms:.0f}",
            "reason": "Seen on video.",
        }
        path = f"/athletes/swings/{swing.pk}/events/"
        listed = _post(COACH, path, **moved).content.decode()
        # What would change is shown first; its form says what was seen.
        seen = re.search(r'name="seen" value="(\w+)"', listed)
        if seen is None:
            raise SystemExit(f"{path} lists no changes.")
        _post(COACH, path, **moved, seen=seen[1])
    _post(COACH, f"/athletes/swings/{undone.pk}/events/foot_down/undo/")
    items = ",".join(f"session-{session.pk}" for session in sessions[:2])
    for name, is_shared in (("Before and after", "on"), ("My own", "")):
        _post(
            COACH,
            "/athletes/compare/save/",
            name=name,
            items=items,
            align="foot_down",
            is_shared=is_shared,
        )
    _post(COACH, f"/privacy/athletes/{right.pk}/archive/")


def _share_links() -> dict[str, str]:
    """Two links that open, and one that was revoked."""
    right = rows("athletes.Player")[0]
    session = rows("athletes.Session").filter(player=right, data_state="complete")[0]
    shares = {}
    for name, path, full_name in (
        ("athlete", f"/athletes/{right.pk}/sheet/share/", "on"),
        ("session", f"/athletes/sessions/{session.pk}/sheet/share/", ""),
        ("revoked", f"/athletes/{right.pk}/sheet/share/", ""),
    ):
        answer = _post(COACH, path, days=30, label=f"For {name}", full_name=full_name)
        found = re.search(r"/shared/([\w-]{20,})/", answer.content.decode())
        if found is None:
            raise SystemExit(f"{path} shows no new link.")
        shares[name] = found.group(1)
    newest = rows("sharing.ShareLink").last()
    _post(STAFF, f"/athletes/shares/{newest.pk}/revoke/")
    return shares


def _decisions_of_staff() -> None:
    pairs = rows("athletes.DuplicatePair")
    if pairs.count() < 2:
        raise SystemExit("The sync found no duplicates, though two were added.")
    first = pairs[0]
    _post(STAFF, f"/athletes/{first.first_id}/merge/{first.second_id}/")
    if not rows("athletes.AthleteMerge").exists():
        raise SystemExit("The two records were not merged.")
    jobs = rows("syncing.ExportJob").filter(state="failed")
    _post(STAFF, "/syncing/give-up/", job=jobs[0].pk)
    _post(STAFF, "/privacy/storage/")


def _locked_login() -> None:
    client = client_of("")
    for _ in range(8):
        client.post("/accounts/login/", {"username": "locked", "password": "wrong"})


def _work_the_queue_off() -> None:
    """Archive, storage report, webhooks: until nothing waits in the queue."""
    worker = subprocess.Popen([sys.executable, "manage.py", "qcluster"], cwd=ROOT)
    try:
        deadline = time.monotonic() + 300
        while rows("django_q.OrmQ").exists():
            if worker.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("The worker did not empty the queue.")
            time.sleep(0.5)
    finally:
        worker.terminate()
        worker.wait(60)
    if rows("privacy.Archive").exclude(state="ready").exists():
        raise SystemExit("The archive was not made.")


def _close() -> None:
    """Put all of the database into its one file."""
    from django.db import connection

    model("sessions.Session").objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_cache")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
