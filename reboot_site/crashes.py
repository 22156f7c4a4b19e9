"""Crash reports to Sentry, only where SENTRY_DSN names one.

What leaves the house is the code's part of the story: no bodies, no local variables,
no headers, no queries, and of what errors and log lines say nothing that stands in
quotes (`reboot_site.logs`). A part of a report that is not named here is not sent.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from reboot_site.logs import redact, request_id, without_values


def start(dsn: str) -> bool:
    """Send crashes of this process to `dsn`; False when there is none.

    Raises `ImproperlyConfigured` for an address that is none of Sentry's.
    """
    if not dsn:
        return False
    import sentry_sdk

    try:
        sentry_sdk.utils.Dsn(dsn)
    except sentry_sdk.utils.BadDsn as error:
        raise ImproperlyConfigured(
            "SENTRY_DSN must be the address that Sentry shows for the project, such as "
            "https://key@host/1."
        ) from error
    sentry_sdk.init(
        dsn=dsn,
        send_default_pii=False,
        # Local variables hold athletes' names, bodies hold passwords.
        include_local_variables=False,
        max_request_body_size="never",
        traces_sample_rate=0.0,
        before_send=scrubbed,
        before_breadcrumb=scrubbed_crumb,
    )
    return True


#: Parts of a report that tell of the program and not of people.
_SENT_AS_THEY_ARE = (
    "contexts",
    "environment",
    "event_id",
    "exception",
    "fingerprint",
    "level",
    "logger",
    "modules",
    "platform",
    "release",
    "sdk",
    "server_name",
    "stacktrace",
    "tags",
    "threads",
    "timestamp",
    "transaction_info",
    "type",
)
_CONTEXTS = ("os", "runtime", "trace")
#: Where the name of what was asked for is that of a route or of code, not an address.
_NAMED_BY_CODE = {"route", "component", "task", "view"}


def scrubbed(event: Any, hint: Any) -> Any:
    """Return a crash report without personal data and secrets."""
    safe = {name: event[name] for name in _SENT_AS_THEY_ARE if name in event}
    if request := event.get("request"):
        safe["request"] = {"method": request.get("method", "")}
    if current := request_id.get():
        safe["tags"] = {**(safe.get("tags") or {}), "request_id": current}
    if (event.get("transaction_info") or {}).get("source") in _NAMED_BY_CODE:
        safe["transaction"] = event.get("transaction", "")
    if "contexts" in safe:
        known = safe["contexts"].items()
        safe["contexts"] = {name: told for name, told in known if name in _CONTEXTS}
    for name in ("logentry", "message"):
        if name in event:
            safe[name] = _template(event[name])
    crumbs = event.get("breadcrumbs") or {}
    crumbs = crumbs.get("values", ()) if isinstance(crumbs, dict) else crumbs
    kept = [crumb for each in crumbs if (crumb := scrubbed_crumb(each, hint))]
    if kept:
        safe["breadcrumbs"] = {"values": kept}
    for error in _values(safe.get("exception")):
        if isinstance(error.get("value"), str):
            error["value"] = without_values(error["value"])
        # What the operating system or a library adds to its number.
        (error.get("mechanism") or {}).pop("data", None)
    for holder in (
        safe,
        *_values(safe.get("exception")),
        *_values(safe.get("threads")),
    ):
        for frame in (holder.get("stacktrace") or {}).get("frames") or ():
            frame.pop("vars", None)
    return _redacted(safe)


def _values(part: Any) -> Any:
    return (part.get("values") if isinstance(part, dict) else part) or ()


def _template(entry: Any) -> Any:
    """Return a log line as written in the code, without the values put into it."""
    if isinstance(entry, dict):
        text = entry.get("message") or entry.get("formatted") or ""
        return {"message": without_values(str(text))}
    return without_values(str(entry))


def scrubbed_crumb(crumb: Any, hint: Any) -> Any:
    """Return a step before the crash without the data of HTTP calls and queries."""
    if crumb.get("category") == "query":
        return None
    safe = {name: told for name, told in crumb.items() if name != "data"}
    if isinstance(safe.get("message"), str):
        safe["message"] = without_values(safe["message"])
    return _redacted(safe)


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: _redacted(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(item) for item in value]
    return value
