"""What a sync does not need, it does not load: every start would pay for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

#: Packages, each with who may load it.
NOT_LOADED = {
    "ninja": "the web, for its JSON",
    "pydantic": "the web, for its JSON",
    "django.test": "tests",
    "jinja2": "nobody",
    "sharing.sheet": "the web",
    "dashboard.selectors.swing_page": "the web",
    "privacy.archive": "the web and the task that makes archives",
    "scipy.interpolate": "what fills gaps",
    "scipy.signal": "nobody",
    "scipy.special": "what looks for changes",
    "pandas": "tests",
}


def _loaded(code: str) -> set[str]:
    """Return the modules that a process has loaded after this code."""
    code += "\nimport json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ
        | {"DJANGO_SETTINGS_MODULE": "reboot_site.settings", "DEBUG": "1"},
        stdout=subprocess.PIPE,
        check=True,
        timeout=300,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.processes
def test_the_command_loads_nothing_of_the_web():
    loaded = _loaded(
        "import django; django.setup()\n"
        "from django.core.management import load_command_class\n"
        "load_command_class('syncing', 'sync')\n"
        "import syncing.engine.run\n"
    )
    assert "syncing.engine.exports" in loaded
    assert not loaded & set(NOT_LOADED)


@pytest.mark.processes
def test_a_reading_process_loads_neither_django_nor_what_only_others_need():
    loaded = _loaded("import syncing.engine.reader_child")
    assert not loaded & {*NOT_LOADED, "django", "django.conf", "requests"}
