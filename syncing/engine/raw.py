"""The last JSON of each of the vendor's objects, kept as it came."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from athletes.identity import tombstones
from syncing import clock
from syncing.mapping import Problem
from syncing.models import RawPayload


def digest(payload: object) -> str:
    """Return a hash of JSON that does not depend on the order of keys."""
    text = json.dumps(payload, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def store_raw(
    kind: str,
    payloads: Mapping[str, dict[str, Any]],
    problems: Mapping[str, Sequence[Problem]] | None = None,
) -> set[str]:
    """Store payloads by vendor id; return the ids that are new or changed.

    With them the `problems` of their values, by vendor id. What payloads say of erased
    athletes is left out.
    """
    bad = {
        vendor_id: [problem.as_json() for problem in found]
        for vendor_id, found in (problems or {}).items()
        if found
    }
    erased = tombstones.load_erased()
    if erased:
        payloads = {
            vendor_id: erased.redact(payload) for vendor_id, payload in payloads.items()
        }
    rows = RawPayload.objects.filter(kind=kind, vendor_id__in=list(payloads))
    known = {
        vendor_id: (sha256, found)
        for vendor_id, sha256, found in rows.values_list(
            "vendor_id", "sha256", "problems"
        )
    }
    differing = {
        vendor_id: (payload, sha256)
        for vendor_id, payload in payloads.items()
        if known.get(vendor_id) != (sha256 := digest(payload), bad.get(vendor_id))
    }
    now = clock.now()
    RawPayload.objects.bulk_create(
        [
            RawPayload(
                kind=kind,
                vendor_id=vendor_id,
                payload=payload,
                sha256=sha256,
                problems=bad.get(vendor_id),
                fetched_at=now,
            )
            for vendor_id, (payload, sha256) in differing.items()
        ],
        update_conflicts=True,
        unique_fields=["kind", "vendor_id"],
        update_fields=["payload", "sha256", "problems", "fetched_at"],
    )
    return {
        vendor_id
        for vendor_id, (_, sha256) in differing.items()
        if known.get(vendor_id, ("", None))[0] != sha256
    }
