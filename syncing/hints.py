"""What to do about an error of the sync, by the error's code."""

from __future__ import annotations

#: What to do, by the code of an error; the client's own message says what happened.
HINTS = {
    "authentication": "Correct the login in the settings and start the sync again.",
    "forbidden": "If it affects everything, correct the login or key in the settings; "
    "if only one object, ask Reboot Motion why this login can't see it.",
    "configuration": "Correct the setting and start the sync again.",
    "forbidden_host": "REBOOT_DOWNLOAD_HOSTS is the list.",
    "unavailable": "If it keeps happening, check this server's connection and Reboot "
    "Motion's "
    "state.",
    "rate_limited": "If it keeps happening, lower SYNC_MAX_REQUESTS.",
    "unexpected_shape": "If the address is right, tell Reboot Motion.",
    "list_changed": "The next run reads the list again. If this keeps happening, sync "
    "at a time when nobody is uploading.",
    "not_found": "If it was removed on purpose, the next full sync marks it as "
    "missing.",
    "too_large": "The limit is EXPORT_MAX_MB.",
    "unreadable_value": "The Syncing page shows the value as sent. Correct it in "
    "Reboot "
    "Motion; an athlete's can also be corrected here, and is then left alone.",
    "not_ready": "It is requested again automatically.",
}


HINT_OTHERWISE = "Retry; if it keeps failing, ask Reboot Motion about this session."
