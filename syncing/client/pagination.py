"""Reading the vendor's lists page by page, to their end.

There is no total and no link to the next page, a page size above the server's own may
be cut silently, and a server that ignores ``offset`` sends the same page for ever
(reference, sections 6 and 9). So the offset moves by what arrived, and the walk ends
at an empty page or at one without a new id. A short page proves nothing: ending there
would lose athletes whenever the server's maximum is below what we ask for.

When the first page comes again for every offset, larger pages are asked for until one
is not full. A list that cannot be read to its end this way raises an error: taken for
whole, it would hide the rest, and a full sync would mark the rest as missing. The same
holds for a list that ends at a number that a server may well have as its own maximum
(100, 150, 500).

A list can change while it is read: an entry before the border of two pages goes away or
is sorted to the end, and one behind the border slips before it, unread. So each page
begins with the last entry of the page before. Where it does not, the list is read anew
from its start, until it was read once from start to end without such a shift, or twice
with the same entries (a server may return them in another order each time).
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from syncing.client.errors import (
    ListChangedError,
    UnexpectedShapeError,
    UnexpectedStatusError,
)
from syncing.ids import id_text

T = TypeVar("T")

#: Wrappers that clients of this API tolerate although only bare arrays were seen.
WRAPPER_NAMES = ("data", "results", "items")

MINIMUM_LIMIT = 10
#: Where the offset is ignored, one page of this size holds the list or nothing does.
MAXIMUM_LIMIT = 100_000

#: How often a list is begun anew because it changed while it was read.
MAX_READINGS = 6

#: Where a page ends at a multiple of this, the server may have cut it.
USUAL_MAXIMUM = 50

FetchPage = Callable[[int, int], Sequence[object]]


def list_from(payload: object, *, route: str, names: Sequence[str]) -> list[object]:
    """Return the list of an answer, which is bare or inside a wrapper object."""
    if isinstance(payload, list):
        return payload
    if isinstance(payload, dict):
        for name in (*names, *WRAPPER_NAMES):
            inner = payload.get(name)
            if isinstance(inner, list):
                return inner
        found = ", ".join(sorted(str(key)[:40] for key in payload)[:10]) or "nothing"
        raise UnexpectedShapeError(
            f"{route}: a list was expected and an object with {found} arrived. Check "
            "the address of Reboot Motion's API."
        )
    raise UnexpectedShapeError(
        f"{route}: a list was expected and a single value arrived. Check the address "
        "of Reboot Motion's API."
    )


def walk_pages(
    fetch: FetchPage,
    *,
    route: str,
    key: str,
    limit: int,
    max_pages: int,
) -> Iterator[object]:
    """Yield each entry of a list once, in the order of the pages.

    Raises
    ------
    ListChangedError
        The list changed during each of several readings.
    UnexpectedShapeError
        It has no end, or cannot be read to its end.
    """
    pages = _Pages(fetch, route, key, limit, max_pages)
    for _ in range(MAX_READINGS):
        yield from pages.read()
        if pages.was_steady:
            return
    raise ListChangedError(
        f"{route}: the list changed each of {MAX_READINGS} times that it was read, so "
        "an entry may have been missed. What was read is kept; the next run reads it "
        "again."
    )


class _Pages:
    """Readings of one list; an entry that was yielded once does not come again."""

    def __init__(
        self, fetch: FetchPage, route: str, key: str, limit: int, max_pages: int
    ) -> None:
        self._fetch = fetch
        self._route = route
        self._key = key
        self._limit = limit
        self._max_pages = max_pages
        self._seen: set[str] = set()
        self._before: set[str] | None = None
        #: Whether the last reading met no change of the list.
        self.was_steady = False

    def read(self) -> Iterator[object]:
        """Read the list once, from its start to its end."""
        shifted = False
        first: Sequence[object] = ()
        offset = 0
        last: str | None = None
        known: set[str] = set()
        for _ in range(self._max_pages):
            page, self._limit = _fetch_halving(self._fetch, offset, self._limit)
            names = [_identity(item, self._key) for item in page]
            is_new = not known.issuperset(names)
            known.update(names)
            yield from _fresh(page, self._key, self._seen)
            if first and page == first and not is_new and len(page) > 1:
                # The same page for every offset.
                yield from _in_one_page(
                    self._fetch,
                    self._route,
                    self._key,
                    self._limit,
                    self._seen,
                    len(first),
                )
                self.was_steady = True
                return
            if last is not None and (not names or names[0] != last):
                shifted = True
            if not is_new:
                self.was_steady = not shifted or known == self._before
                self._before = known
                return
            first = first or page
            # The last entry comes again. (A server that sends one at a time would
            # never get further.)
            overlap = 1 if len(page) > 1 else 0
            last = names[-1] if overlap else None
            offset += len(page) - overlap
        raise UnexpectedShapeError(
            f"{self._route}: the list did not end after {self._max_pages} pages. What "
            "was read so far is kept; if the organization really is that large, raise "
            "the page limit."
        )


def in_chunks(entries: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield the entries in lists of a size, the last of them perhaps shorter."""
    source = iter(entries)
    while chunk := list(islice(source, size)):
        yield chunk


def _fresh(page: Sequence[object], key: str, seen: set[str]) -> Iterator[object]:
    for item in page:
        identity = _identity(item, key)
        if identity not in seen:
            seen.add(identity)
            yield item


def _in_one_page(
    fetch: FetchPage, route: str, key: str, limit: int, seen: set[str], arrived: int
) -> Iterator[object]:
    """The rest of a list whose server ignores ``offset``."""
    if arrived < limit and arrived % USUAL_MAXIMUM:
        return
    while limit < MAXIMUM_LIMIT:
        page, limit = _fetch_halving(fetch, 0, limit * 10)
        yield from _fresh(page, key, seen)
        if len(page) <= arrived:
            # Cut at the server's own maximum, or the list ends just there.
            break
        arrived = len(page)
        if arrived < limit:
            return
    raise UnexpectedShapeError(
        f"{route}: the first {arrived} entries come again for every page, so the list "
        "may be longer than what could be read. What was read is kept; ask Reboot "
        "Motion "
        "why offset has no effect."
    )


def _fetch_halving(
    fetch: FetchPage, offset: int, limit: int
) -> tuple[Sequence[object], int]:
    while True:
        try:
            return fetch(offset, limit), limit
        except UnexpectedStatusError as error:
            if (
                error.status != 422
                or "limit" not in error.fields
                or limit <= MINIMUM_LIMIT
            ):
                raise
            limit = max(MINIMUM_LIMIT, limit // 2)


def entry_id(item: object, key: str) -> str | None:
    """Return the id of an entry of a list; None when it has none."""
    return id_text(item.get(key)) if isinstance(item, dict) else None


def _identity(item: object, key: str) -> str:
    found = entry_id(item, key)
    if found is not None:
        return f"id {found}"
    # No id: the entry is reported as unreadable later; its text guards the loop.
    return json.dumps(item, sort_keys=True, default=str)
