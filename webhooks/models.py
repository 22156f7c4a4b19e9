"""Addresses of other programs, and what was sent to them."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from webhooks.targets import RefusedTargetError, check_url


class WebhookEvent(models.TextChoices):
    """Events of which a webhook can tell another program."""

    SYNC_FINISHED = "sync.finished", "A sync ended"
    SYNC_FAILING = "sync.failing", "A sync failed or was interrupted"
    SESSION_STORED = "session.stored", "New swing data arrived for a session"
    MOVEMENT_CHANGED = (
        "movement.changed",
        "Someone included or excluded a swing, moved an event, or recorded the setup",
    )
    SESSION_GONE = "session.gone", "A session is gone"
    ATHLETE_GONE = "athlete.gone", "An athlete was erased, or merged into another"
    # Sent by its button alone.
    TEST = "webhook.test", "A test"

    @classmethod
    def choosable(cls) -> list[WebhookEvent]:
        """The events that a webhook can be told of."""
        return [event for event in cls if event is not cls.TEST]


def _known_events(events: Any) -> None:
    if not isinstance(events, list) or not events:
        raise ValidationError("Choose at least one event.")
    known = WebhookEvent.choosable()
    unknown = sorted(str(name) for name in events if name not in known)
    if unknown:
        raise ValidationError(f"Unknown events: {', '.join(unknown)}.")


class Webhook(models.Model):
    """One address that is called when something happens."""

    name = models.CharField(
        max_length=100, help_text="The program that receives the events."
    )
    url = models.URLField("address", max_length=500)
    events = models.JSONField(validators=[_known_events])
    is_active = models.BooleanField("active", default=True)
    # The secret itself is not stored: it follows from this and SECRET_KEY.
    secret_seed = models.CharField(max_length=64, editable=False)
    secret_key_id = models.CharField(max_length=16, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    created_at = models.DateTimeField("created", auto_now_add=True)
    updated_at = models.DateTimeField("updated", auto_now=True)

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Check the address; a validation error says why it is refused."""
        try:
            check_url(self.url)
        except RefusedTargetError as error:
            raise ValidationError({"url": str(error)}) from error


class DeliveryState(models.TextChoices):
    """State of a delivery: waiting, delivered or failed."""

    WAITING = "waiting", "Waiting"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Given up"


class WebhookDelivery(models.Model):
    """One event for one address, with every try to bring it there."""

    webhook = models.ForeignKey(
        Webhook, on_delete=models.CASCADE, related_name="deliveries"
    )
    # The same in every try, so that a receiver can tell a repetition.
    message_id = models.UUIDField(
        "message ID", default=uuid.uuid4, unique=True, editable=False
    )
    event = models.CharField(max_length=20, choices=WebhookEvent.choices)
    # Ids and states only, never a name.
    payload = models.JSONField()
    state = models.CharField(
        max_length=9, choices=DeliveryState.choices, default=DeliveryState.WAITING
    )
    attempts = models.PositiveIntegerField(default=0)
    response_code = models.PositiveIntegerField(null=True)
    error = models.CharField(max_length=300, blank=True)
    seconds = models.FloatField(null=True)
    next_try_at = models.DateTimeField("next try", null=True)
    claimed_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField("created", auto_now_add=True)
    delivered_at = models.DateTimeField("delivered", null=True)

    class Meta:
        verbose_name = "delivery"
        verbose_name_plural = "deliveries"
        ordering = ["-id"]
        indexes = [
            # what is due
            models.Index(
                fields=["next_try_at"],
                condition=models.Q(state="waiting"),
                name="webhook_delivery_due",
            ),
            # what is old enough to go
            models.Index(fields=["created_at"], name="webhook_delivery_created"),
        ]

    def __str__(self) -> str:
        return f"delivery {self.pk}"
