"""A template tag for a site or a login that has no athletes yet."""

from __future__ import annotations

from django import template
from django.template import Context

from accounts.names import staff_in_words
from athletes import access

register = template.Library()


@register.simple_tag(takes_context=True)
def next_step(context: Context, will_appear: str) -> str:
    """What to do, or whom to ask, so that something appears, and what that will be."""
    user = context["request"].user
    if user.limited_to_teams and not access.may_administer(user):
        step = (
            "You see the athletes of your teams, and there are none yet. "
            f"{staff_in_words()}"
        )
    elif access.may_administer(user):
        step = (
            "Next step: press “Sync now” on the Syncing page to import athletes, "
            "sessions and swings from Reboot Motion."
        )
    elif access.may_start_sync(user):
        step = (
            "Nothing has been imported from Reboot Motion yet. Press “Sync now” on the "
            f"Syncing page. Questions? {staff_in_words()}"
        )
    else:
        step = (
            "Nothing has been imported from Reboot Motion yet. Staff start the first "
            f"sync. {staff_in_words()}"
        )
    return f"{step} {will_appear}"
