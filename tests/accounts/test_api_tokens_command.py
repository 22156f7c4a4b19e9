"""The command that lists and revokes tokens."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import Action, ApiToken, AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db


def lines(capsys, **options):
    call_command("api_tokens", **options)
    return [line.split("\t") for line in capsys.readouterr().out.splitlines()]


def test_tokens_that_work_are_listed_without_their_secret(capsys):
    staff = factories.make_staff(username="jordan")
    team = factories.make_team(name="Under 16")
    ends = timezone.now() + timedelta(days=3)
    header = factories.make_token(
        name="warehouse", team=team, by=staff, expires_at=ends
    )
    factories.make_token(name="old", expires_at=timezone.now() - timedelta(days=1))
    (found,) = lines(capsys)
    token = ApiToken.objects.get(name="warehouse")
    assert found == [
        *(str(token.pk), f"{token.prefix}…", "warehouse", "read", "Under 16"),
        *("jordan", "never used", ends.isoformat(timespec="minutes"), "active"),
    ]
    assert header["Authorization"].split()[1] not in "\t".join(found)
    assert [line[2] for line in lines(capsys, all=True)] == ["warehouse", "old"]


def test_a_token_is_revoked(client, capsys):
    header = factories.make_token(name="lost")
    token = ApiToken.objects.get()
    assert client.get("/stats", headers=header).status_code == 200
    call_command("api_tokens", revoke=token.pk)
    assert capsys.readouterr().out == f"Token {token.pk} (lost) is revoked.\n"
    assert client.get("/stats", headers=header).status_code == 401
    assert AuditEntry.objects.filter(action=Action.TOKEN_REVOKED).count() == 1
    assert lines(capsys) == []
    with pytest.raises(CommandError, match="was revoked before"):
        call_command("api_tokens", revoke=token.pk)
    with pytest.raises(CommandError, match="no token"):
        call_command("api_tokens", revoke=token.pk + 1)


def test_a_304_does_not_count_against_the_limit(client, settings):
    settings.API_TOKEN_CALLS_PER_MINUTE = 7  # a limit of no other test
    headers = factories.make_token()
    etag = client.get("/definitions", headers=headers)["ETag"]
    again = headers | {"If-None-Match": etag}
    assert {
        client.get("/definitions", headers=again).status_code for _ in range(30)
    } == {304}
    codes = [client.get("/definitions", headers=headers).status_code for _ in range(8)]
    assert codes.count(200) >= 6
    assert codes[-1] == 429
