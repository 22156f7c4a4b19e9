"""The name of a form that adds something: sent twice, it is stored once."""

from __future__ import annotations

import secrets

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.sent_forms import FIELD

register = template.Library()


@register.simple_tag
def once() -> SafeString:
    """A hidden field that names this form; its view calls `sent_forms.store_once`."""
    name = secrets.token_urlsafe()
    return format_html('<input type="hidden" name="{}" value="{}">', FIELD, name)
