"""Functions that the queue calls. Queued rows hold their dotted names: keep them."""

from __future__ import annotations

from webhooks import services


def deliver_task(delivery_id: int) -> str:
    """Bring one event to one address, if it is due."""
    return services.deliver(delivery_id) or "not due"


def deliver_due_task() -> int:
    """Try again what is due, and what a lost message left lying."""
    return services.deliver_due()
