"""A sync does not bring an erased athlete back, and tells listeners what it did."""

import pytest

from athletes.models import Movement, Player, Session
from privacy import erasing
from syncing.choices import RunStatus
from syncing.models import RawPayload, VendorSession
from tests.privacy.conftest import files  # noqa: F401  # archives of the test
from tests.privacy.test_erasing import traces
from tests.webhooks.conftest import make_webhook
from webhooks.models import WebhookDelivery

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_next_syncs_do_not_restore_the_erased(vendor, run_sync):
    run_sync(full=True)
    player = Player.objects.filter(sessions__movements__isnull=False).first()
    ids = (player.org_player_id, player.reboot_player_id)
    names = (player.full_name,)
    others = Player.objects.exclude(pk=player.pk)
    players, sessions = others.count(), Session.objects.exclude(player=player).count()
    movements = Movement.objects.exclude(session__player=player).count()
    erasing.erase(player=player, by=None)
    assert traces((*ids, *names)) == set()
    for full in (True, False, True):
        run = run_sync(full=full)
        assert run.status == RunStatus.SUCCESS, run.errors
        assert traces((*ids, *names)) == set()
        assert Player.objects.count() == players
        assert Session.objects.count() == sessions
        assert Movement.objects.count() == movements
    assert RawPayload.objects.filter(kind="session_detail").exists()
    assert VendorSession.objects.filter(needs_detail=True).count() == 0


def test_a_lost_key_stops_the_sync(vendor, run_sync, settings):
    run_sync()
    player = Player.objects.first()
    erasing.erase(player=player, by=None)
    count = Player.objects.count()
    settings.SECRET_KEY = "a-new-key-without-the-former-one-0123456789"
    run = run_sync(full=True)
    assert run.status == RunStatus.FAILED
    assert "SECRET_KEY_FALLBACKS" in run.error_message
    assert Player.objects.count() == count


def test_a_run_tells_of_itself_and_of_each_session(vendor, run_sync):
    make_webhook()
    run = run_sync()
    told = WebhookDelivery.objects.order_by("id").values_list("event", "payload")
    stored = [p["data"] for event, p in told if event == "session.stored"]
    with_data = Session.objects.filter(data_synced=True)
    assert {(d["id"], d["player_id"]) for d in stored} == set(
        with_data.values_list("pk", "player_id")
    )
    assert [(e, p["data"]["id"]) for e, p in told if e != "session.stored"] == [
        ("sync.finished", run.pk)
    ]
    run_sync()
    assert WebhookDelivery.objects.count() == len(stored) + 2
    erasing.erase(player=Player.objects.get(pk=stored[0]["player_id"]), by=None)
    left = WebhookDelivery.objects.filter(event="session.stored")
    assert {d.payload["data"]["player_id"] for d in left} == {
        d["player_id"] for d in stored
    } - {stored[0]["player_id"]}
