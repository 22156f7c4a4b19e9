"""What a coach who is limited to teams is told of the others: nothing, by no page.

All that another team has is named in words that stand nowhere else: names, tags, notes,
links, comparisons, what went wrong with their files. Each route of the permission
matrix is then called by the limited coach, as page and as fragment, about their own
records and about theirs. A word in an answer is a leak, so a new page or a new list of
choices is covered from its first day.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import ApiToken, Team, User
from athletes.analysis import summaries
from athletes.models import (
    EventCorrection,
    InclusionDecision,
    Movement,
    Note,
    Player,
    Session,
    Tag,
)
from privacy.models import Archive
from sharing.models import SavedComparison, ShareLink
from syncing.choices import JobState, RunStatus, Trigger
from syncing.models import AnalysisJob, ExportJob, SyncLog, VendorSession
from tests.routes import ROWS, Row, World, address, standing_world, undone, world

__all__ = ["standing_world", "world"]
from webhooks.models import Webhook

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

WORD = re.compile("otherteams[a-z]+")
#: Searches find everything that is named in such a word; no answer repeats one.
BEGINNING = "otherteams"


@pytest.fixture
def own(world: World) -> World:
    return world


@pytest.fixture(scope="module")
def theirs(standing_world: World, django_db_blocker) -> World:
    """Another team's world, in words that tell where they stood."""
    with django_db_blocker.unblock():
        return make_theirs()


def make_theirs() -> World:
    made = World()
    players = [made.player, made.likely, made.alias]
    for place, pk in enumerate(players):
        letter = "abc"[place]
        player = Player.everyone.get(pk=pk)
        player.first_name, player.last_name = (
            f"Otherteamsfirst{letter}",
            f"Otherteamslast{letter}",
        )
        player.org_player_id = f"otherteamsorgplayer{letter}"
        player.reboot_player_id = f"otherteamsvendorplayer{letter}"
        player.save()
    Session.objects.filter(player__in=players).update(
        bat="otherteamsbat",
        session_num="otherteamsnumber",
        mocap_type_name="otherteamssource",
        movement_type_name="otherteamsmovementtype",
        session_type_name="otherteamssessiontype",
        vendor_status="otherteamsstatus",
    )
    Session.objects.filter(pk=made.session).update(session_id="otherteamssession")
    swings = Movement.objects.filter(session__player__in=players)
    swings.update(
        inclusion_reason="otherteamsreason",
        metadata={"otherteamskey": "otherteamsmetadata"},
        quality_reasons=[{"code": "otherteamscode", "text": "otherteamsquality"}],
    )
    swings.filter(pk=made.movement).update(org_movement_id="otherteamsmovement")
    EventCorrection.objects.create(
        movement_id=made.movement,
        event="load",
        time_s=0.1,
        reason="otherteamscorrection",
    )
    InclusionDecision.objects.create(
        movement_id=made.movement, inclusion="excluded", reason="otherteamsdecision"
    )
    Note.objects.filter(session=made.session).update(text="otherteamsnote")
    Tag.objects.create(name="Otherteamstagofathlete").players.add(made.player)
    Tag.objects.create(name="Otherteamstagofsession").sessions.add(made.session)
    Tag.objects.create(name="Otherteamstagofmerged").players.add(made.alias)
    ShareLink.objects.filter(player__in=players).update(
        label="otherteamslink", full_name=True
    )
    SavedComparison.objects.filter(
        pk__in=[made.own_comparison, made.shared_comparison]
    ).update(name="otherteamscomparison")
    Team.objects.filter(pk=made.team).update(name="Otherteamsteam")
    ApiToken.objects.filter(team=made.team).update(
        name="otherteamstoken", prefix="otherteamsprefix"
    )
    User.objects.filter(pk=made.users["coach inside"].pk).update(
        username="otherteamsuser",
        first_name="Otherteamscoach",
        last_name="Otherteamsname",
        email="otherteamsmail@b.invalid",
    )
    Archive.objects.filter(pk=made.archive).update(error="otherteamsarchive")
    Webhook.objects.create(
        name="otherteamswebhook",
        url="https://otherteamshook.invalid/",
        events=["sync.finished"],
    )
    say_what_failed(made)
    summaries.refresh_player_summaries([made.player])
    return made


def say_what_failed(made: World) -> None:
    ExportJob.objects.create(
        session_id=made.session,
        data_type="inverse-kinematics",
        state=JobState.FAILED,
        error_code="truncated",
        last_error="otherteamsfile",
        next_try_at=timezone.now(),
    )
    AnalysisJob.objects.create(
        session_id=made.session, wanted=1, last_error="otherteamsanalysis"
    )
    VendorSession.objects.create(
        session_id="otherteamssession", last_error="otherteamsunread"
    )
    SyncLog.objects.filter(pk=made.run).update(
        requested_by=None,
        trigger=Trigger.SCHEDULE,
        status=RunStatus.PARTIAL,
        completed_at=timezone.now(),
        error_message="otherteamsmessage",
        error_count=1,
        errors=[
            {
                "what": "Downloading a file",
                "object": "otherteamsobject",
                "message": "otherteamserror",
                "hint": "otherteamshint",
                "code": "truncated",
                "url": f"/athletes/sessions/{made.session}/",
                "is_general": False,
            }
        ],
    )


def asked(
    own: World, caller: str, method: str, path: str, data: Any, headers: Any
) -> str:
    """All that one call answers, in small letters; its effects are taken back."""
    client = own.clients[caller]
    with undone(client):
        answer = getattr(client, method)(path, data, headers=headers)
        body = (
            b"".join(answer.streaming_content) if answer.streaming else answer.content
        )
    head = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    # What is kept for the next page is told on it.
    told = "\n".join(str(message) for message in messages_of(answer))
    return f"{head}\n{told}\n{body.decode(errors='replace')}".lower()


def messages_of(answer: Any) -> list[Any]:
    request = getattr(answer, "wsgi_request", None)
    return list(getattr(request, "_messages", ()) or ())


def told(
    caller: str, own: World, theirs: World, *, calls: Iterable[tuple[str, Row]]
) -> set[tuple[str, str]]:
    """The words that the answers hold, each with the route that told it."""
    items = f"athlete-{theirs.player},session-{theirs.session},swing-{theirs.movement}"
    query = {"q": BEGINNING, "search": BEGINNING, "items": items}
    found = set()
    for route, row in calls:
        data = {**query, **row.data} if row.method == "get" else dict(row.data)
        for about in (own, theirs):
            path = address(route, row, about)
            for headers in (row.headers, {**row.headers, "HX-Request": "true"}):
                text = asked(own, caller, row.method, path, data, headers)
                found |= {(route, word) for word in WORD.findall(text)}
    return found


# A secret opens its sheet for everybody.
CALLS = [
    (route, row)
    for route, rows in ROWS.items()
    for row in rows
    if not route.startswith("shared/")
]


# Rules are Python and plain filters, as in test_permission_matrix.py.
def test_no_answer_holds_a_word_of_another_team(own, theirs):
    assert told("coach inside", own, theirs, calls=CALLS) == set()


def test_a_program_of_one_team_is_told_no_word_of_another(own, theirs):
    calls = [call for call in CALLS if call[1].expected["token read"] != "login"]
    assert told("token read", own, theirs, calls=calls) == set()


def test_the_words_stand_where_they_are_looked_for(own, theirs):
    """Who sees everybody finds them: the tests above do not look into the void."""
    calls = [
        (route, row)
        for route, row in CALLS
        if row.method == "get" and route.startswith(("athletes/", "syncing/"))
    ]
    found = {word for _, word in told("superuser", own, theirs, calls=calls)}
    assert found >= {
        "otherteamslasta",
        "otherteamstagofathlete",
        "otherteamstagofsession",
        "otherteamsnote",
        "otherteamslink",
        "otherteamsbat",
        "otherteamssource",
        "otherteamscomparison",
        "otherteamsfile",
        "otherteamsanalysis",
        "otherteamsunread",
        "otherteamsmessage",
        "otherteamserror",
        "otherteamsreason",
        "otherteamscorrection",
    }
