"""`manage.py mcp`, asked by a client of the protocol."""

import asyncio
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import ApiToken, AuditEntry
from accounts.services import revoke_token
from athletes.api.assistant import QUESTIONS
from athletes.models import Player
from tests import factories
from tests.test_architecture import ROOT


@pytest.mark.django_db
def test_it_is_off_without_a_token_and_refuses_one_that_does_not_work(settings):
    settings.MCP_TOKEN = ""
    with pytest.raises(CommandError, match="MCP is off"):
        call_command("mcp")
    settings.MCP_TOKEN = "swd_nobody-made-this"
    with pytest.raises(CommandError, match="unknown, expired or revoked"):
        call_command("mcp")


def test_every_question_is_described_to_people_too():
    page = (ROOT / "docs" / "mcp.md").read_text("utf-8")
    for question in QUESTIONS:
        assert f"| `{question.__name__}` |" in page


async def conversation(secret, player, end):
    """What a client is answered, over stdin and stdout of the command."""
    from mcp import Client, StdioServerParameters

    # A child process has to find the database of the test.
    path = f"sqlite:///{connection.settings_dict['NAME']}"
    command = StdioServerParameters(
        command=sys.executable,
        args=["manage.py", "mcp"],
        cwd=str(ROOT),
        env=os.environ | {"DATABASE_URL": path, "DEBUG": "1", "MCP_TOKEN": secret},
    )
    told = {}
    async with Client(command, read_timeout_seconds=120) as client:
        told["tools"] = (await client.list_tools()).tools
        found = await client.call_tool("find_athletes", {"name": "ceres"})
        told["found"] = found.structured_content
        told["wrong"] = await client.call_tool("list_sessions", {"athlete": 0})
        nobody = {"athlete": player + 1000}
        told["nobody"] = await client.call_tool("what_changed", nobody)
        given = {"athlete": player, "since": "2026-01-01"}
        told["changed"] = await client.call_tool("what_changed", given)
        await asyncio.to_thread(end)
        told["after"] = await client.call_tool("find_athletes", {})
    return told


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_a_client_asks_over_stdio_until_the_token_is_revoked():
    if connection.vendor != "sqlite":
        pytest.skip("once is enough")
    player = factories.make_player(first_name="Larch", last_name="Ceres")
    session = factories.make_synced_session(player=player)
    secret = factories.make_token()["Authorization"].removeprefix("Bearer ")
    token = ApiToken.objects.get()

    def end():
        revoke_token(token)
        connection.close()

    # In a thread of its own: a browser test before may have left a loop in this one.
    with ThreadPoolExecutor(1) as pool:
        talk = pool.submit(asyncio.run, conversation(secret, player.pk, end))
        told = talk.result()
    assert {tool.name for tool in told["tools"]} == {q.__name__ for q in QUESTIONS}
    assert all(tool.annotations.read_only_hint for tool in told["tools"])
    assert all(
        "caller" not in tool.input_schema["properties"] for tool in told["tools"]
    )
    (athlete,) = told["found"]["athletes"]
    assert athlete["id"] == player.pk
    assert told["wrong"].is_error
    assert told["nobody"].is_error
    assert "athlete doesn't exist" in told["nobody"].content[0].text
    assert not told["changed"].is_error
    (changed,) = told["changed"].structured_content["sessions"]
    assert changed["session"] == session.pk
    assert changed["date"] == session.session_date.isoformat()
    assert told["after"].is_error
    assert "revoked" in told["after"].content[0].text
    assert "Ceres" not in told["after"].content[0].text
    token.refresh_from_db()
    assert token.last_used_at is not None
    assert AuditEntry.objects.filter(token=token, player_number=player.pk).count() == 1
    assert Player.objects.get() == player
