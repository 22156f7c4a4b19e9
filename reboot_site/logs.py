"""Log lines: as JSON or as text, without secrets, with ids that join them.

What an error of a library quotes is hidden too: Python and libraries quote there the
value that they stumbled over, and that may be somebody's name.

A line of a request carries `request_id`, which the answer carries as well; a line of
the sync carries `run_id` and, where it is about one file, `job_id`. No line carries a
name: routes are logged as patterns, never as the path that was asked for.
"""

from __future__ import annotations

import logging
import re
import time
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import orjson

#: What LOG_LEVEL may say.
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

#: Of the request that this thread is answering.
request_id: ContextVar[str] = ContextVar("request_id", default="")

_HIDDEN = "[hidden]"
# A presigned query is a key, and a filter in one of ours may be somebody's name.
_QUERY = re.compile(r"((?:https?:/)?/[^\s\"'?<>]*)\?[^\s\"'<>]+")
_CREDENTIALS_IN_URL = re.compile(r"(\w+://)[^\s/@\"']+@")
_HEADER = re.compile(
    r"(?i)\b(authorization|proxy-authorization|x-api-key|cookie|set-cookie)"
    r"([\"']?\s*[:=]\s*[\"']?)[^\r\n\"']+"
)
_SCHEME = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=:-]{6,}")
_FIELD = re.compile(
    r"(?i)([\"']?\b\w*(?:password|passwd|secret|token|signature|api[_-]?key|credential)"
    r"\w*[\"']?\s*[:=]\s*)([\"'][^\"'\r\n]+[\"']|[^\s,;&}\"']{4,})"
)
_JWT = re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?")
# PostgreSQL tells the values of the row that it refuses: names, days of birth.
_ROW = re.compile(r"((?i:row contains)|Key \(.*?\)=)[ ]?\(.*")
# The link of a password reset lets its reader in, a share link shows one sheet.
_RESET = re.compile(r"(/(?:accounts/reset|shared)/)[^\s\"'<>]+")


# Also the signs that make a terminal show text in another order or on another line.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+")
_REFUSAL_LENGTH = 160


def redact(text: str) -> str:
    """Return `text` without queries of addresses, tokens, passwords and reset links.

    Nor with the values of a refused row.
    """
    text = _QUERY.sub(rf"\1?{_HIDDEN}", text)
    text = _CREDENTIALS_IN_URL.sub(rf"\1{_HIDDEN}@", text)
    text = _HEADER.sub(rf"\1\2{_HIDDEN}", text)
    text = _SCHEME.sub(rf"\1 {_HIDDEN}", text)
    text = _FIELD.sub(rf"\1{_HIDDEN}", text)
    text = _JWT.sub(_HIDDEN, text)
    text = _ROW.sub(rf"\1 {_HIDDEN}", text)
    return _RESET.sub(rf"\1{_HIDDEN}", text)


# Names of the database's own things stay. An apostrophe within a word begins no quote,
# one after a lone b does: Python shows bytes so. An opening one without its end hides
# the rest.
_QUOTED = re.compile(
    r"""(?sx)
    \b(?:constraint|relation|column|table|index)[ ]"\w+"
    | (?:(?<!\w)|(?<=\b[bBrRuU]))(?P<mark>['"`])
      (?:\\.|(?!(?P=mark)(?!\w)).)*(?:(?P=mark)|$)
    | (?P<open>[“‘«])[^”’»]*(?P<close>[”’»]|$)
    """
)
_TRACEBACK = "Traceback (most recent call last):"
# The parts of a traceback that show code, whose quotes hold no values.
_CODE = re.compile(r'(?m)^((?:[ ]{2}File "[^"\n]*", line \d+.*\n?(?:[ ]{4}.*\n?)*)+)')


def without_values(text: str) -> str:
    """`text` of an error without what it quotes; the code of a traceback stays."""
    parts = text.split(_TRACEBACK)
    return _TRACEBACK.join(
        "".join(
            piece if place % 2 else _QUOTED.sub(_hidden, piece)
            for place, piece in enumerate(_CODE.split(part))
        )
        for part in parts
    )


def _hidden(match: re.Match[str]) -> str:
    mark = match["mark"] or match["open"]
    if mark is None:
        return match[0]
    return f"{mark}{_HIDDEN}{match['mark'] or match['close'] or '”'}"


_OURS = frozenset(
    ["accounts", "athletes", "privacy", "reboot_site", "sharing", "syncing", "webhooks"]
)


def _told(value: object) -> object:
    """Return a library's error as a text that may be logged; other values unchanged."""
    if not isinstance(value, BaseException):
        return value
    # Our own messages quote nothing of a person.
    if type(value).__module__.partition(".")[0] in _OURS:
        return value
    return without_values(str(value))


class RedactingFilter(logging.Filter):
    """Stands at the handler, so that lines of libraries pass it too."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Take secrets and quoted values out of the record; always True."""
        if isinstance(record.args, tuple):
            record.args = tuple(map(_told, record.args))
        record.msg = _told(record.msg)
        text = record.getMessage()
        safe = redact(without_values(text) if _TRACEBACK in text else text)
        if safe != text:
            record.msg, record.args = safe, None
        for name in _extras(record):
            value = getattr(record, name)
            if isinstance(value, str):
                setattr(record, name, redact(value))
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(without_values(record.exc_text))
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        return True


class RefusedRequestFilter(logging.Filter):
    """Makes a refused request one short warning: it is the sender's fault.

    Django writes a traceback at ERROR for each, such as for a wrong Host header. Who
    sends a thousand of them would fill the log and hide what matters in it.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the record of a refused request to one warning; always True."""
        if record.name.startswith("django.security."):
            told = _CONTROL.sub(" ", record.getMessage())
            if len(told) > _REFUSAL_LENGTH:
                told = f"{told[:_REFUSAL_LENGTH]} …"
            record.msg, record.args = f"A request was refused: {told}", None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            record.exc_info = record.exc_text = None
        return True


class RequestIdFilter(logging.Filter):
    """Puts the id of the request on every line that is written while it is answered."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Give the record the id of the request under way; always True."""
        current = request_id.get()
        if current and not hasattr(record, "request_id"):
            record.request_id = current
        return True


_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# Django hands whole objects over here; a request holds cookies and names.
_LEFT_OUT = frozenset(
    {"request", "server_time", "sql", "params", "alias", "status_code"}
)


def _extras(record: logging.LogRecord) -> list[str]:
    return [name for name in vars(record) if name not in _USUAL | _LEFT_OUT]


class LineFormatter(logging.Formatter):
    """One line of text for people."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line, with the id of its request."""
        text = super().format(record)
        current = getattr(record, "request_id", "")
        if not current:
            return text
        line, separator, rest = text.partition("\n")
        return f"{line} request={current}{separator}{rest}"


class JsonFormatter(logging.Formatter):
    """One JSON object a line for programs."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one JSON object on one line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(
                timespec="milliseconds"
            ),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in _extras(record)}
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        if record.exc_text:
            line["exception"] = record.exc_text
        return orjson.dumps(
            line,
            default=str,
            option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS,
        ).decode()


def configuration(*, form: str, level: str) -> dict[str, Any]:
    """Django's LOGGING: all to the standard error stream, in one form."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "request_id": {"()": RequestIdFilter},
            "refusals": {"()": RefusedRequestFilter},
            "redact": {"()": RedactingFilter},
        },
        "formatters": {
            "line": {"()": LineFormatter},
            "json": {"()": JsonFormatter},
        },
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": form,
                "filters": ["request_id", "refusals", "redact"],
            },
        },
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # Its own handlers know no redaction; the root's does it all.
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "django.request": {"level": "ERROR"},
            "django.server": {"handlers": [], "level": "INFO", "propagate": True},
            "axes": {"level": "WARNING"},
            # Below this level it tells the secrets of a sign-in.
            "authlib": {"level": "WARNING"},
            "django-q": {"handlers": [], "propagate": True},
            "gunicorn.error": {"handlers": [], "propagate": True},
            "gunicorn.access": {"handlers": [], "propagate": False},
        },
    }


def milliseconds_since(began: float) -> float:
    """Return the milliseconds since a `time.perf_counter` reading, to a tenth."""
    return round((time.perf_counter() - began) * 1000.0, 1)
