"""Athletes that were erased for good, known by nothing but keyed hashes.

Whoever brings athletes in asks here first. A hash cannot be turned back without the
key, which comes from SECRET_KEY and is not in the database.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from accounts.keys import find_key, present_key
from athletes.models import Player, Tombstone

_PURPOSE = "tombstone"
ORGANISATION, VENDOR = "org", "reboot"


def _hash(key: bytes, kind: str, text: str) -> str:
    """The keyed hash of an id; `kind` keeps ids of two kinds apart."""
    return hmac.digest(key, f"{kind}:{text}".encode(), "sha256").hex()


def bury(player: Player) -> Tombstone:
    """Note that this athlete must not come back; safe to be called twice.

    The vendor's own id counts only where no other athlete here has it: that one was
    not erased.
    """
    name, key = present_key(_PURPOSE)
    vendor_id = player.reboot_player_id
    head = player.merged_into_id or player.pk
    is_shared = (
        Player.everyone.filter(reboot_player_id=vendor_id)
        .exclude(Q(pk=head) | Q(merged_into=head))
        .exists()
    )
    tombstone, _ = Tombstone.objects.get_or_create(
        org_player_hash=_hash(key, ORGANISATION, player.org_player_id),
        defaults={
            "key_id": name,
            "reboot_player_hash": _hash(key, VENDOR, vendor_id)
            if vendor_id and not is_shared
            else "",
        },
    )
    return tombstone


class Erased:
    """All tombstones, to ask many questions of."""

    def __init__(self, rows: Iterable[tuple[str, str, str]]) -> None:
        self._hashes: dict[bytes, set[str]] = {}
        for name, organisation, vendor in rows:
            key = find_key(name, _PURPOSE)
            self._hashes.setdefault(key, set()).update({organisation, vendor} - {""})

    def __bool__(self) -> bool:
        return bool(self._hashes)

    def has(self, org_player_id: str, reboot_player_id: str | None = None) -> bool:
        """Whether an athlete of these ids was erased."""
        return any(
            _hash(key, ORGANISATION, org_player_id) in hashes
            or (
                bool(reboot_player_id)
                and _hash(key, VENDOR, str(reboot_player_id)) in hashes
            )
            for key, hashes in self._hashes.items()
        )

    def names(self, text: str) -> bool:
        """Whether a text is an id of an erased athlete, of either kind."""
        return self.has(text, text)

    def redact(self, payload: Any) -> Any:
        """A payload of the vendor without its entries about erased athletes."""
        if not self:
            return payload
        if isinstance(payload, dict):
            return {key: self.redact(value) for key, value in payload.items()}
        if isinstance(payload, list):
            return [self.redact(item) for item in payload if not self._is_about(item)]
        return payload

    def _is_about(self, item: Any) -> bool:
        """Whether an entry of a payload is about an erased athlete."""
        if isinstance(item, str):
            return self.names(item)
        if not isinstance(item, dict):
            return False
        ids = (item.get("org_player_id"), item.get("id"))
        return any(isinstance(text, str) and self.names(text) for text in ids)


def load() -> Erased:
    """All tombstones as they are now: one small query.

    Raises
    ------
    accounts.keys.LostKeyError
        When some were made with a key that is not known any more. Going on would
        bring those athletes back.
    """
    return Erased(
        Tombstone.objects.values_list(
            "key_id", "org_player_hash", "reboot_player_hash"
        ).iterator()
    )
