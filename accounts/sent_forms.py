"""Forms that are sent again after their answer was lost are stored once.

A form that adds something has a name of its own (`{% once %}` of the template tags
`sent_forms`). That it was stored is written down in the same transaction as what it
added, so two that are sent at the same moment add one thing, too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import SentForm

#: For how long a form that is sent again is known.
KNOWN_FOR = timedelta(days=7)
#: The field that names a form.
FIELD = "once"
_SAYS_NOTHING = (FIELD, "csrfmiddlewaretoken")


@dataclass(frozen=True, slots=True)
class Stored:
    """What a form added: the key of its row, and whether that was just now."""

    pk: int
    is_new: bool


def store_once(request: HttpRequest, store: Callable[[], int]) -> Stored:
    """Call `store`, which returns the key of what it added, once for each form.

    A form without a name of its own is stored each time. The same form with other words
    is another one, so that no words are lost.
    """
    if not request.POST.get(FIELD):
        return Stored(store(), is_new=True)
    with transaction.atomic():
        # The second of two waits here until the first is stored.
        sent, is_new = SentForm.objects.get_or_create(digest=_digest(request))
        if is_new:
            sent.row = store()
            sent.save(update_fields=["row"])
    return Stored(sent.row, is_new=is_new)


def stored_before(request: HttpRequest) -> int:
    """The key of what this form added when it was sent before; 0 if it was not.

    For a view whose form is refused once what it adds is there.
    """
    if not request.POST.get(FIELD):
        return 0
    found = SentForm.objects.filter(digest=_digest(request)).first()
    return found.row if found else 0


def forget_old() -> int:
    """Forget the forms that nobody sends again; returns how many."""
    limit = timezone.now() - KNOWN_FOR
    return SentForm.objects.filter(at__lt=limit).delete()[0]


def _digest(request: HttpRequest) -> str:
    """Stands for the user, the address, the form and all that it says."""
    said = sorted((key, request.POST.getlist(key)) for key in request.POST)
    words = [one for one in said if one[0] not in _SAYS_NOTHING]
    parts = (request.user.pk, request.path, request.POST[FIELD], words)
    return hashlib.sha256(repr(parts).encode()).hexdigest()
