"""What people and the vendor change is told: ids alone, to a real receiver."""

import json

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from athletes import decisions
from athletes.analysis import run
from athletes.identity import merging
from athletes.identity.session_parts import mark_parts
from athletes.models import Condition, Inclusion, Movement, Session
from privacy import erasing
from tests import factories
from tests.webhooks.conftest import make_webhook
from webhooks.models import WebhookDelivery, WebhookEvent
from webhooks.services import deliver_due, emit_each, forget

pytestmark = pytest.mark.django_db

NEW = ["movement.changed", "session.gone", "athlete.gone"]


@pytest.fixture
def arrived(receiver):
    """Send what is due; returns the type and the data of each event that came."""
    make_webhook(receiver.url, events=NEW)

    def send():
        deliver_due()
        bodies = [json.loads(body) for _, _, body in receiver.requests]
        receiver.requests.clear()
        return [(body["type"], body["data"]) for body in bodies]

    return send


def changed(movement):
    session = movement.session
    ids = {"id": movement.pk, "session": session.pk, "player_id": session.player_id}
    return ("movement.changed", ids)


def gone(kind, *pks):
    return [(f"{kind}.gone", {"id": pk}) for pk in pks]


@pytest.mark.both
def test_a_swing_that_people_change_is_told(arrived):
    coach = factories.make_user()
    session = factories.make_session()
    factories.store_simulated(session, factories.simulated_movements(2))
    run.analyze_session(session.pk)
    swings = session.movements.order_by("pk")
    swing = swings[0]

    def choose(inclusion, reason="missed"):
        decisions.set_inclusion(
            movement=swing, inclusion=inclusion, reason=reason, user=coach
        )

    choose(Inclusion.EXCLUDED)
    assert arrived() == [changed(swing)]
    choose(Inclusion.EXCLUDED)
    assert arrived() == []
    choose(Inclusion.AUTOMATIC, "")
    assert arrived() == [changed(swing)]
    swing.refresh_from_db()
    time_s = swing.events["foot_down"]["time_s"] - 0.01
    correction = decisions.move_event(
        movement=swing, event="foot_down", time_s=time_s, reason="", user=coach
    )
    assert arrived() == [changed(swing)]
    decisions.undo_events(movement=swing, corrections=[correction.pk], user=coach)
    assert arrived() == [changed(swing)]
    session.condition = Condition.TEE
    decisions.save_conditions(session)
    assert arrived() == [changed(each) for each in swings]
    session.bat = "34 inches"
    decisions.save_conditions(session)
    assert arrived() == []
    before = decisions.set_setups(movements=[swing], setup=Condition.LIVE)
    assert arrived() == [changed(swing)]
    decisions.restore_setups(before)
    assert arrived() == [changed(swing)]


def test_a_decision_that_fails_is_not_told(arrived):
    swing = factories.make_frames().movement
    with pytest.raises(decisions.EventOutsideError):
        decisions.move_event(
            movement=swing,
            event="foot_down",
            time_s=1000.0,
            reason="",
            user=factories.make_user(),
        )
    assert arrived() == []


def test_a_session_that_the_vendor_took_away_is_told_once(arrived):
    session = factories.make_swing().session
    rows = Session.objects.filter(pk=session.pk)
    mark_parts(rows, timezone.now())
    mark_parts(rows, timezone.now())
    assert arrived() == gone("session", session.pk)
    mark_parts(rows, None)
    assert arrived() == []


def test_a_merge_is_told_with_the_session_that_both_were_in(arrived):
    kept, merged = factories.make_player(), factories.make_player()
    session = factories.make_swing(session=factories.make_session(player=kept)).session
    twin = factories.make_session(player=merged, session_id=session.session_id)
    factories.make_swing(session=twin)
    entry = merging.merge(kept=kept, merged=merged, by=factories.make_staff())
    assert arrived() == gone("session", twin.pk) + gone("athlete", merged.pk)
    # Gone at the vendor, it is still shown by the other one's part.
    mark_parts(Session.objects.filter(pk=session.pk), timezone.now())
    assert arrived() == []
    mark_parts(Session.objects.filter(pk=twin.pk), timezone.now())
    assert arrived() == gone("session", session.pk)
    merging.separate(entry=entry, by=factories.make_staff())
    assert arrived() == []


def test_who_is_erased_is_told_without_anything_about_them(arrived, receiver):
    swing = factories.make_synced_session(swings=1).movements.get()
    session, player = swing.session, swing.session.player
    decisions.set_inclusion(
        movement=swing, inclusion=Inclusion.EXCLUDED, reason="x", user=None
    )
    pks = session.pk, player.pk
    erasing.erase(player=player, by=factories.make_staff())
    # What waited about them is not sent any more.
    assert arrived() == gone("session", pks[0]) + gone("athlete", pks[1])


def test_deliveries_of_these_events_go_with_an_athlete():
    make_webhook(events=NEW)
    about = {
        WebhookEvent.MOVEMENT_CHANGED: {"id": 1, "session": 5, "player_id": 3},
        WebhookEvent.SESSION_GONE: {"id": 5},
        WebhookEvent.ATHLETE_GONE: {"id": 3},
    }
    for event, data in about.items():
        emit_each(event, [data, {**data, "id": 8, "player_id": 8}])
    assert forget(player_id=3, session_ids=[5]) == 3
    assert {d.payload["data"]["id"] for d in WebhookDelivery.objects.all()} == {8}


def test_many_events_at_once_are_sent_by_one_task(
    arrived, django_capture_on_commit_callbacks
):
    session = factories.make_session()
    for _ in range(6):
        factories.make_movement(session=session)
    session.condition = Condition.MACHINE
    with django_capture_on_commit_callbacks(execute=True):
        decisions.save_conditions(session)
    tasks = [row.task["func"] for row in OrmQ.objects.all()]
    assert tasks == ["webhooks.tasks.deliver_due_task"]
    swings = Movement.objects.filter(session=session).order_by("pk")
    assert sorted(arrived(), key=str) == sorted(map(changed, swings), key=str)


def test_who_listens_to_nothing_new_is_told_nothing_new(receiver):
    make_webhook(receiver.url, events=["session.stored"])
    swing = factories.make_swing()
    decisions.set_inclusion(
        movement=swing, inclusion=Inclusion.EXCLUDED, reason="x", user=None
    )
    assert deliver_due() == 0
    assert receiver.requests == []


# --- The test button ------------------------------------------------------------


@pytest.fixture
def staff(client):
    user = factories.make_staff()
    client.force_login(user)
    return user


def press(client, webhook):
    page = client.get(f"/admin/webhooks/webhook/{webhook.pk}/change/").content.decode()
    address = f"/admin/webhooks/webhook/{webhook.pk}/test/"
    assert f'action="{address}"' in page
    return client.post(address, follow=True).content.decode()


def test_the_button_sends_a_test_and_says_what_came_back(client, staff, receiver):
    webhook = make_webhook(receiver.url)
    make_webhook(receiver.url)
    receiver.answers = [(204, {}), (500, {})]
    assert "The receiver answered 204" in press(client, webhook)
    ((_, headers, body),) = receiver.requests
    sent = json.loads(body)
    assert (sent["type"], sent["data"]) == ("webhook.test", {"id": webhook.pk})
    assert headers["webhook-signature"].startswith("v1,")
    assert "The test failed. The answer was 500." in press(client, webhook)
    # A test is not tried again.
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {
        "delivered",
        "failed",
    }
    assert deliver_due() == 0


def test_the_button_is_for_staff_and_posts_alone(client, staff, receiver):
    webhook = make_webhook(receiver.url)
    address = f"/admin/webhooks/webhook/{webhook.pk}/test/"
    assert client.get(address).status_code == 405
    assert client.post("/admin/webhooks/webhook/0/test/").status_code == 404
    client.force_login(factories.make_user())
    assert client.post(address).status_code in {302, 403}
    assert receiver.requests == []


def test_nobody_can_choose_the_test_event(client, staff):
    page = client.get("/admin/webhooks/webhook/add/").content.decode()
    assert "webhook.test" not in page
    assert all(event in page for event in NEW)
