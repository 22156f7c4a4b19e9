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
        found |= set(re.findall(r'env\.(?:\w+)\(\s*"([A-Z_]+)"', text))
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


FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir()}
PACKAGES = {path.parent.name for path in ROOT.glob("*/__init__.py")}


def is_there(dotted):
    """Whether a dotted name leads to a module, or to a word in one."""
    parts = dotted.split(".")
    for count in range(len(parts), 0, -1):
        module = ROOT.joinpath(*parts[:count]).with_suffix(".py")
        if module.is_file():
            rest = parts[count:]
            text = module.read_text(encoding="utf-8")
            return not rest or re.search(rf"\b{rest[0]}\b", text) is not None
    return ROOT.joinpath(*parts).is_dir()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.name)
def test_files_and_modules_that_a_document_names_exist(document):
    text = document.read_text(encoding="utf-8")
    files = re.findall(r"`((?:[\w-]+/)+[\w.-]+\.\w+)(?:::\w+)?`", text)
    dotted = re.findall(r"`([a-z_]+(?:\.\w+)+)`", text)
    missing = {
        name
        for name in files
        if name.split("/")[0] in FOLDERS
        and not (ROOT / name).exists()
        and not (ROOT / "templates" / name).exists()
        and "/NAME." not in name  # stands for any name
    }
    missing |= {
        name for name in dotted if name.split(".")[0] in PACKAGES and not is_there(name)
    }
    # A run of the product makes these.
    assert {name for name in missing if not name.startswith("var/")} == set()


def rows_of(name):
    """Rows of all tables of a page, as lists of cells."""
    lines = (ROOT / "docs" / name).read_text(encoding="utf-8").splitlines()
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines
        if line.startswith("| ")
    ]


def test_figures_of_capacity_are_those_of_the_benchmarks():
    measured = {(what, value) for what, value, *_ in rows_of("benchmarks.md")}
    quoted = {(row[0], row[1]) for row in rows_of("capacity.md") if "](" in row[-1]}
    assert len(quoted) > 10
    assert quoted - measured == set()


def test_every_missed_bar_has_a_paragraph_and_nothing_else_has():
    text = (ROOT / "docs/benchmarks.md").read_text(encoding="utf-8")
    parts = re.findall(r"<!-- (bench_\w+) -->(.*?)<!-- /", text, re.DOTALL)
    missing = [name for name, tables in parts if "**no**" in tables]
    by_hand = text.partition("## Where a bar is not met, and why")[2]
    assert len(re.findall(r"^\*\*", by_hand, re.MULTILINE)) == len(missing)


def classes_named():
    """The CSS classes that docs/design.md tells writers of templates to use."""
    text = (ROOT / "docs/design.md").read_text(encoding="utf-8")
    prose = text.partition("Layout classes: ")[2].partition("\nLoading: ")[0]
    named = set(re.findall(r"`([a-z][a-z0-9-]*(?:__\w+|--\w+)?)`", prose))
    for several in re.findall(r"""class="([^"]+)"|`(stacks [^`]+)`""", text):
        named |= set(" ".join(several).split())
    named |= set(re.findall(r"`\.([\w-]+)`", text))
    return named - {"dl", "div", "ol"}  # elements


def test_every_class_of_the_design_page_has_a_rule_and_is_used():
    styles = " ".join(
        path.read_text(encoding="utf-8") for path in ROOT.glob("static/css/*.css")
    )
    users = " ".join(
        path.read_text(encoding="utf-8")
        for pattern in ("templates/**/*.html", "static/js/**/*.js")
        for path in ROOT.glob(pattern)
    )
    named = classes_named()
    assert len(named) > 35
    without_rule = {c for c in named if not re.search(rf"\.{c}(?![\w-])", styles)}
    unused = {c for c in named if not re.search(rf"(?<![\w-]){c}(?![\w-])", users)}
    assert without_rule == set()
    assert unused == set()


def test_every_part_and_file_of_the_design_page_exists():
    text = (ROOT / "docs/design.md").read_text(encoding="utf-8")
    rows = text.partition("\n## Components\n")[2].partition("\n\nThe definition")[0]
    parts = re.findall(r"^\| `(\w+)`", rows, re.MULTILINE)
    files = set(re.findall(r"`((?:static|reboot_site)/[\w./]+\.\w+)`", text))
    here = {path.stem for path in ROOT.glob("templates/components/*.html")}
    assert len(parts) > 10
    assert len(files) > 10
    assert set(parts) - here == set()
    assert {name for name in files if not (ROOT / name).exists()} == set()


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


def test_the_review_of_the_methods_names_tests_that_exist():
    text = (ROOT / "docs/methods-review.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", text))
    there = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        there |= set(re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8")))
    assert len(named) > 40
    assert named <= there, named - there
