"""Webhook deliveries: noted when something happens, sent, tried again, deleted."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django_q.tasks import async_task

from accounts.audit import record
from accounts.keys import LostKeyError
from accounts.models import Action, User
from webhooks import sending, signing, targets
from webhooks.models import DeliveryState, Webhook, WebhookDelivery, WebhookEvent

logger = logging.getLogger(__name__)

#: Waits after a failure; after the last one the delivery is given up.
WAITS = tuple(
    timedelta(minutes=minutes) for minutes in (1, 5, 30, 2 * 60, 6 * 60, 24 * 60)
)
#: Longer than a try can take.
LEASE = timedelta(seconds=120)
_AT_ONCE = 100
#: Seconds after which one task begins no further try: it is cut off after 900.
_LONGEST_S = 300
#: More deliveries than these are sent by one task.
_FEW = 5


def emit(event: WebhookEvent, data: dict[str, Any]) -> list[WebhookDelivery]:
    """Note an event for every webhook that wants it. `data` is ids and states."""
    return emit_each(event, [data])


def emit_each(
    event: WebhookEvent, rows: Sequence[dict[str, Any]]
) -> list[WebhookDelivery]:
    """Note an event for every webhook that wants it, once for each of `rows`.

    To be called in the transaction of what happened, so that neither is there
    without the other; sending begins when it is through.
    """
    listening = [
        webhook
        for webhook in Webhook.objects.filter(is_active=True)
        if event in webhook.events
    ]
    if not listening:
        return []
    now = timezone.now()
    deliveries = WebhookDelivery.objects.bulk_create(
        [
            _delivery(webhook, event, data, now)
            for data in rows
            for webhook in listening
        ],
        batch_size=200,
    )
    if len(deliveries) <= _FEW:
        for delivery in deliveries:
            _enqueue(delivery.pk)
    else:
        transaction.on_commit(
            lambda: async_task(
                "webhooks.tasks.deliver_due_task", task_name="webhook deliveries"
            )
        )
    return deliveries


def _delivery(
    webhook: Webhook, event: WebhookEvent, data: dict[str, Any], now: datetime
) -> WebhookDelivery:
    payload = {"type": str(event), "timestamp": now.isoformat(), "data": data}
    return WebhookDelivery(
        webhook=webhook, event=event, payload=payload, next_try_at=now
    )


def send_test(webhook: Webhook, *, by: User) -> WebhookDelivery:
    """Send a test event to one webhook, now and once; return what became of it.

    Not to be called in a transaction: the receiver has time to answer.
    """
    with transaction.atomic():
        delivery = _delivery(
            webhook, WebhookEvent.TEST, {"id": webhook.pk}, timezone.now()
        )
        delivery.save()
        record(Action.RECORD_CHANGED, by=by, subject=webhook, what="test")
    deliver(delivery.pk)
    delivery.refresh_from_db()
    return delivery


def _enqueue(delivery_id: int) -> None:
    # A message that is lost does not matter: the schedule finds what is due.
    transaction.on_commit(
        lambda: async_task(
            "webhooks.tasks.deliver_task",
            delivery_id,
            task_name=f"webhook delivery {delivery_id}",
        )
    )


def deliver_due() -> int:
    """Try everything whose next try has come; returns how many were tried."""
    now = timezone.now()
    due = WebhookDelivery.objects.filter(
        state=DeliveryState.WAITING, next_try_at__lte=now
    ).order_by("next_try_at")
    ids = list(due.values_list("pk", flat=True)[:_AT_ONCE])
    end = time.monotonic() + _LONGEST_S
    return sum(deliver(pk) is not None for pk in ids if time.monotonic() < end)


def deliver(delivery_id: int) -> str | None:
    """Try one delivery; None when it is not due or somebody else has it."""
    now = timezone.now()
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
    claimed = WebhookDelivery.objects.filter(
        free, pk=delivery_id, state=DeliveryState.WAITING, next_try_at__lte=now
    ).update(claimed_until=now + LEASE, attempts=F("attempts") + 1)
    if not claimed:
        return None
    delivery = (
        WebhookDelivery.objects.select_related("webhook").filter(pk=delivery_id).first()
    )
    if delivery is None:  # deleted in this moment, with its webhook or an athlete
        return None
    if not delivery.webhook.is_active:
        return _settle(delivery, sending.Answer(None, "Turned off.", 0.0), last=True)
    try:
        target = targets.resolve(delivery.webhook.url)
        headers, body = _message(delivery)
    except (targets.RefusedTargetError, LookupError, LostKeyError) as error:
        return _settle(delivery, sending.Answer(None, str(error), 0.0))
    return _settle(delivery, sending.send(target, body, headers))


def _message(delivery: WebhookDelivery) -> tuple[dict[str, str], bytes]:
    body = json.dumps(
        delivery.payload, separators=(",", ":"), allow_nan=False, ensure_ascii=False
    ).encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "swing-dashboard-webhooks",
        **signing.headers(
            delivery.webhook,
            message_id=str(delivery.message_id),
            timestamp=int(time.time()),
            body=body,
        ),
    }
    return headers, body


def _settle(
    delivery: WebhookDelivery, answer: sending.Answer, *, last: bool = False
) -> str:
    now = timezone.now()
    values: dict[str, Any] = {
        "response_code": answer.status,
        "error": answer.error[:300],
        "seconds": answer.seconds,
        "claimed_until": None,
        "next_try_at": None,
    }
    if answer.is_accepted:
        state = DeliveryState.DELIVERED
        values["delivered_at"] = now
    elif last or delivery.event == WebhookEvent.TEST or delivery.attempts > len(WAITS):
        state = DeliveryState.FAILED
    else:
        state = DeliveryState.WAITING
        values["next_try_at"] = now + WAITS[delivery.attempts - 1]
    WebhookDelivery.objects.filter(pk=delivery.pk).update(state=state, **values)
    logger.info(
        "Webhook delivery %s was tried and is now %s (status %s).",
        delivery.pk,
        state,
        answer.status,
    )
    return state.value


def resend(delivery_ids: Iterable[int], *, by: User) -> int:
    """Try deliveries again now, whatever became of them; returns how many."""
    now = timezone.now()
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
    with transaction.atomic():
        ids = list(
            WebhookDelivery.objects.filter(free, pk__in=list(delivery_ids)).values_list(
                "pk", flat=True
            )
        )
        WebhookDelivery.objects.filter(pk__in=ids).update(
            state=DeliveryState.WAITING,
            attempts=0,
            next_try_at=now,
            claimed_until=None,
            error="",
            response_code=None,
        )
        for pk in ids:
            _enqueue(pk)
        if ids:
            record(Action.RECORD_CHANGED, by=by, what="resend", deliveries=ids)
    return len(ids)


def renew_secret(webhook: Webhook, *, by: User) -> str:
    """Give a webhook a new secret and return it; the former one ends at once."""
    secret = signing.new_secret(webhook)
    webhook.save(update_fields=["secret_seed", "secret_key_id", "updated_at"])
    record(Action.RECORD_CHANGED, by=by, subject=webhook, fields=["secret"])
    return secret


# --- What others ask of us ------------------------------------------------------


def forget(*, player_id: int, session_ids: Iterable[int]) -> int:
    """Delete deliveries about an erased athlete."""
    about = Q(payload__data__player_id=player_id)
    ids = set(WebhookDelivery.objects.filter(about).values_list("pk", flat=True))
    by_id = {
        WebhookEvent.SESSION_STORED: set(session_ids),
        WebhookEvent.SESSION_GONE: set(session_ids),
        WebhookEvent.ATHLETE_GONE: {player_id},
    }
    named = WebhookDelivery.objects.filter(event__in=by_id)
    for pk, event, payload in named.values_list("pk", "event", "payload").iterator():
        if payload["data"].get("id") in by_id[WebhookEvent(event)]:
            ids.add(pk)
    found = sorted(ids)
    for start in range(0, len(found), 500):
        WebhookDelivery.objects.filter(pk__in=found[start : start + 500]).delete()
    return len(found)


def prune_deliveries(limit: datetime | None) -> int:
    """Delete deliveries of before `limit` that are settled."""
    if limit is None:
        return 0
    return (
        WebhookDelivery.objects.filter(created_at__lt=limit)
        .exclude(state=DeliveryState.WAITING)
        .delete()[0]
    )


def on_event(event: str, rows: Sequence[dict[str, Any]]) -> None:
    """Note an event that webhooks know, once for each row (EVENT_LISTENERS)."""
    if event in WebhookEvent.values:
        emit_each(WebhookEvent(event), rows)
