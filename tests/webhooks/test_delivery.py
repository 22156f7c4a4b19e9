"""Deliveries: signed, tried again, logged, and bounded."""

import hmac
import json
import socket
import time
from base64 import b64decode, b64encode
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone
from django_q.models import OrmQ

from accounts.models import Action, AuditEntry
from syncing.listeners import tell_end
from syncing.models import SyncLog
from tests import factories
from tests.webhooks.conftest import make_webhook
from webhooks import sending, services
from webhooks.models import DeliveryState, Webhook, WebhookDelivery, WebhookEvent
from webhooks.services import LEASE, WAITS, deliver, deliver_due, emit, forget, resend
from webhooks.targets import check_url

pytestmark = pytest.mark.django_db


def one(webhook, **data):
    (delivery,) = emit(
        WebhookEvent.SYNC_FINISHED, {"id": 7, "status": "success", **data}
    )
    assert delivery.webhook_id == webhook.pk
    return delivery


def tried(delivery):
    state = deliver(delivery.pk)
    delivery.refresh_from_db()
    assert delivery.state == state
    return delivery


def make_due(delivery):
    WebhookDelivery.objects.filter(pk=delivery.pk).update(next_try_at=timezone.now())


# --- One try ----------------------------------------------------------------------


def test_a_delivery_arrives_signed(receiver):
    webhook = make_webhook(receiver.url)
    delivery = tried(one(webhook))
    ((path, headers, body),) = receiver.requests
    assert path == "/hook?a=b"
    assert headers["Content-Type"] == "application/json"
    assert headers["Host"] == f"127.0.0.1:{receiver.server_port}"
    sent = json.loads(body)
    assert sent["type"] == "sync.finished"
    assert sent["data"] == {"id": 7, "status": "success"}
    # As a receiver checks it, from what it was shown and got alone.
    key = b64decode(webhook.secret.removeprefix("whsec_"))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = b64encode(hmac.digest(key, content, "sha256")).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 30
    assert headers["webhook-id"] == str(delivery.message_id)
    assert delivery.state == DeliveryState.DELIVERED
    assert (delivery.response_code, delivery.attempts) == (200, 1)
    assert delivery.delivered_at is not None
    assert delivery.next_try_at is None


def test_the_secret_is_nowhere_in_the_database():
    webhook = make_webhook()
    bare = webhook.secret.removeprefix("whsec_")
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM webhooks_webhook")
        (row,) = cursor.fetchall()
    key_hex = b64decode(bare).hex()
    assert not [v for v in row if bare in str(v) or key_hex in str(v)]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(receiver, status):
    receiver.answers = [(status, {"Location": receiver.url.replace("hook", "other")})]
    delivery = tried(one(make_webhook(receiver.url)))
    assert len(receiver.requests) == 1
    assert delivery.state == DeliveryState.WAITING
    assert delivery.response_code == status
    assert "redirect" in delivery.error


def test_nobody_listening_is_told_in_words(settings):
    settings.WEBHOOKS_ALLOW_LOOPBACK = True
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        delivery = tried(one(make_webhook(url)))
    assert delivery.response_code is None
    assert delivery.error.startswith("The address cannot be reached")


def test_an_address_inside_is_not_called(receiver, settings):
    webhook = make_webhook(receiver.url)
    settings.WEBHOOKS_ALLOW_LOOPBACK = False
    delivery = tried(one(webhook))
    assert receiver.requests == []
    assert delivery.error == "The address must begin with https://."
    Webhook.objects.update(url=receiver.url.replace("http:", "https:"))
    delivery = tried(one(webhook))
    assert receiver.requests == []
    assert delivery.error == "The address is inside this network."


def test_an_answer_that_drips_is_cut(receiver, monkeypatch):
    monkeypatch.setattr(sending, "TOTAL_S", 0.6)

    def drip(handler):
        try:
            for _ in range(100):
                handler.wfile.write(b"H")
                time.sleep(0.05)
        except OSError:
            return

    receiver.behave = drip
    started = time.monotonic()
    delivery = tried(one(make_webhook(receiver.url)))
    assert time.monotonic() - started < 3
    assert delivery.state == DeliveryState.WAITING
    assert delivery.response_code is None
    assert delivery.error


def test_an_endless_answer_is_read_to_a_limit(receiver):
    written = []

    def pour(handler):
        handler.send_response(200)
        handler.end_headers()
        try:
            for _ in range(400):
                handler.wfile.write(b"x" * 65536)
                written.append(1)
        except OSError:
            return

    receiver.behave = pour
    delivery = tried(one(make_webhook(receiver.url)))
    assert delivery.state == DeliveryState.DELIVERED
    assert len(written) < 400


def test_https_checks_the_certificate(receiver):
    url = receiver.url.replace("http:", "https:")
    delivery = tried(one(make_webhook(url)))
    assert delivery.state == DeliveryState.WAITING
    assert receiver.requests == []


def test_the_connection_goes_to_the_address_that_was_checked(receiver):
    """The name is not looked up again: nothing but the checked address counts."""
    target = check_url(receiver.url)
    named = type(target)(
        is_https=False,
        host="rebinding.invalid",
        port=target.port,
        path="/x",
        addresses=("127.0.0.1",),
    )
    answer = sending.send(named, b"{}", {})
    assert answer.status == 200
    ((_, headers, _),) = receiver.requests
    assert headers["Host"] == f"rebinding.invalid:{target.port}"


# --- Tries after one another --------------------------------------------------------


def test_failures_are_tried_again_later_and_later_then_given_up(receiver):
    receiver.answers = [(500, {})]
    delivery = one(make_webhook(receiver.url))
    for wait in WAITS:
        before = timezone.now()
        delivery = tried(delivery)
        assert delivery.state == DeliveryState.WAITING
        assert before + wait <= delivery.next_try_at <= timezone.now() + wait
        assert deliver(delivery.pk) is None
        make_due(delivery)
    delivery = tried(delivery)
    assert delivery.state == DeliveryState.FAILED
    assert delivery.next_try_at is None
    assert delivery.attempts == len(receiver.requests) == len(WAITS) + 1
    assert {h["webhook-id"] for _, h, _ in receiver.requests} == {
        str(delivery.message_id)
    }


def test_the_schedule_finds_what_is_due(receiver):
    receiver.answers = [(503, {}), (200, {})]
    delivery = one(make_webhook(receiver.url))
    assert deliver_due() == 1
    assert deliver_due() == 0
    make_due(delivery)
    assert deliver_due() == 1
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.DELIVERED
    assert (delivery.attempts, delivery.error) == (2, "")


def test_other_letters_in_an_address_hold_up_nothing(receiver):
    make_webhook(receiver.url.replace("/hook", "/höre"))
    make_webhook(receiver.url)
    emit(WebhookEvent.SYNC_FINISHED, {"id": 1})
    assert deliver_due() == 2
    assert [path for path, _, _ in receiver.requests] == [
        "/h%C3%B6re?a=b",
        "/hook?a=b",
    ]
    states = WebhookDelivery.objects.values_list("state", flat=True)
    assert set(states) == {DeliveryState.DELIVERED}


def test_two_workers_do_not_send_one_delivery_twice(receiver):
    delivery = one(make_webhook(receiver.url))
    now = timezone.now()
    WebhookDelivery.objects.update(claimed_until=now + LEASE)
    assert deliver(delivery.pk) is None
    WebhookDelivery.objects.update(claimed_until=now - timedelta(seconds=1))
    assert deliver(delivery.pk) == DeliveryState.DELIVERED
    assert deliver(delivery.pk) is None
    assert len(receiver.requests) == 1


def test_what_was_switched_off_is_not_sent(receiver):
    webhook = make_webhook(receiver.url)
    delivery = one(webhook)
    Webhook.objects.update(is_active=False)
    assert tried(delivery).state == DeliveryState.FAILED
    assert receiver.requests == []
    assert emit(WebhookEvent.SYNC_FINISHED, {"id": 1}) == []


def test_a_webhook_is_told_of_its_events_alone():
    make_webhook(events=["sync.failing"])
    assert emit(WebhookEvent.SYNC_FINISHED, {"id": 1}) == []
    assert len(emit(WebhookEvent.SYNC_FAILING, {"id": 1})) == 1


def test_a_lost_key_is_an_error_of_the_delivery(receiver, settings):
    delivery = one(make_webhook(receiver.url))
    settings.SECRET_KEY = "another-key-for-tests"
    assert "SECRET_KEY_FALLBACKS" in tried(delivery).error
    assert receiver.requests == []


def test_sending_again_begins_anew(receiver, django_capture_on_commit_callbacks):
    receiver.answers = [(500, {}), (200, {})]
    staff = factories.make_staff()
    delivery = tried(one(make_webhook(receiver.url)))
    with django_capture_on_commit_callbacks(execute=True):
        assert resend([delivery.pk], by=staff) == 1
    (queued,) = [q.task for q in OrmQ.objects.all()]
    assert queued["func"] == "webhooks.tasks.deliver_task"
    assert queued["args"] == (delivery.pk,)
    delivery = tried(delivery)
    assert delivery.state == DeliveryState.DELIVERED
    assert delivery.attempts == 1
    entry = AuditEntry.objects.get(action=Action.RECORD_CHANGED)
    assert entry.detail == {"what": "resend", "deliveries": [delivery.pk]}


# --- What the sync tells ------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "event"),
    [
        ("success", "sync.finished"),
        ("partial", "sync.finished"),
        ("failed", "sync.failing"),
        ("abandoned", "sync.failing"),
    ],
)
def test_the_end_of_a_run_is_told(status, event):
    make_webhook()
    log = SyncLog.objects.create(trigger="command", status=status)
    tell_end(log)
    delivery = WebhookDelivery.objects.get()
    assert delivery.event == event
    assert delivery.payload["data"] == {
        "id": log.pk,
        "status": status,
        "sync_type": "incremental",
    }


def test_a_listener_that_fails_undoes_nothing_else(settings, caplog):
    make_webhook()
    settings.EVENT_LISTENERS = ["webhooks.nothing.here", *settings.EVENT_LISTENERS]
    with transaction.atomic():
        log = SyncLog.objects.create(trigger="command", status="success")
        tell_end(log)
    assert WebhookDelivery.objects.count() == 1
    assert "could not be notified" in caplog.text


def test_deliveries_about_an_erased_athlete_go():
    make_webhook()
    emit(WebhookEvent.SESSION_STORED, {"id": 5, "player_id": 1})
    emit(WebhookEvent.SESSION_STORED, {"id": 6, "player_id": 2})
    emit(WebhookEvent.SESSION_STORED, {"id": 7, "player_id": 2})
    emit(WebhookEvent.SYNC_FINISHED, {"id": 5, "status": "success"})
    assert forget(player_id=1, session_ids=[6]) == 2
    left = [d.payload["data"]["id"] for d in WebhookDelivery.objects.order_by("id")]
    assert left == [7, 5]


def test_old_deliveries_are_pruned_but_not_waiting_ones():
    webhook = make_webhook()
    for state in DeliveryState.values:
        delivery = one(webhook)
        WebhookDelivery.objects.filter(pk=delivery.pk).update(state=state)
    long_ago = timezone.now() - timedelta(days=100)
    WebhookDelivery.objects.update(created_at=long_ago)
    assert services.prune_deliveries(None) == 0
    assert services.prune_deliveries(timezone.now() - timedelta(days=90)) == 2
    assert WebhookDelivery.objects.get().state == DeliveryState.WAITING
