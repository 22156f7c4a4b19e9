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
    from reboot_site.startup import refuse_without_tables, refusing_wrong_settings

    with refusing_wrong_settings(before=_answer_as_json):
        from django.conf import settings
        from django.core.management import execute_from_command_line

        # Some commands of Django begin without, and fail later at something else.
        settings.INSTALLED_APPS  # noqa: B018
        if {*sys.argv[1:2]} & {"qcluster", "supervise_qcluster"}:
            import django

            django.setup()
            refuse_without_tables()
        execute_from_command_line(sys.argv)


def _answer_as_json(message: str) -> None:
    """Say it also in the words that programs which call `sync --json` know."""
    if sys.argv[1:2] == ["sync"] and "--json" in sys.argv:
        names = ("seen", "created", "updated", "unchanged", "failed")
        kinds = ("players", "sessions", "movements", "exports")
        error = {"what": "Starting the sync", "object": "", "message": message}
        error |= {"hint": "Correct the setting.", "code": "configuration"}
        outcome = {"status": "failed", "run": None, "requests": 0, "errors": [error]}
        counts = {kind: dict.fromkeys(names, 0) for kind in kinds}
        sys.stdout.write(json.dumps(outcome | counts) + "\n")


if __name__ == "__main__":
    main()
