import re
from pathlib import Path

import pytest

from syncing.reader.errors import CODES, ExportFileError

ROOT = Path(__file__).resolve().parents[3]


def test_every_code_is_documented_with_its_meaning():
    page = (ROOT / "docs/export-files.md").read_text(encoding="utf-8")
    _, heading, table = page.partition("## Refusal codes")
    assert heading, "the section has another name"
    told = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", table, re.MULTILINE))
    assert told == CODES


def test_every_code_is_used():
    source = "".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "syncing/reader").glob("*.py")
        if path.name != "errors.py"
    )
    assert [code for code in CODES if f'"{code}"' not in source] == []


def test_repairs_are_documented():
    page = (ROOT / "docs/export-files.md").read_text(encoding="utf-8")
    source = "".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "syncing/reader").glob("*.py")
    )
    named = set(re.findall(r'"([a-z]+(?:_[a-z]+)+):?\{', source))
    named |= {"rows_gathered", "rows_sorted", "decimal_commas_read"}
    assert len(named) == 10
    assert [name for name in named if f"`{name}" not in page] == []


def test_unknown_code_cannot_be_raised():
    with pytest.raises(ValueError, match="unknown code"):
        ExportFileError("typo", "x")
