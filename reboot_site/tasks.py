"""Functions that the queue calls. Queued rows hold their dotted names: keep them."""

from __future__ import annotations


def check_backup_task() -> str:
    """Restore the newest backup into a scratch database and store the verdict."""
    from reboot_site.restore_check import check_newest

    return check_newest().problem or "restored"
