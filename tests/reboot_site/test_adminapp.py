"""The administration is there for whoever may see it, and a sync does without."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

_LOOK = """
import sys
sys.argv = {argv}
import django
django.setup()
found = [name for name in sys.modules if name.startswith("athletes.admin.")]
print(len(found))
from django.urls import reverse
print(reverse("admin:athletes_player_changelist"), reverse("admin:accounts_user_add"))
from django.contrib import admin
print(len(admin.site._registry))
"""


@pytest.mark.processes
@pytest.mark.parametrize(
    ("argv", "is_loaded"),
    [
        (["/app/manage.py", "sync", "--full"], False),
        (["/app/manage.py", "check"], True),
        (["/app/other.py", "sync"], True),
    ],
)
def test_a_sync_loads_no_administration_until_an_address_of_it_is_asked_for(
    argv: list[str], is_loaded: bool, tmp_path: Path
) -> None:
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "reboot_site.settings",
        "DEBUG": "1",
        "VAR_DIR": str(tmp_path),
    }
    told = subprocess.run(
        [sys.executable, "-c", _LOOK.format(argv=argv)],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    assert (int(told[0]) > 0) == is_loaded
    assert told[1] == "/admin/athletes/player/ /admin/accounts/user/add/"
    from django.contrib import admin

    assert int(told[2]) == len(admin.site._registry)
