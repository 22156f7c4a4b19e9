"""What the vendor corrects is corrected here: moved, taken away, deleted."""

import pytest
from django.test import Client

from athletes.analysis import peer_numbers
from athletes.models import Movement, PeerNumber, Player, Session, SessionMetric
from privacy import erasing
from tests.factories import make_staff

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.mainly("sqlite"),
]


@pytest.fixture
def vendor(start_vendor):
    """Three athletes, no sessions yet."""
    return start_vendor(players=3, sessions=0, scenario="plain", seed=5)


@pytest.fixture
def ids(vendor):
    return [athlete.org_player_id for athlete in vendor.world.listed_athletes()]


def api(path):
    client = Client()
    client.force_login(make_staff())
    answer = client.get(path)
    assert answer.status_code == 200, answer.content
    return answer.json()


def athlete(org_player_id):
    return Player.objects.get(org_player_id=org_player_id)


def counts(org_player_id):
    """What lists say of an athlete, and how many numbers stand in percentiles."""
    player = athlete(org_player_id)
    listed = api(f"/players/{player.pk}/sessions")
    return {
        "sessions": player.session_count,
        "swings": player.swing_count,
        "last": player.last_session_on and str(player.last_session_on),
        "has_speed": player.latest_hand_speed_m_per_s is not None,
        "has_peers": PeerNumber.objects.filter(player=player).exists(),
        "listed": [row["session_id"] for row in listed["sessions"]],
        "total": listed["total"],
    }


NOTHING = {
    "sessions": 0,
    "swings": 0,
    "last": None,
    "has_speed": False,
    "has_peers": False,
    "listed": [],
    "total": 0,
}


def one_session(session_id, swings=3, day="2026-01-05"):
    return {
        "sessions": 1,
        "swings": swings,
        "last": day,
        "has_speed": True,
        "has_peers": True,
        "listed": [session_id],
        "total": 1,
    }


def test_a_session_moved_to_another_athlete_is_theirs_alone(vendor, ids, run_sync):
    moved = vendor.world.add_session(ids[:1], swings=3, session_date="2026-01-05")
    run_sync()
    assert counts(ids[0]) == one_session(moved)
    assert counts(ids[1]) == NOTHING

    vendor.world.move_session(moved, ids[0], ids[1])
    run_sync()
    assert counts(ids[0]) == NOTHING
    assert counts(ids[1]) == one_session(moved)
    stats = api("/stats")
    assert (stats["total_sessions"], stats["total_movements"]) == (1, 3)
    assert stats["biomechanics_records"] == 6
    # What was here is kept to look at.
    left = Session.objects.get(player=athlete(ids[0]))
    assert api(f"/sessions/{left.pk}")["gone_at"] is not None
    assert api(f"/sessions/{left.pk}")["gone_because"] == "missing_at_vendor"
    assert left.movements.count() == 3
    assert not SessionMetric.objects.filter(session=left).exists()

    vendor.world.move_session(moved, ids[1], ids[0])
    run_sync()
    assert counts(ids[0]) == one_session(moved)
    assert counts(ids[1]) == NOTHING
    assert api(f"/sessions/{left.pk}")["gone_at"] is None


def test_a_participant_taken_away_is_gone(vendor, ids, run_sync):
    shared = vendor.world.add_session(ids, swings=3, session_date="2026-01-05")
    run_sync()
    vendor.world.remove_participant(shared, ids[1])
    run_sync()
    assert counts(ids[1]) == NOTHING
    for stays in (ids[0], ids[2]):
        assert counts(stays) == one_session(shared)
    player = athlete(ids[0])
    peers = PeerNumber.objects.filter(player=player).count()
    peer_numbers.rebuild()
    assert PeerNumber.objects.filter(player=player).count() == peers
    assert not PeerNumber.objects.filter(player=athlete(ids[1])).exists()


@pytest.mark.both
def test_a_deleted_session_counts_nowhere(vendor, ids, run_sync):
    kept = vendor.world.add_session(ids[:1], swings=3, session_date="2026-01-05")
    for day in range(6, 12):
        vendor.world.add_session(ids[2:], swings=1, session_date=f"2026-01-{day:02}")
    deleted = vendor.world.add_session(ids[:1], swings=3, session_date="2026-01-06")
    run_sync(full=True)
    before = counts(ids[0])
    assert (before["sessions"], before["swings"]) == (2, 6)
    assert before["last"] == "2026-01-06"

    vendor.world.remove_session(deleted)
    run_sync(full=True)
    assert counts(ids[0]) == one_session(kept)
    row = Session.objects.get(session_id=deleted)
    changes = api(f"/players/{row.player_id}/changes")
    assert changes["session_id"] == kept
    assert [
        m["gone_at"] is None
        for m in api(f"/sessions/{row.pk}/movements?gone=true")["movements"]
    ] == [False] * 3
    assert api(f"/sessions/{row.pk}/movements")["total"] == 0

    vendor.world.sessions[-1].removed = False
    run_sync(full=True)
    assert counts(ids[0]) == before


def test_a_part_added_by_hand_stays(vendor, ids, run_sync):
    """The vendor never named this athlete: it did not take them away."""
    session_id = vendor.world.add_session(ids[:1], swings=3, session_date="2026-01-05")
    run_sync()
    by_hand = Session.objects.create(session_id=session_id, player=athlete(ids[1]))
    vendor.world.touch_session(session_id)
    run_sync()
    by_hand.refresh_from_db()
    assert by_hand.missing_since is None


@pytest.mark.both
def test_erasing_takes_gone_sessions_too(vendor, ids, run_sync):
    session_id = vendor.world.add_session(ids[:1], swings=1, session_date="2026-01-05")
    run_sync()
    vendor.world.move_session(session_id, ids[0], ids[1])
    run_sync()
    erasing.erase(player=athlete(ids[0]), by=make_staff())
    assert Movement.objects.count() == 1
    assert Session.objects.get().player == athlete(ids[1])
