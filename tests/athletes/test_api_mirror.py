"""Random days in the life of programs that keep a copy, each repeatable by its seed.

Changes of every kind come between any two calls. At the end each copy holds what a
program reads that begins then.
"""

import csv
import io
import random
from contextlib import suppress

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from athletes.decisions import set_inclusion, set_setups
from athletes.frames import presence
from athletes.identity import merging
from athletes.identity.session_parts import mark_parts
from athletes.models import AthleteMerge, Inclusion, Movement, Player, Session
from privacy.erasing import erase
from tests import factories

pytestmark = pytest.mark.django_db

PATHS = {"/players": "players", "/sessions": "sessions", "/movements": "movements"}
#: Rows of these are kept: the vendor may send them again.
STILL_HERE = {None, "", "missing_at_vendor"}


class Mirror:
    """A copy of one list, fetched a page at a time.

    With `by_time` it keeps no cursor from one night to the next: each night begins with
    `updated_since`, the newest time that it has seen.
    """

    def __init__(self, client, headers, path, *, by_time=False):
        self.client, self.headers, self.path = client, headers, path
        self.by_time = by_time
        self.rows = {}
        self.cursor, self.since, self.newest = "", "", ""
        self.is_done = False

    def step(self, limit):
        """Fetch one page."""
        params = {"limit": limit, "cursor": self.cursor}
        if self.by_time and not self.cursor:
            params["updated_since"] = self.since
        response = self.client.get(self.path, params, headers=self.headers)
        assert response.status_code == 200, response.content
        body = response.json()
        for row in body[PATHS[self.path]]:
            self.rows[row["id"]] = row
            seen = max(row.get("updated_at") or "", row.get("gone_at") or "")
            self.newest = max(self.newest, seen)
        self.cursor, self.is_done = body["next"], not body["more"]
        if self.by_time and self.is_done:
            self.cursor, self.since = "", self.newest

    def finish(self):
        """Fetch all that is left."""
        self.step(3)
        while not self.is_done:
            self.step(3)

    def here(self):
        """What is there, without what the list by name does not say."""
        unsaid = {"gone_at", "gone_because"} if self.path == "/players" else set()
        return {
            pk: {name: row[name] for name in row if name not in unsaid}
            for pk, row in self.rows.items()
            if row.get("gone_because") in STILL_HERE
        }


class Table:
    """A copy of /exports/metrics, fetched as CSV."""

    def __init__(self, client, headers):
        self.client, self.headers = client, headers
        self.rows, self.cursor = {}, ""

    def step(self, limit=None):
        """Fetch what changed, which is one answer."""
        response = self.client.get(
            "/exports/metrics",
            {"cursor": self.cursor, "metrics": "peak_pelvis_omega"},
            headers=self.headers,
        )
        assert response.status_code == 200
        text = b"".join(response.streaming_content).decode()
        for row in csv.DictReader(io.StringIO(text)):
            self.rows[row["swing_id"]] = row
        self.cursor = response["Next-Cursor"]

    finish = step

    def here(self):
        """What is there."""
        return {
            pk: row
            for pk, row in self.rows.items()
            if row["gone_because"] in STILL_HERE
        }


class World:
    """Athletes with sessions, and all that can happen to them."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.staff = factories.make_staff()
        self.team = factories.make_team()
        for _ in range(5):
            self.arrive()
        players = list(Player.objects.all())
        self.team.players.set(players[:3])
        # A session that two records took part in, with movements named alike.
        shared = Session.objects.filter(player=players[0]).earliest("pk")
        twin = factories.make_synced_session(
            player=players[1], session_id=shared.session_id, swings=2
        )
        first, second = (one.movements.earliest("position") for one in (shared, twin))
        Movement.objects.filter(pk=second.pk).update(
            org_movement_id=first.org_movement_id
        )

    def some(self, rows):
        """One of the rows, or None."""
        keys = list(rows.order_by("pk").values_list("pk", flat=True))
        return rows.get(pk=self.random.choice(keys)) if keys else None

    def happen(self):
        """Something, most often to one of those who are there."""
        doing = self.random.choice(CHANGES)
        kinds = {"player": Player, "session": Session, "swing": Movement}
        about, change = doing
        rows = kinds[about].objects.all() if about in kinds else None
        if about == "session":
            rows = rows.filter(folded_into=None)
        row = self.some(rows) if rows is not None else None
        if rows is None or row is not None:
            change(self, *([] if rows is None else [row]))
        return change.__name__

    # --- What happens ---

    def arrive(self):
        """A new athlete with a session."""
        factories.make_synced_session(swings=self.random.randint(1, 3))

    def practice(self, player):
        """Another session, or a gone one, of an athlete."""
        factories.make_synced_session(player=player, swings=self.random.randint(1, 2))

    def rename(self, player):
        player.first_name = f"Renamed{self.random.randint(0, 99)}"
        player.save()

    def measure(self, player):
        Player.objects.filter(pk=player.pk).update(height_ft=self.random.uniform(5, 7))

    def merge(self, player):
        other = self.some(Player.objects.exclude(pk=player.pk))
        if other is not None:
            merging.merge(kept=player, merged=other, by=self.staff)

    def separate(self):
        entry = self.some(AthleteMerge.objects.filter(undone_at=None))
        if entry is not None:
            # A later merge may stand in the way.
            with suppress(ValidationError):
                merging.separate(entry=entry, by=self.staff)

    def erase(self, player):
        if Player.objects.count() > 3:
            erase(player=player, by=self.staff)

    def join_or_leave(self, player):
        if self.team.players.filter(pk=player.pk).exists():
            self.team.players.remove(player)
        else:
            self.team.players.add(player)

    def set_up(self, session):
        setup = self.random.choice(["", "tee", "machine"])
        set_setups(sessions=[session], setup=setup)

    def lose_or_find(self, session):
        since = None if session.missing_since else timezone.now()
        mark_parts(Session.objects.filter(pk=session.pk), since)

    def change_athlete(self, session):
        """The vendor moves a session to another athlete."""
        other = self.some(Player.objects.exclude(pk=session.player_id))
        is_merged = Session.objects.filter(folded_into=session).exists()
        if other is None or is_merged or session.recorded_as_id is not None:
            return
        taken = Session.objects.filter(session_id=session.session_id, player=other)
        if not taken.exists():
            session.player = other
            session.save()

    def delete(self, session):
        if not Session.objects.filter(folded_into=session).exists():
            session.delete()

    def exclude_or_include(self, swing):
        wanted = self.random.choice(list(Inclusion))
        set_inclusion(
            movement=swing, inclusion=wanted, reason="a check swing", user=self.staff
        )

    def set_up_one(self, swing):
        set_setups(movements=[swing], setup=self.random.choice([None, "", "live"]))

    def take_out(self, swing):
        """The vendor stops sending a swing, or sends it again."""
        since = None if swing.unlisted_since else timezone.now()
        Movement.objects.filter(pk=swing.pk).update(unlisted_since=since)
        presence.settle([swing.session_id])

    def recompute(self, swing):
        value = factories.metric(self.random.uniform(500, 900))
        Movement.objects.filter(session=swing.session_id).update(
            method_version="2025.1", metrics={"peak_pelvis_omega": value}
        )

    def delete_one(self, swing):
        swing.delete()

    def become_another_session(self, swing):
        other = self.some(Session.objects.filter(folded_into=None))
        is_free = not other.movements.filter(
            org_movement_id=swing.org_movement_id
        ).exists()
        if is_free and swing.folded_from_id is None:
            Movement.objects.filter(pk=swing.pk).update(session=other)


CHANGES = [
    *((None, change) for change in (World.arrive, World.separate, World.separate)),
    *(
        ("player", change)
        for change in (
            *(World.practice, World.rename, World.measure, World.merge, World.erase),
            *(World.join_or_leave, World.join_or_leave),
        )
    ),
    *(
        ("session", change)
        for change in (
            *(World.set_up, World.lose_or_find, World.change_athlete, World.delete),
        )
    ),
    *(
        ("swing", change)
        for change in (
            *(World.exclude_or_include, World.set_up_one, World.take_out),
            *(World.recompute, World.delete_one, World.become_another_session),
        )
    ),
]


@pytest.mark.parametrize(
    "seed",
    [
        1,
        *(pytest.param(seed, marks=pytest.mark.nightly) for seed in range(2, 60)),
    ],
)
def test_copies_stay_equal_through_any_days(client, seed):
    world = World(seed)
    tokens = {
        "all": factories.make_token(),
        "team": factories.make_token(team=world.team),
    }
    mirrors = {
        (whose, path, by_time): Mirror(client, headers, path, by_time=by_time)
        for whose, headers in tokens.items()
        for path in PATHS
        for by_time in (False, True)
    }
    for whose, headers in tokens.items():
        mirrors[whose, "/exports/metrics", False] = Table(client, headers)
    said = []
    for _ in range(120):
        if world.random.random() < 0.4:
            said.append(world.happen())
        else:
            key = world.random.choice(list(mirrors))
            mirrors[key].step(world.random.randint(1, 4))
            said.append(key)
    for (whose, path, by_time), mirror in mirrors.items():
        mirror.finish()
        now = (
            Mirror(client, tokens[whose], path)
            if path in PATHS
            else Table(client, tokens[whose])
        )
        now.finish()
        assert mirror.here() == now.here(), (whose, path, by_time, said)
        # And nothing more comes to whoever is up to date.
        if not by_time:
            told = dict(mirror.rows)
            mirror.finish()
            assert mirror.rows == told
