#!/usr/bin/env python
"""Django's command line."""

import json
import os
import sys


def main() -> None:
    """Run the command that the command line names."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reboot_site.settings")
    from reboot_site.permissions import write_for_owner_alone

    write_for_owner_alone()
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        # A wrong setting is for whoever starts this to mend: one line, no traceback.
        _refuse(f"{error}")


def _refuse(message: str) -> None:
    """End with 2, in the words that programs which call `sync --json` know."""
    if sys.argv[1:2] == ["sync"] and "--json" in sys.argv:
        names = ("seen", "created", "updated", "unchanged", "failed")
        kinds = ("players", "sessions", "movements", "exports")
        error = {"what": "Starting the sync", "object": "", "message": message}
        error |= {"hint": "Correct the setting.", "code": "configuration"}
        outcome = {"status": "failed", "run": None, "requests": 0, "errors": [error]}
        counts = {kind: dict.fromkeys(names, 0) for kind in kinds}
        sys.stdout.write(json.dumps(outcome | counts) + "\n")
    sys.stderr.write(f"A setting is wrong: {message}\n")
    sys.exit(2)


if __name__ == "__main__":
    main()
