"""Documents that tell the truth about the code."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def variables_read():
    """Names that settings and the web server read from the environment."""
    found = set()
    for path in (ROOT / "reboot_site").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        found |= set(
            re.findall(r'env\.(?:text|boolean|integer|items)\(\s*"(\w+)"', text)
        )
        found |= set(re.findall(r"os\.environ\.get\([\'\"](\w+)", text))
    return found - {"TEST_DATABASE_NAME"}


def variables_documented():
    """Names in the first column of the table."""
    rows = re.findall(
        r"^\|([^|]*)\|", (ROOT / "docs/configuration.md").read_text(), re.MULTILINE
    )
    return {name for row in rows for name in re.findall(r"`([A-Z][A-Z_]+)`", row)}


def test_every_variable_is_documented_and_in_the_example():
    documented = variables_documented()
    example = set(
        re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    )
    read = variables_read()
    assert read - documented == set()
    assert documented - example == set()
    assert example - documented == set()
    assert read - example == set()
    assert example - read == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.name)
def test_links_between_documents_lead_somewhere(document):
    text = document.read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text)
    missing = [t for t in targets if not (document.parent / t).exists()]
    assert missing == []


def anchors_of(document):
    """The names that links to a page's headings have, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text("utf-8"), re.MULTILINE)
    plain = (re.sub(r"[^\w\s-]", "", heading).strip().lower() for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.name)
def test_links_to_headings_lead_to_one(document):
    links = re.findall(r"\]\(([\w./-]*)#([^)]+)\)", document.read_text("utf-8"))
    missing = [
        f"{target}#{heading}"
        for target, heading in links
        if heading not in anchors_of(document.parent / target if target else document)
    ]
    assert missing == []


def test_every_static_file_of_others_has_its_version_and_licence():
    vendor = ROOT / "static" / "vendor"
    note = (vendor / "README.md").read_text(encoding="utf-8")
    files = [
        path
        for path in vendor.rglob("*")
        if path.is_file()
        and path.name != "README.md"
        and "LICEN" not in path.name.upper()
    ]
    assert files
    missing = [str(p.relative_to(vendor)) for p in files if p.name not in note]
    assert missing == []
