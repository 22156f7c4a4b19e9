"""The vendor's id of hitting, found in its list of movement types."""

from __future__ import annotations

from django.db import transaction

from syncing.choices import Phase
from syncing.client.errors import RebootError
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
        known = {item.vendor_id: item for item in MovementType.objects.all()}
        for item in types:
            name = item.name or ""
            if len(name) > 100:
                # Nobody is shown it; that it is cut shows.
                name = f"{name[:99]}…"
            values = {"slug": item.slug, "name": name}
            stored = known.get(item.id)
            if stored is None or (stored.slug, stored.name) != (*values.values(),):
                MovementType.objects.update_or_create(
                    vendor_id=item.id, defaults=values
                )
    return known_hitting_id()


def known_hitting_id() -> int:
    """Return the id of hitting as it was last read from the vendor."""
    found = (
        MovementType.objects.filter(slug=HITTING_SLUG)
        .order_by("vendor_id")
        .values_list("vendor_id", flat=True)
        .first()
    )
    return HITTING_ID_OTHERWISE if found is None else found
