"""The vendor's id of hitting, found in its list of movement types."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from syncing.choices import Phase
from syncing.client.errors import RebootError
from syncing.client.types import RebootMovementType
from syncing.engine.context import RunContext
from syncing.engine.raw import store_raw
from syncing.engine.stopping import RUN_ENDING_ERRORS, fatal_from
from syncing.mapping import HITTING_SLUG
from syncing.models import MovementType, RawPayload

#: What the vendor's own code uses; only where the list cannot be read.
HITTING_ID_OTHERWISE = 1


def discover_hitting_id(ctx: RunContext) -> int:
    """Read the movement types, store them, and return the id of hitting."""
    ctx.begin_phase(Phase.MOVEMENT_TYPES)
    try:
        types = ctx.client.movement_types()
    except RebootError as error:
        if isinstance(error, RUN_ENDING_ERRORS):
            raise fatal_from(error, "reading movement types") from error
        ctx.record_error(
            what="Reading movement types",
            about="the list of movement types",
            is_general=True,
            message=error.message,
            code=error.code,
        )
        return known_hitting_id()
    with transaction.atomic():
        store_raw(
            RawPayload.Kind.MOVEMENT_TYPE, {str(item.id): item.raw for item in types}
        )
        _store_types(types)
    return known_hitting_id()


def _store_types(types: Iterable[RebootMovementType]) -> None:
    """Store the movement types that are new or have another name now."""
    known = {
        vendor_id: (slug, name)
        for vendor_id, slug, name in MovementType.objects.values_list(
            "vendor_id", "slug", "name"
        )
    }
    differing = {}
    for item in types:
        name = item.name or ""
        if len(name) > 100:
            # Nobody is shown it; that it is cut shows.
            name = f"{name[:99]}…"
        if known.get(item.id) != (item.slug, name):
            differing[item.id] = MovementType(
                vendor_id=item.id, slug=item.slug, name=name
            )
    # In one order, as another run may store the same ones.
    MovementType.objects.bulk_create(
        [differing[vendor_id] for vendor_id in sorted(differing)],
        update_conflicts=True,
        unique_fields=["vendor_id"],
        update_fields=["slug", "name"],
    )


def known_hitting_id() -> int:
    """Return the id of hitting as it was last read from the vendor."""
    found = (
        MovementType.objects.filter(slug=HITTING_SLUG)
        .order_by("vendor_id")
        .values_list("vendor_id", flat=True)
        .first()
    )
    return HITTING_ID_OTHERWISE if found is None else found
