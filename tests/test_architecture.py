"""Who may import whom (docs/architecture.md), read from the source."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = {
    "reboot_site",
    "accounts",
    "athletes",
    "biomechanics",
    "dashboard",
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
    "biomechanics": set(),
    "athletes": {"accounts", "biomechanics"},
    "dashboard": {"athletes", "accounts", "biomechanics"},
    "syncing": {"athletes", "accounts", "biomechanics"},
    "webhooks": {"accounts"},
    "sharing": {"dashboard", "athletes", "accounts", "biomechanics"},
    "privacy": {
        *("athletes", "accounts", "biomechanics"),
        *("syncing", "webhooks", "sharing"),
    },
    "simulator": set(),
}
# Wiring that lower packages may use: typed environment readers and the like.
SHARED = {"reboot_site.env"}

# package -> room -> rooms of the same package that it may import. A room is a module
# or a folder directly below the package.
_ATHLETES_DATA = {"models", "querysets"}
_ATHLETES_READ = _ATHLETES_DATA | {"access", "analysis", "frames"}
_SYNCING_DATA = {"choices", "models", "querysets"}
ROOMS = {
    "athletes": {
        "querysets": {"models"},
        "models": {"querysets"},
        "bulk_sql": set(),
        "display": set(),
        "phrases": set(),
        "http": set(),
        "access": _ATHLETES_DATA,
        "frames": _ATHLETES_DATA,
        "analysis": _ATHLETES_DATA | {"bulk_sql", "display", "frames", "phrases"},
        "identity": _ATHLETES_DATA | {"analysis", "bulk_sql"},
        "decisions": _ATHLETES_DATA | {"analysis", "frames"},
        "api": _ATHLETES_READ,
        "admin": _ATHLETES_READ | {"api", "decisions", "display", "phrases"},
        "tasks": _ATHLETES_DATA | {"analysis"},
        "management": _ATHLETES_DATA | {"analysis"},
        "apps": {"admin"},
    },
    "dashboard": {
        "phrases": set(),
        "charts": set(),
        "templatetags": set(),
        "selectors": {"charts", "phrases"},
        "forms": {"phrases", "selectors"},
        "views": {"charts", "forms", "phrases", "selectors"},
        "urls": {"views"},
        "apps": set(),
    },
    "syncing": {
        "client": set(),
        "reader": set(),
        "hints": set(),
        "choices": set(),
        "querysets": _SYNCING_DATA,
        "models": _SYNCING_DATA,
        "mapping": {"client"},
        "listeners": _SYNCING_DATA,
        "alerts": _SYNCING_DATA,
        "engine": _SYNCING_DATA | {"client", "hints", "listeners", "mapping", "reader"},
        "imports": _SYNCING_DATA | {"engine", "listeners", "reader"},
        "schedules": set(),
        "queueresults": set(),
        "queueadmin": {"schedules"},
        "status": _SYNCING_DATA | {"alerts", "engine", "hints"},
        "services": _SYNCING_DATA | {"engine", "status"},
        "sweeping": _SYNCING_DATA | {"alerts", "engine", "services"},
        "selectors": _SYNCING_DATA | {"alerts", "engine", "status"},
        "forms": set(),
        "tasks": _SYNCING_DATA | {"engine", "services", "status", "sweeping"},
        "views": _SYNCING_DATA
        | {"forms", "imports", "selectors", "services", "status"},
        "api": _SYNCING_DATA | {"selectors", "services"},
        "admin": _SYNCING_DATA | {"queueadmin", "services"},
        "management": _SYNCING_DATA | {"engine", "imports", "schedules", "services"},
        "urls": {"views"},
        "apps": {"engine", "queueresults"},
    },
}


# Folder -> its modules and folders in order: each may import those before it.
ORDER = {
    "biomechanics": (
        *("units", "analysis_types", "signals", "peaks", "points", "axes", "clock"),
        *("vendor_clock", "motion", "momentum", "angle_columns", "kinematics", "side"),
        *("bat", "hitter", "events", "hands", "swing_kind", "find_events"),
        *("directions", "observed_swing", "observe", "definitions", "sequence"),
        *("metrics", "quality", "swing", "change", "session_statistics", "curves"),
        "skeleton",
    ),
    "biomechanics.metrics": (
        *("values", "measure", "turning", "body", "hands_bat", "momentum_energy"),
        "compute",
    ),
    "athletes.frames": ("format", "packing", "unpacking", "load", "store", "curves"),
    "syncing.reader": (
        *("errors", "limits", "columns", "cell_text", "container", "table"),
        *("csv_table", "parquet_table", "contents", "row_groups", "movements"),
        *("metadata_rows", "export", "packing"),
    ),
    "syncing.client": (
        *("errors", "types", "tokens", "connections", "answers", "http"),
        *("pagination", "addresses", "downloads", "export_replies", "login", "reboot"),
    ),
    "syncing.engine": (
        *("hosts", "liveness", "raw", "request_slots", "session_state", "stopping"),
        *("summaries", "tally", "tempo", "tokens", "vendor", "downloads", "wire"),
        *("incoming", "reader_child", "readers", "runs", "context", "claims"),
        *("movement_types", "players", "pool", "session_numbers", "outcomes"),
        *("session_list", "session_rows", "session_details", "asking", "storing"),
        *("exports", "run"),
    ),
}


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


def room_of(name):
    """`athletes.analysis` of `athletes.analysis.run`; None outside a known package."""
    parts = name.split(".")
    return parts[1] if parts[0] in ROOMS and len(parts) > 1 else None


@pytest.mark.parametrize("package", sorted(ROOMS))
def test_rooms_of_a_package_import_only_what_they_may(package):
    wrong = []
    for path in modules_under(package):
        room = path.relative_to(ROOT / package).with_suffix("").parts[0]
        if room == "__init__":
            continue
        assert room in ROOMS[package], f"{room} has no row in the table of {package}"
        allowed = ROOMS[package][room] | {room}
        for name in imports_of(path):
            if not name.startswith(f"{package}."):
                continue
            if room_of(name) in ROOMS[package] and room_of(name) not in allowed:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert wrong == []


@pytest.mark.parametrize("folder", sorted(ORDER))
def test_modules_of_a_folder_import_only_those_before_them(folder):
    wrong, order = [], ORDER[folder]
    for path in modules_under(folder.replace(".", "/")):
        if path.stem == "__init__":
            continue
        room = (
            path.relative_to(ROOT / folder.replace(".", "/")).with_suffix("").parts[0]
        )
        assert room in order, f"{room} has no place in the order of {folder}"
        allowed = {room, *order[: order.index(room)]}
        wrong += [
            f"{path.stem} imports {name}"
            for name in imports_of(path)
            if name.startswith(f"{folder}.")
            and name.removeprefix(f"{folder}.").split(".")[0] not in allowed
        ]
    assert wrong == []


@pytest.mark.parametrize("folder", sorted(ORDER))
def test_document_tells_the_order_of_modules(folder):
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    name = folder.split(".")[-1]
    told = text.partition(f"- `{name}`: ")[2].partition(".\n")[0]
    assert re.findall(r"`(\w+)`", told) == list(ORDER[folder])


def test_biomechanics_is_pure():
    import sys

    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules_under("biomechanics")
        for name in imports_of(path)
        if not name.startswith("biomechanics")
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
            *modules_under("dashboard/charts"),
            *(ROOT / "dashboard").glob("charts.py"),
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
