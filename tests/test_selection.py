"""Which files a quick run leaves unread: those alone of which it runs nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.selection import TESTS, is_never_fast, night_tests, slow_tests

ROOT = Path(__file__).resolve().parent.parent
ONE = "tests/dashboard/test_one.py"


DEF = "def test_one(): ...\n"
DB, SLOW = "pytest.mark.django_db", "pytest.mark.slow"


@pytest.mark.parametrize(
    ("source", "never"),
    [
        (DEF, False),
        (f"pytestmark = {SLOW}\n{DEF}", True),
        (f"pytestmark = [{DB}, pytest.mark.processes]\n{DEF}", True),
        (f"pytestmark = [\n    {DB},\n    {SLOW},\n]\n{DEF}", True),
        (f"pytestmark = {DB}\n\n@{SLOW}\n{DEF}", False),
        (f"pytestmark = [{DB}]\n\nMARKS = [{SLOW}]\n{DEF}", False),
        (f"@{SLOW}\n{DEF}\ndef test_two(): ...", False),
    ],
)
def test_only_files_that_are_slow_as_a_whole_are_left_unread(source, never):
    assert is_never_fast(ONE, source) is never


def test_slow_tests_are_there():
    """Renaming a test breaks nothing; a list that is read by nobody does."""
    gone = []
    for name in sorted(slow_tests()):
        path, _, function = name.partition("::")
        file = TESTS.parent / path
        if not file.exists() or f"def {function}(" not in file.read_text("utf-8"):
            gone.append(name)
    assert len(gone) < len(slow_tests()) / 20, (gone, "rename them there")


def test_tests_of_the_night_are_there():
    """Their cases are looked for when a whole file is read (tests/conftest.py)."""
    gone = []
    for name in sorted(night_tests("sqlite") | night_tests("postgresql")):
        path, _, function = name.partition("[")[0].partition("::")
        file = TESTS.parent / path
        if not file.exists() or f"def {function}(" not in file.read_text("utf-8"):
            gone.append(name)
    assert gone == [], "rename them in tests/night_tests.txt"


def test_a_line_that_names_a_database_holds_there_alone():
    here, there = night_tests("sqlite"), night_tests("postgresql")
    assert here - there
    assert there - here
    assert here & there
    assert not [name for name in here | there if name.endswith("sql")]


def test_a_whole_sync_is_slow_without_being_listed(start_vendor, request):
    assert request.node.get_closest_marker("slow")


def collected(expression, **environment):
    """In which databases' cases of the test below a run with these markers goes."""
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "--collect-only"]
    done = subprocess.run(
        [*command, "-m", expression, "-k", "one_database", "tests/test_selection.py"],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return set(re.findall(r"\[(\w+)\]", done.stdout))


@pytest.mark.parametrize(
    "where",
    [
        pytest.param("sqlite", marks=pytest.mark.mainly("sqlite")),
        pytest.param("postgresql", marks=pytest.mark.mainly("postgresql")),
        pytest.param("either", marks=pytest.mark.both),
    ],
)
def test_of_one_database_or_either(where):
    """What the next test looks for."""


@pytest.mark.processes
def test_each_test_runs_on_its_main_database_and_at_night_on_the_other():
    server = {"TEST_POSTGRES_URL": "postgres://nobody@127.0.0.1:1/nothing"}
    on_sqlite = server | {"DATABASE_URL": ""}
    on_postgres = server | {"DATABASE_URL": server["TEST_POSTGRES_URL"]}
    assert collected("not nightly", **on_sqlite) == {"sqlite", "either"}
    assert collected("both and nightly", **on_postgres) == {"sqlite"}


@pytest.fixture
def start_vendor():
    return "no vendor"


@pytest.mark.parametrize("folder", ["browser", "acceptance"])
def test_what_conftest_marks_by_its_folder_is_left_unread(folder):
    assert is_never_fast(f"tests/{folder}/test_one.py", "def test_one(): ...")


@pytest.mark.processes
def test_help_runs_no_test():
    done = subprocess.run(
        [sys.executable, "scripts/test.py", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.startswith("Runs every test that can run on this machine")
    assert "Tests on" not in done.stdout
