"""Style sheets hold no rule for what no page has, and heed the size of letters."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# Put together where they are used: "part-{{ part }}".
PUT_TOGETHER = ("alert--", "chart__plot--", "part-", "side-", "tag__dot--")
NOT_PAGES = {"accuracy", "benchmarks", "simulator", "static", "tests", "tools", "var"}
GIVEN_BY_DJANGO = {"errorlist"}


def sources() -> str:
    """Everything that may write a class into a page."""
    files = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "static/js").rglob("*.js")]
    for package in ROOT.iterdir():
        if package.name not in NOT_PAGES and not package.name.startswith("."):
            files += package.rglob("*.py")
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def classes_of(sheet: str) -> set[str]:
    """Names of the classes in the selectors of a style sheet."""
    text = (ROOT / "static" / "css" / sheet).read_text(encoding="utf-8")
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    selectors = re.findall(r"([^{}]+)\{", re.sub(r'url\([^)]*\)|"[^"]*"', "", text))
    return {name for one in selectors for name in re.findall(r"\.([a-z_][\w-]*)", one)}


OWN = pytest.mark.parametrize(
    "sheet", ["site.css", "components.css", "figure.css", "sheet.css"]
)


@OWN
def test_layout_follows_the_size_of_letters(sheet):
    text = (ROOT / "static" / "css" / sheet).read_text(encoding="utf-8")
    widths = re.findall(r"@media[^{]*width:[^{]*", text)
    # In pixels a tablet with letters twice as large would keep columns for small ones.
    assert widths
    assert [one for one in widths if "px" in one] == []


@OWN
def test_every_class_is_used(sheet):
    written = set(re.findall(r"[\w-]+", sources()))
    unused = {
        name
        for name in classes_of(sheet) - written - GIVEN_BY_DJANGO
        if not name.startswith(PUT_TOGETHER)
    }
    assert unused == set()


def test_every_token_is_used():
    sheets = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "static/css").glob("*.css")
    )
    tokens = (ROOT / "static/css/tokens.css").read_text(encoding="utf-8")
    named = set(re.findall(r"^\s*--([\w-]+):", tokens, re.MULTILINE))
    used = set(re.findall(r"var\(--([\w-]+)", sheets))
    used |= set(re.findall(r'token\("([\w-]+)"\)', sources()))
    # Scripts ask for these by the name of the part.
    assert {name for name in named - used if not name.startswith("part-")} == set()
