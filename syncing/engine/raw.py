"""The last JSON of each of the vendor's objects, kept as it came."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from athletes.identity import tombstones
from syncing import clock
from syncing.models import RawPayload


def digest(payload: object) -> str:
    """Return a hash of JSON that does not depend on the order of keys."""
    text = json.dumps(payload, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def store_raw(kind: str, payloads: Mapping[str, dict[str, Any]]) -> set[str]:
    """Store payloads by vendor id; return the ids that are new or changed.

    What they say of erased athletes is left out.
    """
    erased = tombstones.load_erased()
    if erased:
        payloads = {
            vendor_id: erased.redact(payload) for vendor_id, payload in payloads.items()
        }
    known = dict(
        RawPayload.objects.filter(kind=kind, vendor_id__in=list(payloads)).values_list(
            "vendor_id", "sha256"
        )
    )
    changed = {
        vendor_id: (payload, sha256)
        for vendor_id, payload in payloads.items()
        if known.get(vendor_id) != (sha256 := digest(payload))
    }
    now = clock.now()
    RawPayload.objects.bulk_create(
        [
            RawPayload(
                kind=kind,
                vendor_id=vendor_id,
                payload=payload,
                sha256=sha256,
                fetched_at=now,
            )
            for vendor_id, (payload, sha256) in changed.items()
        ],
        update_conflicts=True,
        unique_fields=["kind", "vendor_id"],
        update_fields=["payload", "sha256", "fetched_at"],
    )
    return set(changed)
