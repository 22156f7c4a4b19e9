"""Which files a quick run leaves unread: those alone of which it runs nothing."""

from __future__ import annotations

import pytest

from tests.selection import is_never_fast

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


@pytest.mark.parametrize("folder", ["browser", "acceptance"])
def test_what_conftest_marks_by_its_folder_is_left_unread(folder):
    assert is_never_fast(f"tests/{folder}/test_one.py", "def test_one(): ...")
