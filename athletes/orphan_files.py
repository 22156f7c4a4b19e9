"""Files in the storage that no row names any more."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.core.files.storage import default_storage


def delete_orphans(
    folder: str, *, known: Collection[str | None], before: dt.datetime
) -> int:
    """Delete the files of a folder that are not `known`; return how many.

    Younger ones than `before` stay: their row may be about to be written.
    """
    if not default_storage.exists(folder):
        return 0
    count = 0
    for name in (f"{folder}/{each}" for each in default_storage.listdir(folder)[1]):
        if name in known:
            continue
        try:
            if default_storage.get_modified_time(name) >= before:
                continue
        except FileNotFoundError:  # deleted in this moment
            continue
        default_storage.delete(name)
        count += 1
    return count
