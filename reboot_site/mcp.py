"""The questions of an assistant over the Model Context Protocol.

The `mcp` library speaks the protocol. It is no part of requirements.txt, so this module
is imported by the command `manage.py mcp` alone.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, get_type_hints

from django.db import close_old_connections
from django.http import Http404
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from ninja.errors import HttpError

from accounts.api import token_of
from athletes.api.assistant import QUESTIONS
from reboot_site.version import VERSION

_INSTRUCTIONS = """\
Swing numbers of a baseball or softball facility, read-only. Start with find_athletes.
Quote each number with its unit and date. Call a difference a change only where
what_changed says `real`. A missing number is missing, not zero. Nothing here is medical
advice.
"""


def server(secret: str) -> MCPServer[Any]:
    """Return a server that answers with the rights of the token with this secret."""
    made: MCPServer[Any] = MCPServer(
        "swing-dashboard",
        title="Swing dashboard",
        instructions=_INSTRUCTIONS,
        version=VERSION,
        log_level="WARNING",
        subscriptions=False,
    )
    only_reads = ToolAnnotations(
        read_only_hint=True, destructive_hint=False, open_world_hint=False
    )
    for question in QUESTIONS:
        made.add_tool(_tool(question, secret), annotations=only_reads)
    return made


def _tool(question: Callable[..., Any], secret: str) -> Callable[..., Any]:
    """The question without its caller, who is looked up at each call.

    So the token is asked for each time: its limit counts, its last use is noted, and
    one that is revoked meanwhile gets no further answer.
    """
    hints = get_type_hints(question, include_extras=True)
    parameters = [
        parameter.replace(annotation=hints[name])
        for name, parameter in inspect.signature(question).parameters.items()
        if name != "caller"
    ]

    @wraps(question)
    def answer(**arguments: Any) -> Any:
        # Each call runs in one of a few threads, with connections of its own.
        close_old_connections()
        try:
            return question(token_of(secret), **arguments)
        except (Http404, HttpError) as error:
            raise ToolError(str(error)) from error
        finally:
            close_old_connections()

    del answer.__wrapped__
    answer.__annotations__ = {n: h for n, h in hints.items() if n != "caller"}
    answer.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        parameters, return_annotation=hints["return"]
    )
    return answer
