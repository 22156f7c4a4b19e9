"""What django-axes may keep of a failed login: who and when, never what was typed."""

from __future__ import annotations

from typing import Any

from axes.models import AccessAttempt
from django.db.models.signals import pre_save
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from accounts.models import User

_LONGEST_NAME = User._meta.get_field("username").max_length or 0


@receiver(pre_save, sender=AccessAttempt)
def keep_no_form_fields(instance: Any, **_: Any) -> None:
    """Empty the two columns into which django-axes copies the whole form.

    It masks the field `password` alone; a form may call its password, its new
    password or its recovery code anything.
    """
    instance.get_data = ""
    instance.post_data = ""


def find_user(name: str) -> User | None:
    """The user of this name; None for a name that no user can have."""
    if not name or len(name) > _LONGEST_NAME or "\0" in name:
        return None  # PostgreSQL answers both with an error
    return User.objects.filter(username=name).first()


def counted_name(
    request: HttpRequest, credentials: dict[str, Any] | None = None
) -> str:
    """The name under which a failed login is counted and kept (django-axes).

    A name that no user has is replaced by a digest of it: people type their
    password into that field. The same name has the same digest, so it is counted
    and locked like a user's.
    """
    fields = credentials if credentials else request.POST
    name = str(fields.get("username") or "")
    if find_user(name) is not None:
        return name
    # No user's name has spaces, so this is none.
    digest = salted_hmac("accounts.attempts.name", name, algorithm="sha256")
    return f"unknown name {digest.hexdigest()[:16]}"
