"""Reading the reply to an export request: ready, pending, or no data."""

from collections.abc import Mapping
from typing import Any

from syncing.client.answers import positive_seconds
from syncing.client.errors import UnavailableError, UnexpectedShapeError
from syncing.client.types import ExportReply

#: Words with which a reply says that the export is still being made.
PENDING_WORDS = frozenset(
    {"pending", "queued", "processing", "requested", "running", "in_progress"}
)
FAILED_WORDS = frozenset({"failed", "error", "errored", "cancelled"})
LINK_NAMES = ("download_urls", "download_url", "urls", "url")


def says_no_data(payload: Mapping[str, Any], method: str) -> bool:
    """Whether a 404 is the vendor's "nothing found" and not a missing route.

    The words are recorded once only ("No data found matching query: …"), so to an
    export request any text counts but the framework's own "Not Found"; a gateway says
    ``message`` instead of ``detail``. A status address may itself be unknown.
    """
    detail = payload.get("detail")
    if not isinstance(detail, str):
        return False
    words = detail.strip().casefold()
    return words.startswith("no data") or (method == "POST" and words != "not found")


def read_export_reply(
    payload: object, route: str, status: int, wait_s: float | None, location: str | None
) -> ExportReply:
    """Return a reply as links, still at work, or no data (reference, section 10)."""
    if not isinstance(payload, dict):
        raise UnexpectedShapeError(
            f"{route}: an object was expected and something else arrived. The export "
            "was not used."
        )
    links, named = _links(payload)
    if links:
        return ExportReply("ready", download_urls=links)
    word = payload.get("status")
    word = word.strip().casefold().replace(" ", "_") if isinstance(word, str) else ""
    if word in FAILED_WORDS:
        raise UnavailableError(
            f"{route}: Reboot Motion reports that making the export failed."
        )
    status_url = payload.get("status_url")
    if not isinstance(status_url, str) or not status_url:
        status_url = location
    if (
        status == 202
        or word in PENDING_WORDS
        or status_url
        or any(payload.get(name) for name in ("id", "export_id"))
    ):
        wait_s = (
            wait_s
            if wait_s is not None
            else positive_seconds(payload.get("retry_after"))
        )
        return ExportReply(
            "pending", status_url=status_url or None, retry_after_s=wait_s
        )
    if named:
        return ExportReply("no_data", reason="empty_list")
    found = ", ".join(sorted(str(name)[:40] for name in payload)[:12]) or "nothing"
    raise UnexpectedShapeError(
        f"{route}: the reply has no download links and doesn't say it is still "
        f"working. It has: {found}.",
        fields=("download_urls",),
    )


def _links(payload: Mapping[str, Any]) -> tuple[tuple[str, ...], bool]:
    """The links of a reply, and whether a place for links was there at all."""
    named = False
    for name in LINK_NAMES:
        if name not in payload:
            continue
        named = True
        value = payload[name]
        if isinstance(value, str) and value:
            return (value,), True
        if isinstance(value, list):
            links = tuple(
                dict.fromkeys(link for link in value if isinstance(link, str) and link)
            )
            if links:
                return links, True
    return (), named
