"""Athletes who were erased for good, of whom nothing is kept but keyed hashes.

Whatever imports athletes asks here first. A hash cannot be turned back without the key,
which comes from SECRET_KEY and is not in the database.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from accounts.keys import find_key, present_key
from athletes.models import Player, Tombstone

_PURPOSE = "tombstone"
ORGANIZATION, VENDOR = "org", "reboot"


def _hash(key: bytes, kind: str, text: str) -> str:
    """The keyed hash of an id; `kind` keeps ids of two kinds apart."""
    return hmac.digest(key, f"{kind}:{text}".encode(), "sha256").hex()


def add_tombstone(player: Player) -> Tombstone:
    """Keep this athlete from being imported again; may be called twice.

    The vendor's own id counts only where no other athlete has it, since the other one
    was not erased. Returns the stored hashes.
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
        org_player_hash=_hash(key, ORGANIZATION, player.org_player_id),
        defaults={
            "key_id": name,
            "reboot_player_hash": _hash(key, VENDOR, vendor_id)
            if vendor_id and not is_shared
            else "",
        },
    )
    return tombstone


class ErasedAthletes:
    """The hashes of all erased athletes, to look up many ids."""

    def __init__(self, rows: Iterable[tuple[str, str, str]]) -> None:
        self._hashes: dict[bytes, set[str]] = {}
        for name, organization, vendor in rows:
            key = find_key(name, _PURPOSE)
            self._hashes.setdefault(key, set()).update({organization, vendor} - {""})

    def __bool__(self) -> bool:
        return bool(self._hashes)

    def has(self, org_player_id: str, reboot_player_id: str | None = None) -> bool:
        """Whether an athlete with one of these ids was erased."""
        whole = re.sub(r"^(\d+)\.0+$", r"\1", org_player_id)
        spelled = {org_player_id, whole}
        if whole.isdecimal():
            # So it was kept of an athlete who was erased before ids had one spelling.
            spelled.add(f"{whole}.0")
        return any(
            any(_hash(key, ORGANIZATION, text) in hashes for text in spelled)
            or (
                bool(reboot_player_id)
                and _hash(key, VENDOR, str(reboot_player_id)) in hashes
            )
            for key, hashes in self._hashes.items()
        )

    def names(self, text: str) -> bool:
        """Whether a text is an id of an erased athlete, ours or the vendor's."""
        return self.has(text, text)

    def redact(self, payload: Any) -> Any:
        """The vendor's payload without its entries about erased athletes."""
        if not self:
            return payload
        if isinstance(payload, dict):
            return {key: self.redact(value) for key, value in payload.items()}
        if isinstance(payload, list):
            return [self.redact(item) for item in payload if not self._is_about(item)]
        return payload

    def _is_about(self, item: Any) -> bool:
        """Whether an entry of a payload is about an erased athlete."""
        if isinstance(item, dict):
            return any(
                self.names_value(value)
                for value in (item.get("org_player_id"), item.get("id"))
            )
        return self.names_value(item)

    def names_value(self, value: Any) -> bool:
        """Whether a value is an erased athlete's id, however the vendor spells it."""
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return False
        text = str(value)
        spelled = {text, text.strip(), re.sub(r"\.0+$", "", text.strip())}
        return any(self.names(form) for form in spelled)


def load_erased() -> ErasedAthletes:
    """All erased athletes as they are known now, in one small query.

    Raises
    ------
    accounts.keys.LostKeyError
        When hashes were made with a key that is no longer known. Going on would
        import those athletes again.
    """
    return ErasedAthletes(
        Tombstone.objects.values_list(
            "key_id", "org_player_hash", "reboot_player_hash"
        ).iterator()
    )
