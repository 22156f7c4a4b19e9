"""Signatures as in the Standard Webhooks specification (standardwebhooks.com).

The secret is not stored: it follows from a random seed of the webhook and from
SECRET_KEY, so a copy of the database alone cannot sign anything.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import b64encode

from accounts.keys import find_key, present_key
from webhooks.models import Webhook

_PURPOSE = "webhook"
MARK = "whsec_"


def new_secret(webhook: Webhook) -> str:
    """Give an unsaved or saved webhook another secret, to be shown once."""
    webhook.secret_key_id, _ = present_key(_PURPOSE)
    webhook.secret_seed = secrets.token_hex(24)
    return MARK + b64encode(_secret(webhook)).decode()


def _secret(webhook: Webhook) -> bytes:
    key = find_key(webhook.secret_key_id, _PURPOSE)
    return hmac.digest(key, webhook.secret_seed.encode(), "sha256")


def headers(
    webhook: Webhook, *, message_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """Return the headers that prove who sent a delivery, and when."""
    content = f"{message_id}.{timestamp}.".encode() + body
    signature = b64encode(hmac.digest(_secret(webhook), content, "sha256")).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }
