"""Asks every address as every kind of caller, and writes down what is answered.

The clock stands still, and whatever an answer changed is taken back before the next:
an answer depends on the database and the code, not on what was asked before.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from scripts.snapshots import addresses
from scripts.snapshots.addresses import Ask, AskedObjects
from scripts.snapshots.database import DATA, FACTS
from scripts.snapshots.site import (
    COACH,
    HOST,
    LIMITED,
    ROOT,
    SETTINGS,
    STAFF,
    SUPERUSER,
    client_of,
    start_django,
)

# Of no interest, or different each time by design.
LEFT_OUT = {"content-length", "date", "set-cookie", "x-request-id"}
MASKS = (
    (r'(name="csrfmiddlewaretoken" value=")[^"]*', r"\1{csrf}"),
    (r"(X-CSRFToken(?:&quot;|\"|&#x27;|')+: ?(?:&quot;|\"|&#x27;|')+)\w+", r"\1{csrf}"),
    (r'(data-csrf-token=")[^"]*', r"\1{csrf}"),
    (r'(class="qr" src=")[^"]*', r"\1{picture of a new key}"),
    (r'(<code class="key">)[^<]*', r"\1{new key}"),
    (r"whsec_[\w+/=]+", "{new secret}"),
    (r"/shared/[\w-]{43}", "/shared/{token}"),
    (r"^(?:# \w+ )?dashboard_request.*\n", ""),
)
LONGEST_NAME = 150


@dataclass
class Caller:
    """One kind of caller, and the objects that are asked for as them."""

    name: str
    asks: list[Ask]
    username: str = ""
    token: str = ""
    followed: frozenset[str] = frozenset()
    session: str = ""
    seen: set[Ask] = field(default_factory=set)

    def client(self) -> Any:
        """A browser or program as this caller has it, without a past."""
        from django.test import Client

        headers = {"X-Request-ID": "snapshot"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        client = Client(
            SERVER_NAME=HOST, headers=headers, raise_request_exception=False
        )
        if self.session:
            client.cookies["sessionid"] = self.session
        return client


def record_answers(folder: Path, out: Path) -> int:
    """Write the answers of all callers below `out`; 0 where nothing crashed, else 1."""
    if out.exists() and any(out.iterdir()):
        raise SystemExit(f"{out} is not empty: name a new folder.")
    facts = json.loads((folder / FACTS).read_text("utf-8"))
    clock = datetime.fromisoformat(facts["clock"])
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        data = work / DATA
        shutil.copytree(folder / DATA, data)
        start_django(data)
        # Later than the settings: it imports pytest, which they take for a test run.
        import time_machine
        from django.core.management import call_command
        from django.db import connection
        from django.test.client import ClientHandler

        stack.enter_context(time_machine.travel(clock, tick=False))

        # Where the code has newer migrations than the database.
        call_command("migrate", verbosity=0, interactive=False)
        masked = {str(work): "{data}", str(ROOT): "{checkout}"}
        # One for all: each takes long to build.
        handler = ClientHandler(enforce_csrf_checks=False)
        recorder = Recorder(out, masked, handler)
        for caller in _callers(facts):
            before = recorder.count
            recorder.record(caller)
            print(f"{caller.name}: {recorder.count - before}", flush=True)
        recorder.write_routes()
        connection.close()
    print(f"{recorder.count} answers in {out}")
    for line in recorder.crashes:
        print(f"  {line}")
    return 1 if recorder.crashes else 0


def _callers(facts: dict[str, Any]) -> list[Caller]:
    world = AskedObjects.of_database(facts["shares"])
    few = world.few()
    tokens = facts["tokens"]

    def asks(*kinds: Iterable[Ask]) -> list[Ask]:
        return [ask for kind in kinds for ask in kind]

    site, json_of, changes = addresses.site, addresses.json, addresses.changes
    # What pages offer is looked at from one of each kind, by who sees most of it.
    plain = frozenset(ask.path for ask in site(few) if "?" not in ask.path)
    lists = frozenset(ask.path for ask in addresses.admin_lists())
    rows_of_staff = addresses.admin(every_row=True)
    rows_of_all = addresses.admin(every_row=True)
    strangers_admin = addresses.admin(every_row=False)
    callers = [
        Caller("anonymous", asks(site(few), json_of(few), strangers_admin)),
        Caller(
            COACH,
            asks(site(world), json_of(few), changes(world), _admin_door()),
            username=COACH,
            followed=plain,
        ),
        Caller(
            LIMITED,
            asks(site(few), json_of(few), changes(world), _admin_door()),
            username=LIMITED,
        ),
        Caller(
            STAFF,
            asks(site(few), json_of(few), changes(world), rows_of_staff),
            username=STAFF,
            followed=lists,
        ),
        Caller(SUPERUSER, asks(site(few), rows_of_all), username=SUPERUSER),
        *(
            Caller(
                name,
                asks(
                    json_of(world if name == "token read" else few),
                    _admin_door(),
                    [Ask("/sync/trigger", ())],
                ),
                token=token,
            )
            for name, token in tokens.items()
        ),
        Caller("metrics", [addresses.get("/metrics")], token=SETTINGS["METRICS_TOKEN"]),
    ]
    for caller in callers:
        if caller.username:
            cookies = client_of(caller.username).cookies
            caller.session = cookies["sessionid"].value
    return callers


def _admin_door() -> Iterator[Ask]:
    yield addresses.get("/")
    yield addresses.get("/admin/")
    yield addresses.get("/admin/athletes/player/")


class Recorder:
    """Writes answers into files that are named by caller and address."""

    def __init__(self, out: Path, masked: dict[str, str], handler: Any) -> None:
        self.out = out
        self.handler = handler
        self.masked = masked
        self.count = 0
        self.crashes: list[str] = []
        self.routes: set[str] = set()

    def record(self, caller: Caller) -> None:
        """All that a caller asks, and what the followed pages then offer."""
        offered: list[Ask] = []
        for ask in caller.asks:
            html = self._record(caller, ask)
            if not html or ask.method != "GET" or "?" in ask.path:
                continue
            found = addresses.offers(ask.path, html)
            is_admin = ask.path.startswith("/admin/")
            if not is_admin:
                for part in (ask.as_part(), *map(ask.as_part, found.targets)):
                    self._record(caller, part)
            if ask.path in caller.followed:
                # Of a list its orders and filters; its rows are asked for above.
                offered += [
                    addresses.get(link)
                    for link in found.links
                    if not is_admin or link.startswith(f"{ask.path}?")
                ]
                offered += [addresses.get(path).as_part() for path in found.parts]
        for ask in offered:
            self._record(caller, ask)

    def _record(self, caller: Caller, ask: Ask) -> str:
        """Write one answer down; the HTML of a page, else nothing."""
        if ask in caller.seen:
            return ""
        caller.seen.add(ask)
        texts, html = self._answers(caller, ask)
        self._write(caller, ask, texts)
        return html

    def _answers(self, caller: Caller, ask: Ask) -> tuple[list[str], str]:
        """The answer, after a form also the page it leads to; and a page's HTML."""
        from django.db import transaction
        from django.urls import Resolver404, resolve

        client = caller.client()
        client.handler = self.handler
        with transaction.atomic():
            headers = dict(ask.headers)
            if ask.fields is None:
                response = client.get(ask.path, headers=headers)
            else:
                response = client.post(ask.path, _multiple(ask), headers=headers)
            texts = [self._text(response)]
            html = ""
            if response.headers.get("Content-Type", "").startswith("text/html"):
                html = response.content.decode()
            if ask.method == "POST" and response.status_code in {302, 303}:
                texts.append(self._text(client.get(response["Location"])))
            transaction.set_rollback(True)
        if response.status_code == 500:
            self.crashes.append(f"{caller.name}: {ask.method} {ask.path} crashed")
        with suppress(Resolver404):
            self.routes.add(resolve(urlsplit(ask.path).path).route)
        return texts, html

    def _text(self, response: Any) -> str:
        body = b"".join(response) if response.streaming else response.content
        kind = response.headers.get("Content-Type", "").partition(";")[0]
        text = self._mask(as_text(body, kind))
        # What is computed from all of a page is as new as its token.
        left_out = LEFT_OUT | ({"etag"} if "{csrf}" in text else set())
        head = [f"status {response.status_code}"]
        head += [
            f"{name}: {_in_order(name, value)}"
            for name, value in sorted(response.headers.items())
            if name.lower() not in left_out
        ]
        head += [f"sets cookie {name}" for name in sorted(response.cookies)]
        return "\n".join([self._mask("\n".join(head)), "", text, ""])

    def _mask(self, text: str) -> str:
        for value, name in self.masked.items():
            text = text.replace(value, name)
        for pattern, name in MASKS:
            text = re.sub(pattern, name, text, flags=re.MULTILINE)
        return text

    def _write(self, caller: Caller, ask: Ask, texts: list[str]) -> None:
        head = f"{ask.method} {ask.path}"
        for name, value in (*ask.headers, *(ask.fields or ())):
            head += f"\n  {name}: {value}"
        text = self._mask(head) + "\n\n" + "\n\n--- then ---\n\n".join(texts)
        path = self.out / caller.name.replace(" ", "-") / self._name(ask)
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            raise SystemExit(f"Two answers have one name: {path}")
        path.write_text(text, "utf-8")
        self.count += 1

    def _name(self, ask: Ask) -> str:
        words = [ask.method, self._mask(ask.path)]
        words += [f"{name}={value}" for name, value in ask.headers]
        words += [f"{n}={v}" for n, v in ask.fields or () if n != "csrfmiddlewaretoken"]
        # Two of these differ in their token alone, which is not shown.
        if "{token}" in words[1]:
            words.append(hashlib.sha256(ask.path.encode()).hexdigest()[:6])
        whole = quote(" ".join(words).replace("/", "_"), safe=" _?=&,-.{}:")
        if len(whole) > LONGEST_NAME:
            mark = hashlib.sha256(whole.encode()).hexdigest()[:10]
            whole = f"{whole[:LONGEST_NAME]}…{mark}"
        return f"{whole}.txt"

    def write_routes(self) -> None:
        """List every route, and whether an answer stands for it."""
        lines = [
            f"{'asked' if route in self.routes else 'NEVER ASKED':12} {route}"
            for route in sorted(addresses.routes())
        ]
        (self.out / "routes.txt").write_text("\n".join(lines) + "\n", "utf-8")
        never = [line for line in lines if line.startswith("NEVER")]
        if never:
            print("\n".join(["Routes that no answer stands for:", *never]))


def _in_order(name: str, value: str) -> str:
    """The value of a header; what a policy forbids comes in any order."""
    if name != "Content-Security-Policy":
        return value
    return "; ".join(sorted(map(str.strip, value.split(";"))))


def _multiple(ask: Ask) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for name, value in ask.fields or ():
        fields.setdefault(name, []).append(value)
    return fields


def as_text(body: bytes, kind: str) -> str:
    """Return an answer as text that can be compared; for a file with a fingerprint."""
    readers: dict[str, Callable[[bytes], str]] = {
        "application/pdf": _pdf,
        "application/vnd.apache.parquet": _parquet,
    }
    if kind not in readers:
        try:
            return body.decode("utf-8")
        except UnicodeDecodeError:
            pass
    mark = hashlib.sha256(body).hexdigest()
    content = readers[kind](body) if kind in readers else ""
    return f"{kind or 'file'} of {len(body)} bytes, sha256 {mark}\n{content}"


def _pdf(body: bytes) -> str:
    from pypdf import PdfReader

    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(body)).pages)


def _parquet(body: bytes) -> str:
    from pyarrow import parquet

    table = parquet.read_table(io.BytesIO(body))
    return f"{table.schema}\n{table.slice(0, 3).to_pylist()}"
