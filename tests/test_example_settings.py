"""`.env.example`, copied as it stands, starts the same product as no file at all."""

import json
import os
import subprocess
import sys

import pytest

from tests.test_architecture import ROOT
from tests.test_docs import variables_read

# Every setting of the product and of its web server, after what `make run` prepares.
WHAT_RUNS = """
import json, sys
from pathlib import Path
from reboot_site.env import load_dotenv
if sys.argv[1:]:
    load_dotenv(Path(sys.argv[1]))
{prepare}
from reboot_site import gunicorn, settings
found = {{
    f"{{module.__name__}}.{{name}}": repr(value)
    for module in (settings, gunicorn)
    for name, value in vars(module).items()
    if not name.startswith("_") and type(value).__module__ != "reboot_site.env"
    and not callable(value) and type(value).__name__ != "module"
}}
print(json.dumps(found))
"""
MAKE_RUN = "from scripts import run; run.prepare_environment()"


def settings_with(prepare, *files, var):
    kept = {k: v for k, v in os.environ.items() if k not in variables_read()}
    done = subprocess.run(
        [sys.executable, "-c", WHAT_RUNS.format(prepare=prepare), *map(str, files)],
        cwd=ROOT,
        env=kept | {"VAR_DIR": str(var)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.processes
@pytest.mark.parametrize(
    "prepare",
    [MAKE_RUN, "import os; os.environ['SECRET_KEY'] = 'x' * 50"],
    ids=["make run", "gunicorn"],
)
@pytest.mark.skipif((ROOT / ".env").exists(), reason="a .env of one's own is read")
def test_the_example_changes_no_setting(prepare, tmp_path):
    plain = settings_with(prepare, var=tmp_path)
    copied = settings_with(prepare, ROOT / ".env.example", var=tmp_path)
    assert len(plain) > 100
    assert {k: v for k, v in copied.items() if plain[k] != v} == {}
    assert copied.keys() == plain.keys()
    is_run = prepare == MAKE_RUN
    assert plain["reboot_site.settings.HTTPS"] == str(not is_run)
    host = "127.0.0.1" if is_run else "0.0.0.0"
    assert plain["reboot_site.gunicorn.bind"] == f"'{host}:8000'"
