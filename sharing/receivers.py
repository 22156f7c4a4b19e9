"""Keeps saved comparisons private once a part of them was deleted."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_delete
from django.dispatch import receiver

from sharing.models import SavedComparison, SavedItem


@receiver(post_delete, sender=SavedItem)
def keep_to_the_owner(instance: SavedItem, **_: Any) -> None:
    """Show a comparison that lost a part to its owner alone.

    Who may see it was asked of all its parts, and its name may tell of the one that
    is gone.
    """
    SavedComparison.objects.filter(pk=instance.comparison_id).update(is_shared=False)
