"""Requests to record: addresses of every kind of object, and small forms.

Addresses are written out, as the people and programs that rely on them know them.
Links, parts and choices that a page offers are found in the page itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urldefrag, urlencode, urljoin, urlsplit

from scripts.snapshots.site import rows


@dataclass(frozen=True)
class Ask:
    """One request: what is asked, and with which form and headers."""

    path: str
    fields: tuple[tuple[str, str], ...] | None = None
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def method(self) -> str:
        """GET, or POST where there is a form."""
        return "GET" if self.fields is None else "POST"

    def as_part(self, target: str = "") -> Ask:
        """Return this request as htmx sends it for the part named `target`."""
        more = [("HX-Request", "true")] + ([("HX-Target", target)] if target else [])
        return Ask(self.path, self.fields, (*self.headers, *more))


def get(path: str, **query: object) -> Ask:
    """A request for a page, with a query where one is given."""
    return Ask(f"{path}?{urlencode(query)}" if query else path)


def send(path: str, **fields: object) -> Ask:
    """Return the request of a form as a browser sends it."""
    # Browsers always send this one; some forms count as sent only with a field.
    pairs = [("csrfmiddlewaretoken", "-")]
    pairs += [(name, str(value)) for name, value in fields.items()]
    return Ask(path, tuple(pairs))


@dataclass(frozen=True)
class AskedObjects:
    """Ids of the objects that are asked for."""

    players: list[int]
    sessions: list[int]
    swings: list[int]
    shares: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_database(cls, shares: Mapping[str, str]) -> AskedObjects:
        """Return all athletes and sessions, odd swings and two others of a session."""
        movements = rows("athletes.Movement")
        first = movements.filter(position__lte=2)
        odd = movements.exclude(inclusion="auto") | movements.exclude(
            quality_grade="good"
        )
        decided = rows("athletes.EventCorrection").values_list("movement", flat=True)
        swings = {*_ids(first), *_ids(odd), *decided}
        not_swings = _ids(movements.filter(is_swing=False))
        return cls(
            players=_ids(rows("athletes.Player")),
            sessions=_ids(rows("athletes.Session")),
            swings=sorted({*swings, *not_swings}),
            shares=shares,
        )

    def few(self) -> AskedObjects:
        """Return one object of each kind, for callers who see what others see too."""
        players = [self.players[0], self.players[2], self.players[3], self.players[6]]
        sessions = [
            rows("athletes.Session").filter(player=pk).first().pk for pk in players[:3]
        ]
        swings = rows("athletes.Movement").filter(session__in=sessions, position=1)
        return AskedObjects(players, sessions, _ids(swings), self.shares)


def _ids(found: Any) -> list[int]:
    return list(found.values_list("pk", flat=True))


def site(objects: AskedObjects) -> Iterator[Ask]:
    """Pages of the dashboard, and files that a browser downloads."""
    for path in (
        *("/", "/athletes/", "/athletes/compare/", "/athletes/definitions/"),
        *("/athletes/compare/saved/", "/athletes/duplicates/", "/privacy/storage/"),
        *("/syncing/", "/syncing/panel/", "/syncing/records/", "/syncing/freshness/"),
        *("/syncing/alert/", "/syncing/upload/", "/accounts/login/"),
        *("/accounts/login/code/", "/accounts/second-factor/"),
        *("/accounts/second-factor/on/", "/accounts/second-factor/off/"),
        *("/accounts/second-factor/codes/", "/accounts/password_change/"),
        *("/accounts/password_change/done/", "/accounts/password_reset/"),
        *("/accounts/password_reset/done/", "/accounts/reset/done/"),
        *("/accounts/reset/MQ/stale-1/", "/accounts/logout/", "/no/such/page/"),
        *("/accounts/units/", "/syncing/start/", "/metrics"),
        *("/accounts/logout-everywhere/", "/syncing/cancel/", "/syncing/retry/"),
        *("/syncing/give-up/", "/syncing/backfill/", "/athletes/compare/save/"),
        "/athletes/definitions/no_such_number/",
    ):
        yield get(path)
    yield get("/athletes/", q="o")
    yield get("/athletes/", q="zzz", start="2026-03-09", end="2026-03-01")
    yield get("/athletes/", bats="switch", state="complete", sort="-sessions")
    yield from _of_athletes(objects)
    yield from _of_sessions(objects)
    for pk in objects.swings:
        yield get(f"/athletes/swings/{pk}/")
    for part in ("inclusion/", "events/", "events/0/undo/"):
        yield get(f"/athletes/swings/{objects.swings[0]}/{part}")
    for label, path in (
        ("athletes.AthleteMerge", "/athletes/merges/{}/undo/"),
        ("athletes.DuplicatePair", "/athletes/duplicates/{}/dismiss/"),
        ("athletes.DuplicatePair", "/athletes/duplicates/{}/bring-back/"),
        ("athletes.Note", "/athletes/notes/{}/delete/"),
        ("sharing.ShareLink", "/athletes/shares/{}/revoke/"),
        ("sharing.SavedComparison", "/athletes/compare/saved/{}/"),
        ("sharing.SavedComparison", "/athletes/compare/saved/{}/change/"),
        ("sharing.SavedComparison", "/athletes/compare/saved/{}/delete/"),
        ("privacy.Archive", "/privacy/archives/{}/"),
        ("syncing.SyncLog", "/syncing/runs/{}/"),
    ):
        for pk in [*_ids(rows(label)), 10**6]:
            yield get(path.format(pk))
    for token in (*objects.shares.values(), "x" * 43):
        yield get(f"/shared/{token}/")
        yield get(f"/shared/{token}/sheet.pdf")
        yield get(f"/shared/{token}/sheet.pdf", paper="a4")
    yield from _comparisons(objects)


def _of_athletes(objects: AskedObjects) -> Iterator[Ask]:
    for pk in [*objects.players, 10**6]:
        page = f"/athletes/{pk}/"
        yield get(page)
        for query in (
            *({"mixed": "1"}, {"side": "left"}, {"side": "right"}, {"page": "2"}),
            *({"among": "all"}, {"among": "age"}, {"metric": "no_such_number"}),
        ):
            yield get(page, **query)
        for part in ("sheet/", "sheet.pdf", "sheet.pdf?paper=a4", "sheet/?side=left"):
            yield get(page + part)
        yield get(f"/privacy/athletes/{pk}/")
        yield get(f"/privacy/athletes/{pk}/erase/")
    one = objects.players[0]
    for path in ("tags/", "sheet/share/"):
        yield get(f"/athletes/{one}/{path}")
    yield get(f"/privacy/athletes/{one}/archive/")
    for other in objects.players:
        yield get(f"/athletes/{one}/merge/{other}/")


def _of_sessions(objects: AskedObjects) -> Iterator[Ask]:
    for pk in [*objects.sessions, 10**6]:
        page = f"/athletes/sessions/{pk}/"
        for part in ("", "?side=left", "?side=both", "?sort=-quality"):
            yield get(page + part)
        for part in ("sheet/", "sheet.pdf"):
            yield get(page + part)
    for path in ("facts/", "notes/", "tags/", "sheet/share/"):
        yield get(f"/athletes/sessions/{objects.sessions[0]}/{path}")


def _comparisons(objects: AskedObjects) -> Iterator[Ask]:
    page = "/athletes/compare/"
    sessions = [f"session-{pk}" for pk in objects.sessions]
    athletes = [f"athlete-{pk}" for pk in objects.players[:3]]
    swings = [f"swing-{pk}" for pk in objects.swings[:3]]
    for items in (
        *(sessions[:1], sessions[:2], sessions[5:9], athletes, swings),
        *([athletes[0], sessions[1], swings[2]], [*athletes, *sessions, "x-1"]),
        [f"{athletes[2]}-left", f"{athletes[2]}-right"],
    ):
        for align in ("reference", "percent", "foot_down"):
            yield get(page, items=",".join(items), align=align)
    yield get(page, q="a")


def json(objects: AskedObjects) -> Iterator[Ask]:
    """Return the requests for all that other programs ask for."""
    for path in (
        *("/players", "/definitions", "/sync/status", "/stats", "/docs", "/health"),
        *("/health/live", "/health/ready", "/openapi.json", "/sync/trigger"),
        *("/players/1/nothing", "/players?limit=2", "/players?search=or&skip=1"),
        *("/players?limit=2&after=3", "/players?limit=0", "/players?skip=x"),
        *("/sync/status?limit=1", "/sync/status?limit=0", "/players/x"),
    ):
        yield get(path)
    for pk in [*objects.players, 10**6]:
        yield get(f"/players/{pk}")
        yield get(f"/players/{pk}/sessions")
        yield get(f"/players/{pk}/sessions", start_date="2025-06-01", limit=2)
        yield get(f"/players/{pk}/sessions", end_date="x")
    for pk in [*objects.sessions, 10**6]:
        for path in ("", "/metrics", "/movements"):
            yield get(f"/sessions/{pk}{path}")
    for pk in [*objects.swings, 10**6]:
        yield get(f"/movements/{pk}")
    for place, pk in enumerate([*objects.swings[:6], objects.swings[-1], 10**6]):
        data = f"/movements/{pk}/data"
        for kind in ("inverse-kinematics", "momentum-energy", "nothing"):
            for form in ("json", "csv", "parquet"):
                if place < 2:
                    yield get(data, data_type=kind, format=form)
                yield get(data, data_type=kind, format=form, columns="time,pelvis_rot")
        yield get(data, columns="no_such_column")


def changes(objects: AskedObjects) -> Iterator[Ask]:
    """Forms whose answer, and the page after it, are recorded and then taken back."""
    player, switch, other = objects.players[0], objects.players[2], objects.players[3]
    session = rows("athletes.Session").filter(player=player, swing_count__gt=3)[0].pk
    swing = rows("athletes.Movement").filter(session=session)[0].pk
    at, on, of = f"/athletes/{player}", f"/athletes/sessions/{session}", "/athletes"
    yield send("/accounts/login/", username="nobody", password="wrong")  # noqa: S106
    yield send("/accounts/units/", units="metric", next=f"{at}/")
    yield send("/accounts/password_change/", old_password="x")  # noqa: S106
    yield send(f"{at}/tags/", name="another tag").as_part()
    yield send(f"{at}/tags/", name="").as_part()
    yield send(f"{of}/sessions/{session}/tags/", name="another tag")
    yield send(f"{on}/facts/", condition="live", bat="34/31")
    yield send(f"{on}/facts/", condition="live", bat="34/31").as_part()
    yield send(f"{on}/facts/", condition="nothing")
    yield send(f"{on}/notes/", text="A note.\nAnd more.").as_part()
    yield send(f"{on}/notes/", text="")
    for choice in ("excluded", "included", "auto"):
        for reason in ("Half swing.", ""):
            path = f"{of}/swings/{swing}/inclusion/"
            yield send(path, inclusion=choice, reason=reason)
            yield send(path, inclusion=choice, reason=reason, next=f"{on}/")
    # In ms from the start of the clock of the file.
    for field_name, value in (
        ("foot_down", "1500"),
        ("foot_down", "99000"),
        ("load", "x"),
    ):
        path = f"{of}/swings/{swing}/events/"
        yield send(path, zero_s="0", **{field_name: value})
    for correction in rows("athletes.EventCorrection"):
        pk = correction.movement_id
        yield send(f"{of}/swings/{pk}/events/{correction.pk}/undo/")
    yield send(f"{at}/sheet/share/", days="0").as_part()
    yield send(f"{on}/sheet/share/", days="7", label="For a parent")
    for pk in _ids(rows("sharing.ShareLink")):
        yield send(f"{of}/shares/{pk}/revoke/")
    items = f"session-{objects.sessions[0]},session-{objects.sessions[1]}"
    yield send(f"{of}/compare/save/", name="New", items=items)
    yield send(f"{of}/compare/save/", name="", items=items)
    for pk in _ids(rows("sharing.SavedComparison")):
        yield send(f"{of}/compare/saved/{pk}/change/", name="Renamed", is_shared="on")
        yield send(f"{of}/compare/saved/{pk}/change/", name="")
        yield send(f"{of}/compare/saved/{pk}/delete/")
    for pk in _ids(rows("athletes.Note")):
        yield send(f"{of}/notes/{pk}/delete/")
    yield send(f"{of}/{player}/merge/{other}/")
    yield send(f"{of}/{switch}/merge/{other}/", last_name="merged", height_ft="merged")
    for pk in _ids(rows("athletes.DuplicatePair")):
        yield send(f"{of}/duplicates/{pk}/dismiss/")
        yield send(f"{of}/duplicates/{pk}/bring-back/")
    for pk in _ids(rows("athletes.AthleteMerge")):
        yield send(f"{of}/merges/{pk}/undo/")
    yield send(f"/privacy/athletes/{player}/archive/").as_part()
    yield send(f"/privacy/athletes/{player}/erase/", word="no")
    yield send("/privacy/storage/")
    yield send("/syncing/start/").as_part()
    yield send("/syncing/cancel/")
    yield send("/syncing/retry/", code="damaged_parquet")
    yield send("/syncing/retry/", sessions="unread")
    yield send("/syncing/give-up/", code="conflicting_rows")
    yield send("/syncing/backfill/", player=str(player))
    yield send("/syncing/backfill/", start="2025-09-02", end="2025-09-01")
    yield send("/syncing/upload/", exports="")
    yield Ask("/sync/trigger", ())
    yield send(f"/admin/athletes/player/{player}/change/", height_ft="60")


def admin_lists() -> Iterator[Ask]:
    """The list of each model that the administration knows."""
    from django.contrib import admin as django_admin

    for registered in django_admin.site._registry:
        meta = registered._meta
        yield get(f"/admin/{meta.app_label}/{meta.model_name}/")


def admin(*, every_row: bool) -> Iterator[Ask]:
    """The administration: lists, forms, histories, deletions of each model."""
    from django.contrib import admin as django_admin

    for path in (
        *("", "login/", "password_change/", "password_change/done/", "jsi18n/"),
        *("logout/", "autocomplete/", "no-such-page/", "r/1/1/", "accounts/"),
        *("athletes/", "syncing/", "privacy/", "sharing/", "webhooks/"),
    ):
        yield get(f"/admin/{path}")
    for registered in django_admin.site._registry:
        meta = registered._meta
        base = f"/admin/{meta.app_label}/{meta.model_name}/"
        yield get(base)
        yield get(base, q="a")
        yield get(base + "add/")
        yield send(base + "add/")
        yield get(base + "1000000/change/")
        ids = list(registered._base_manager.order_by("pk").values_list("pk", flat=True))
        middle = ids[len(ids) // 2 : len(ids) // 2 + 1]
        chosen = [*ids[:1], *middle, *ids[-1:]] if every_row else ids[:1]
        for pk in dict.fromkeys(map(str, chosen)):
            for part in ("change/", "history/", "delete/", "password/", ""):
                yield get(f"{base}{_quoted(pk)}/{part}")
        if every_row:
            for name in django_admin.site._registry[registered].actions or ():
                action = name if isinstance(name, str) else name.__name__
                pairs = [("action", action), ("index", "0")]
                pairs += [("_selected_action", str(pk)) for pk in ids[:2]]
                yield Ask(base, tuple(pairs))
                yield Ask(base, tuple(pairs[:3]))


def _quoted(pk: str) -> str:
    from django.contrib.admin.utils import quote

    return quote(pk)


def routes() -> set[str]:
    """Every route of the site's URLconf, written as in the code."""
    from django.urls import URLResolver, get_resolver

    found = set()

    def walk(patterns: Sequence[Any], prefix: str) -> None:
        for pattern in patterns:
            own = str(pattern.pattern)
            # As the resolver names what it found.
            route = prefix + (own.removeprefix("^") if prefix else own)
            if isinstance(pattern, URLResolver):
                walk(pattern.url_patterns, route)
            else:
                found.add(route)

    walk(get_resolver().url_patterns, "")
    return found


class Offers(HTMLParser):
    """Addresses and parts that a page offers to whoever reads it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.page = page
        self.links: dict[str, None] = {}
        self.parts: dict[str, None] = {}
        self.targets: dict[str, None] = {}
        self._form: str | None = None
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes what the tag leads to."""
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given and "download" not in given:
            self._add(self.links, given["href"])
        if "hx-get" in given:
            self._add(self.parts, given["hx-get"])
        target = given.get("hx-target", "")
        if target.startswith("#"):
            self.targets[target[1:]] = None
        if tag == "form":
            is_post = given.get("method", "").lower() == "post"
            self._form = None if is_post else given.get("action", "")
        elif tag == "select":
            self._select = given.get("name", "")
        elif tag == "option" and self._select and self._form is not None:
            query = urlencode({self._select: given.get("value", "")})
            self._add(self.links, f"{self._form.partition('?')[0]}?{query}")

    def handle_endtag(self, tag: str) -> None:
        """Forgets the form or the choice that ends here."""
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""

    def _add(self, where: dict[str, None], address: str) -> None:
        whole = urljoin(self.page, urldefrag(address).url)
        parts = urlsplit(whole)
        if not (parts.scheme or parts.netloc) and not parts.path.startswith("/static/"):
            where[whole] = None


def offers(page: str, html: str) -> Offers:
    """Return the links and parts that the page at this address offers."""
    found = Offers(page)
    found.feed(html)
    return found
