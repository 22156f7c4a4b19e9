"""Crash reports to Sentry, only where SENTRY_DSN names one.

What leaves the house is the code's part of the story: no bodies, no local variables,
no headers, no queries, and texts only after the redaction that logs pass. Of what an
error says, whatever stands in quotes is taken out: Python and libraries quote there the
value that they stumbled over, and that may be somebody's name.
"""

from __future__ import annotations

import re
from typing import Any

from reboot_site.logs import redact, request_id


def start(dsn: str) -> bool:
    """Send crashes of this process to `dsn`; False when there is none."""
    if not dsn:
        return False
    import sentry_sdk

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


def scrubbed(event: Any, hint: Any) -> Any:
    """An event without what may tell of a person or open a door."""
    request = event.pop("request", None)
    if request:
        event["request"] = {"method": request.get("method", "")}
    for gone in ("user", "extra"):
        event.pop(gone, None)
    if current := request_id.get():
        event.setdefault("tags", {})["request_id"] = current
    for error in event.get("exception", {}).get("values", ()):
        if isinstance(error.get("value"), str):
            error["value"] = _without_values(error["value"])
    return _redacted(event)


# An apostrophe within a word begins no quote. An opening one without its end hides the
# rest.
_QUOTED = re.compile(r"""(?s)(?<!\w)(['"])(?:\\.|(?!\1(?!\w)).)*(?:\1|$)""")


def _without_values(text: str) -> str:
    return _QUOTED.sub(r"\1[hidden]\1", text)


def scrubbed_crumb(crumb: Any, hint: Any) -> Any:
    """A breadcrumb without data: queries of HTTP calls and of the database."""
    if crumb.get("category") == "query":
        return None
    crumb.pop("data", None)
    return _redacted(crumb)


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: _redacted(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(item) for item in value]
    return value
