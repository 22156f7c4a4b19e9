"""Completes the OpenAPI document with what all paths share, so that it is valid.

django-ninja writes the operations and shapes. Missing then: examples in the form that
OpenAPI 3.1 takes (on a parameter, django-ninja writes the list that only a schema may
have), enums by reference, the 304, the headers, and where the server is. Client
generators read all of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson

Node = dict[str, Any]

#: By operation: an answer as docs/api.md shows it. A test holds the two together, and
#: another one compares docs/api.md with what the code answers.
_EXAMPLES = Path(__file__).with_name("openapi_examples.json")

_TAGS = {
    "athletes": "Athletes, their sessions, movements, numbers and frames.",
    "definitions": "What each number means.",
    "sync": "Runs that import data from Reboot Motion.",
    "service": "Whether the service is up; no login needed.",
}

_HEADERS: Node = {
    "ETag": {
        "description": (
            "Stays the same as long as the answer does; send it in If-None-Match."
        ),
        "schema": {"type": "string"},
        "example": '"9f86d081884c7d659a2feaa0c55ad015"',
    },
    "Link": {
        "description": "The next page (rel=next); present while this one is full.",
        "schema": {"type": "string"},
        "example": '</players?limit=100&after=100>; rel="next"',
    },
    "Content-Range": {
        "description": "Which bytes these are, or the total.",
        "schema": {"type": "string"},
        "example": "bytes */9473133",
    },
    "Next-Cursor": {
        "description": "Send it as cursor next time to get what changed since.",
        "schema": {"type": "string"},
        "example": "eyJhc2tlZCI6IjBmMWUyZDNjNGI1YSIsInBsYWNlIjo0fQ",
    },
    "Next-More": {
        "description": "Whether there is more to fetch right away.",
        "schema": {"type": "string"},
        "example": "false",
    },
    "Location": {
        "description": "The path of the record it was merged into.",
        "schema": {"type": "string"},
        "example": "/players/1",
    },
    "Retry-After": {
        "description": "Seconds to wait.",
        "schema": {"type": "integer", "minimum": 1},
        "example": 12,
    },
    "WWW-Authenticate": {
        "description": "How to log in.",
        "schema": {"type": "string"},
        "example": "Bearer",
    },
}

#: By status: its name among the shared answers, what it says, its headers.
_PROBLEMS: dict[int, tuple[str, str, tuple[str, ...]]] = {
    307: (
        "Merged",
        "Athlete 2 was merged into 1.",
        ("Location",),
    ),
    400: ("BadRequest", "A NUL character (%00) is not allowed.", ()),
    401: (
        "LoginNeeded",
        "The token is unknown, expired or revoked.",
        ("WWW-Authenticate",),
    ),
    403: ("Forbidden", "The token needs the scope sync.", ()),
    404: ("NotFound", "That athlete doesn't exist, or you can't see them.", ()),
    413: ("TooLarge", "A request body can have up to 2,621,440 bytes.", ()),
    416: ("OutOfRange", "The file has 9,473,133 bytes.", ("Content-Range",)),
    422: (
        "InvalidRequest",
        "athlete 7 no longer exists; start over without `after`.",
        (),
    ),
    429: ("TooManyCalls", "Too many requests: try again in 12 s.", ("Retry-After",)),
    500: ("ServerError", "Internal Server Error", ()),
    503: ("Unavailable", "The database isn't responding.", ()),
}


_UNHEALTHY: Node = {
    "status": "unhealthy",
    "detail": "The database isn't responding. Check DATABASE_URL and that it is "
    "running.",
    "migrations_missing": None,
    "worker": None,
}


#: By operation: headers of its own.
_ALSO = {
    "list_players": ["Link"],
    "export_metrics": ["Next-Cursor", "Next-More"],
}


def complete(document: Node) -> None:
    """Make django-ninja's document valid and whole, in place.

    Parameters
    ----------
    document
        What `NinjaAPI.get_openapi_schema` returns.
    """
    shapes = document["components"]["schemas"]
    document["servers"] = [{"url": "/", "description": "This dashboard."}]
    document["tags"] = [
        {"name": name, "description": text} for name, text in _TAGS.items()
    ]
    for node in list(_nodes(document)):
        _refer_to_enum(node, shapes)
    for _, operation in _operations(document):
        for parameter in operation.get("parameters", ()):
            # In a parameter this is a map of named examples; its schema has the list.
            if isinstance(parameter.get("examples"), list):
                del parameter["examples"]
        _complete_answers(operation)
    document["components"]["headers"] = _HEADERS
    document["components"]["responses"] = {
        "Unchanged": {
            "description": "Nothing changed since the ETag that was sent.",
            "headers": _headers("ETag"),
        },
        **{name: _problem(status) for status, (name, *_) in _PROBLEMS.items()},
    }


def _operations(document: Node) -> Iterator[tuple[str, Node]]:
    for methods in document["paths"].values():
        yield from methods.items()


def _nodes(node: Any) -> Iterator[Node]:
    """Yield every object in the document, the inner ones first."""
    if isinstance(node, dict):
        for value in node.values():
            yield from _nodes(value)
        yield node
    elif isinstance(node, list):
        for value in node:
            yield from _nodes(value)


def _refer_to_enum(node: Node, shapes: Node) -> None:
    """Replace the copy of an enum in a parameter by a reference to the shape."""
    for place in ("allOf", "anyOf"):
        for index, part in enumerate(node.get(place, ())):
            name = part.get("title") if "enum" in part else None
            if name:
                shapes.setdefault(name, part)
                node[place][index] = {"$ref": f"#/components/schemas/{name}"}


def _complete_answers(operation: Node) -> None:
    """Give an operation's answers their examples and headers, and the errors names."""
    # An empty list says aloud that no login is needed.
    needs_login = bool(operation.setdefault("security", []))
    found = operation["responses"]
    for status in list(found):
        if status in _PROBLEMS and needs_login:
            name = _PROBLEMS[status][0]
            found[status] = {"$ref": f"#/components/responses/{name}"}
    success = next(status for status in found if status < 300)
    example = _examples().get(operation["operationId"])
    if example is not None:
        found[success]["content"]["application/json"]["example"] = example
    if operation["operationId"] in {"health", "health_ready"}:
        found[503]["content"]["application/json"]["example"] = _UNHEALTHY
    if needs_login and success == HTTPStatus.OK:
        names = ["ETag"]
        names += _ALSO.get(operation["operationId"], [])
        found[success]["headers"] = _headers(*names)
        found[304] = {"$ref": "#/components/responses/Unchanged"}
    operation["responses"] = dict(sorted(found.items()))


def _headers(*names: str) -> Node:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _problem(status: int) -> Node:
    _, detail, headers = _PROBLEMS[status]
    answer: Node = {
        "description": HTTPStatus(status).phrase,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "example": {"detail": detail},
            }
        },
    }
    if headers:
        answer["headers"] = _headers(*headers)
    return answer


@cache
def _examples() -> dict[str, Any]:
    """By operation, an answer; some show an item of another one's list."""
    found: dict[str, Any] = orjson.loads(_EXAMPLES.read_bytes())
    player = found["list_players"]["players"][0]
    return found | {
        "get_player": {**player, "merged_records": []},
        "get_session": found["list_player_sessions"]["sessions"][0],
        "get_movement": found["list_session_movements"]["movements"][0],
        "health_ready": found["health"],
        "health_live": {"status": "alive"},
    }
