"""Which exports the vendor does not offer to the organization, and until when.

Only of files that nothing waits for (`syncing.choices.OPTIONAL_EXPORTS`): the answer
for one session is then believed for all of them, so that a data type which the
organization does not have costs a few requests and not one for every session.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.crypto import salted_hmac

from athletes.models import DataState
from syncing import clock
from syncing.choices import OPTIONAL_EXPORTS, JobState
from syncing.client.tokens import ApiKey
from syncing.engine.tempo import Tempo
from syncing.engine.vendor import vendor_credentials
from syncing.models import ExportJob, ExportRefusal

logger = logging.getLogger(__name__)

#: Sessions with frames but without this file, after which nobody is asked for more,
#: while no session has ever had it.
SESSIONS_IN_VAIN = 5
#: Error code of jobs that were left because of a refusal.
NOT_OFFERED = "not_offered"


def connection_hash() -> str:
    """Return a hash of the vendor's address and the login that the settings name."""
    credentials = vendor_credentials()
    name = credentials.key if isinstance(credentials, ApiKey) else credentials.username
    return salted_hmac(
        "syncing.refusals.connection",
        f"{settings.REBOOT_BASE_URL}\n{name}",
        algorithm="sha256",
    ).hexdigest()


def refused_until(data_type: str) -> datetime | None:
    """Return until when a data type is not asked for; None when it is."""
    return (
        ExportRefusal.objects.filter(
            data_type=data_type,
            connection=connection_hash(),
            ask_again_at__gt=clock.now(),
        )
        .values_list("ask_again_at", flat=True)
        .first()
    )


def remember_refusal(
    data_type: str, reason: str, tempo: Tempo, *, is_sure: bool
) -> datetime:
    """Store that the vendor does not offer a data type; return when to ask again.

    An answer that does not say so itself may be a passing fault. It is believed for
    long only when an earlier run, which has left its wait behind, was answered so too.
    """
    now = clock.now()
    is_believed = is_sure or _was_refused_before(data_type, now)
    wait_s = tempo.refused_s if is_believed else tempo.maybe_refused_s
    ask_again_at = now + timedelta(seconds=wait_s)
    ExportRefusal.objects.update_or_create(
        data_type=data_type,
        connection=connection_hash(),
        defaults={
            "reason": reason[:300],
            "refused_at": now,
            "ask_again_at": ask_again_at,
        },
    )
    logger.info(
        "Reboot Motion does not offer %s to this organization; it is requested again "
        "at %s.",
        data_type,
        ask_again_at.isoformat(timespec="minutes"),
    )
    return ask_again_at


def _was_refused_before(data_type: str, now: datetime) -> bool:
    """Whether an earlier wait for a data type is over, and no file came since."""
    earlier = ExportRefusal.objects.filter(
        data_type=data_type, connection=connection_hash(), ask_again_at__lte=now
    ).first()
    return (
        earlier is not None
        and not ExportJob.objects.filter(
            data_type=data_type, stored_at__gt=earlier.refused_at
        ).exists()
    )


def is_asked_in_vain(data_type: str) -> bool:
    """Whether enough sessions were asked about, and none has ever had the file."""
    jobs = ExportJob.objects.filter(data_type=data_type)
    if jobs.filter(stored_at__isnull=False).exists():
        return False
    with_frames = (DataState.COMPLETE, DataState.PARTIAL)
    empty = jobs.filter(no_data_answers__gt=0, session__data_state__in=with_frames)
    return empty[:SESSIONS_IN_VAIN].count() >= SESSIONS_IN_VAIN


def forget_refusals() -> None:
    """Have optional files that were refused, or could not be had, asked for now."""
    ExportRefusal.objects.filter(data_type__in=OPTIONAL_EXPORTS).delete()
    left = ExportJob.objects.filter(
        data_type__in=OPTIONAL_EXPORTS, state=JobState.NO_DATA
    )
    left.exclude(error_code="").update(next_try_at=clock.now())
