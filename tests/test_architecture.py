"""Who may import whom (docs/architecture.md), read from the source."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = {
    "reboot_site",
    "accounts",
    "athletes",
    "syncing",
    "privacy",
    "sharing",
    "webhooks",
    "simulator",
}
STDLIB_AND = {"numpy", "scipy"}

# package -> packages of ours that it may import besides itself
ALLOWED = {
    "reboot_site": OURS - {"simulator"},
    "accounts": {"reboot_site"},
    "athletes": {"accounts"},
    "syncing": {"athletes", "accounts"},
    "webhooks": {"accounts"},
    "sharing": {"athletes", "accounts"},
    "privacy": {"athletes", "accounts", "syncing", "webhooks", "sharing"},
    "simulator": set(),
}
# Wiring that lower packages may use: typed environment readers and the like.
SHARED = {"reboot_site.env"}


def modules_under(folder):
    for path in sorted((ROOT / folder).rglob("*.py")):
        if "migrations" not in path.parts:
            yield path


def imports_of(path):
    """Dotted names imported anywhere in the file, for typing alone excepted."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            for alias in node.names:
                yield f"{node.module}.{alias.name}"


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_packages_import_only_what_they_may(package):
    allowed = ALLOWED[package] | {package}
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules_under(package)
        for name in imports_of(path)
        if name.split(".")[0] in OURS - allowed
        and not any(name.startswith(shared) for shared in SHARED)
    ]
    assert wrong == []


def test_biomechanics_is_pure():
    import sys

    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules_under("athletes/biomechanics")
        for name in imports_of(path)
        if not name.startswith("athletes.biomechanics")
        and name != "athletes"
        and name.split(".")[0] not in STDLIB_AND | set(sys.stdlib_module_names)
    ]
    assert wrong == []


def test_client_knows_no_django():
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules_under("syncing/client")
        for name in imports_of(path)
        if name.split(".")[0] in {"django", "athletes", "accounts", "reboot_site"}
    ]
    assert wrong == []


def test_charts_know_no_orm_and_no_request():
    wrong = [
        name
        for path in [
            *modules_under("athletes/charts"),
            *(ROOT / "athletes").glob("charts.py"),
        ]
        for name in imports_of(path)
        if name.startswith(("django", "athletes.models", "athletes.querysets"))
    ]
    assert wrong == []


def test_init_files_are_empty():
    filled = [
        str(path.relative_to(ROOT))
        for package in OURS
        for path in modules_under(package)
        if path.name == "__init__.py" and path.read_text(encoding="utf-8").strip()
    ]
    assert filled == []


def test_every_module_of_an_administration_is_loaded():
    import sys

    forgotten = [
        name
        for package in OURS
        for path in modules_under(f"{package}/admin")
        if (name := ".".join(path.relative_to(ROOT).with_suffix("").parts))
        not in sys.modules
        and path.name != "__init__.py"
    ]
    assert forgotten == []
