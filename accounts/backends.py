"""Login backends: a limit on guessed passwords, and permissions by role."""

from __future__ import annotations

from typing import Any

from axes.backends import AxesStandaloneBackend
from axes.exceptions import AxesBackendPermissionDenied
from django.contrib.auth.backends import BaseBackend, ModelBackend
from django.db.models import Model
from django.http import HttpRequest

from accounts import limits

# By app, what every member of staff may do. Deleting people's data, the queue's
# tables and the groups of permissions stay with superusers.
STAFF_MAY: dict[str, frozenset[str]] = {
    "athletes": frozenset({"view", "add", "change"}),
    "syncing": frozenset({"view", "add", "change"}),
    "accounts": frozenset({"view", "add", "change"}),
    "privacy": frozenset({"view"}),
    "sharing": frozenset({"view"}),  # whose action ends a link
    "webhooks": frozenset({"view", "add", "change"}),
    "axes": frozenset({"view", "delete"}),  # frees a coach who is locked out
    "django_q": frozenset({"view"}),
}
STAFF_MAY_ALSO = frozenset(
    {
        *("accounts.delete_team", "webhooks.delete_webhook"),
        # One that athletes have cannot be deleted.
        *("athletes.delete_level", "athletes.delete_athletelevel"),
        "django_q.change_schedule",  # times alone (syncing/queueadmin.py)
    }
)


class LimitBackend(AxesStandaloneBackend):  # type: ignore[misc]
    """Stands before the check of a password and refuses one guess too many.

    A right password is told to `limits.take_back` by whoever asked for it.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Count the try before any password is checked.

        Raises when the account, the address or the device has failed too often;
        no other backend is then asked.
        """
        super().authenticate(request, username=username, password=password, **kwargs)
        if request is not None and limits.begin(request, username or ""):
            request.axes_locked_out = True  # type: ignore[attr-defined]
            raise AxesBackendPermissionDenied


class StaffBackend(BaseBackend):
    """Gives permissions by role, so that nobody has to tick boxes for each person."""

    def has_perm(self, user_obj: Any, perm: str, obj: Model | None = None) -> bool:
        """Return whether this permission is one that all staff have."""
        if not (user_obj.is_active and user_obj.is_staff):
            return False
        app, _, codename = perm.partition(".")
        action = codename.partition("_")[0]
        return action in STAFF_MAY.get(app, frozenset()) or perm in STAFF_MAY_ALSO

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """Return whether staff may open this app in the administration."""
        return bool(user_obj.is_active and user_obj.is_staff and app_label in STAFF_MAY)


class SingleSignOnBackend(BaseBackend):
    """Keeps sessions that began at the provider of single sign-on.

    It is in force while single sign-on is: without it those sessions end.
    """

    def get_user(self, user_id: int) -> Any:
        """Return the user of a session; None for one who was deactivated."""
        return ModelBackend().get_user(user_id)
