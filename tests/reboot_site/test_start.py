"""What a process loads when it starts, seen in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def loaded_by(code, tmp_path, **environment):
    script = f"{code}; import json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "reboot_site.settings",
            "SECRET_KEY": "of-this-test-alone-0123456789-abcdefghijklmnopqrstuvwxyz",
            "DEBUG": "0",
            "DATABASE_URL": "",
            "REDIS_URL": "",
            "VAR_DIR": str(tmp_path),
        }
        | environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.processes
@pytest.mark.parametrize(
    "code",
    [
        "import reboot_site.wsgi; from reboot_site import gunicorn"
        "; gunicorn.on_starting(None)",
        "import django; django.setup()",
    ],
    ids=["web", "command"],
)
def test_a_start_leaves_out_what_few_requests_use(code, tmp_path):
    heavy = {"scipy.signal", "scipy.stats", "redis", "plotly"}
    assert loaded_by(code, tmp_path) & heavy == set()


@pytest.mark.processes
def test_the_web_server_has_its_pages_ready_before_it_forks(tmp_path):
    """So that none of its processes imports them at its first request."""
    code = "import reboot_site.wsgi; from reboot_site import gunicorn"
    code += "; gunicorn.on_starting(None)"
    loaded = loaded_by(code, tmp_path)
    assert {"dashboard.views.swing", "athletes.api.routes", "pyarrow.lib"} <= loaded


@pytest.mark.processes
def test_the_web_server_looks_for_garbage_once_a_page_not_a_hundred_times(tmp_path):
    """A forked process inherits it; what was there before the fork is left alone."""
    code = "import reboot_site.wsgi, gc; from reboot_site import gunicorn"
    code += "; gunicorn.on_starting(None); assert gc.get_freeze_count() > 100_000"
    code += "; assert gc.get_threshold()[0] >= 50_000, gc.get_threshold()"
    assert "reboot_site.gunicorn" in loaded_by(code, tmp_path)
