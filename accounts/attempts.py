"""Rules for django-axes: how it counts failed logins, and what it keeps of them."""

from __future__ import annotations

from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.db.models.signals import pre_save
from django.dispatch import receiver
from django.http import HttpRequest

from accounts import limits
from accounts.names import counted_name


@receiver(pre_save, sender=AccessAttempt)
def keep_no_form_fields(instance: Any, **_: Any) -> None:
    """Empty the two columns into which django-axes copies the whole form.

    It masks the field `password` alone; a form may call its password, its new
    password or its recovery code anything.
    """
    instance.get_data = ""
    instance.post_data = ""


def typed_name(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """The user name as it was typed."""
    return str((credentials or request.POST).get("username") or "")


def kept_name(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """The name that django-axes keeps (AXES_USERNAME_CALLABLE)."""
    return counted_name(typed_name(request, credentials))


class Handler(AxesDatabaseHandler):  # type: ignore[misc]
    """Locks a name in one network, as django-axes does, and what `limits` adds."""

    def get_failures(
        self, request: HttpRequest, credentials: dict[str, Any] | None = None
    ) -> int:
        """Failures that lock this caller out: a known device has only its own."""
        name = typed_name(request, credentials)
        own = limits.failures_of_device(request, name)
        return super().get_failures(request, credentials) if own is None else own

    def is_locked(
        self, request: HttpRequest, credentials: dict[str, Any] | None = None
    ) -> bool:
        """Whether this caller may not try this name now."""
        if limits.wait_s(request, typed_name(request, credentials)):
            return True
        return bool(super().is_locked(request, credentials))
