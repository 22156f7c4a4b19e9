"""Admin of webhooks: a secret is shown once, a delivery can be sent again."""

import re

import pytest

from tests import factories
from tests.webhooks.conftest import make_webhook
from webhooks.models import DeliveryState, Webhook, WebhookDelivery, WebhookEvent
from webhooks.services import emit

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client):
    user = factories.make_staff()
    client.force_login(user)
    return user


def filled(**fields):
    return {
        "name": "ours",
        "url": "https://hooks.example.org/a",
        "events": ["sync.finished", "session.stored"],
        "is_active": "on",
        **fields,
    }


def test_the_secret_is_shown_once(client, staff):
    answer = client.post("/admin/webhooks/webhook/add/", filled())
    secret = re.search(rb"whsec_[A-Za-z0-9+/=]{44}", answer.content).group()
    webhook = Webhook.objects.get()
    assert webhook.events == ["sync.finished", "session.stored"]
    assert webhook.created_by == staff
    for page in ("", f"{webhook.pk}/change/"):
        again = client.get(f"/admin/webhooks/webhook/{page}")
        assert again.status_code == 200
        assert secret not in again.content


def test_a_change_keeps_the_secret_and_the_action_renews_it(client, staff):
    webhook = make_webhook()
    seed = webhook.secret_seed
    url = f"/admin/webhooks/webhook/{webhook.pk}/change/"
    assert client.post(url, filled(name="other")).status_code == 302
    webhook.refresh_from_db()
    assert (webhook.name, webhook.secret_seed) == ("other", seed)
    answer = client.post(
        "/admin/webhooks/webhook/",
        {"action": "renew", "_selected_action": [webhook.pk]},
    )
    assert b"whsec_" in answer.content
    webhook.refresh_from_db()
    assert webhook.secret_seed != seed


@pytest.mark.parametrize(
    "fields",
    [
        {"url": "http://hooks.example.org/"},
        {"url": "https://10.0.0.1/"},
        {"url": "https://localhost/"},
        {"events": []},
        {"events": ["session.deleted"]},
    ],
)
def test_what_may_not_be_is_refused_in_the_form(client, staff, fields):
    answer = client.post("/admin/webhooks/webhook/add/", filled(**fields))
    assert answer.status_code == 200
    assert b"errornote" in answer.content
    assert not Webhook.objects.exists()


def test_a_delivery_can_be_sent_again(client, staff):
    make_webhook()
    (delivery,) = emit(WebhookEvent.SYNC_FAILING, {"id": 1})
    WebhookDelivery.objects.update(state=DeliveryState.FAILED, attempts=7)
    url = f"/admin/webhooks/webhookdelivery/{delivery.pk}/change/"
    assert b"Send again" in client.get(url).content
    assert client.post(url, {"_resend": "1", "state": "delivered"}).status_code == 302
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == (DeliveryState.WAITING, 0)
    WebhookDelivery.objects.update(state=DeliveryState.FAILED)
    client.post(url, {"state": "delivered"})
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.FAILED
    client.post(
        "/admin/webhooks/webhookdelivery/",
        {"action": "send_again", "_selected_action": [delivery.pk]},
    )
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.WAITING
