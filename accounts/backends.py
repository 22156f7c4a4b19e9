"""What the roles may do in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.db.models import Model

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
STAFF_MAY_ALSO = frozenset({"accounts.delete_team", "webhooks.delete_webhook"})


class StaffBackend(BaseBackend):
    """Gives permissions by role, so that nobody has to tick boxes for each person."""

    def has_perm(self, user_obj: Any, perm: str, obj: Model | None = None) -> bool:
        if not (user_obj.is_active and user_obj.is_staff):
            return False
        app, _, codename = perm.partition(".")
        action = codename.partition("_")[0]
        return action in STAFF_MAY.get(app, frozenset()) or perm in STAFF_MAY_ALSO

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return bool(user_obj.is_active and user_obj.is_staff and app_label in STAFF_MAY)
