"""Who may import whom (docs/architecture.md), read from the source."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
STDLIB_AND = {"numpy", "scipy"}
# Wiring that lower packages may use: typed environment readers and the like.
SHARED = {"reboot_site.env", "reboot_site.cache"}
# Packages of tools and tests beside those of the product.
NOT_THE_PRODUCT = {"accuracy", "benchmarks"}


def section(title):
    """The text below one heading of the document."""
    _, heading, rest = TEXT.partition(f"\n## {title}\n")
    assert heading, f"no heading {title!r}"
    return rest.partition("\n## ")[0]


def table(title):
    """What each name of the first column may import, as the last column says."""
    allowed = {}
    for line in section(title).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            names, may_import = (re.findall(r"`(\w+)`", cells[i]) for i in (0, 2))
            allowed |= {name: set(may_import) for name in names}
    return allowed


ALLOWED = table("Packages")
OURS = set(ALLOWED)
# A room is a module or a folder directly below the package.
ROOMS = {
    name: table(f"Inside `{name}`") for name in ("athletes", "dashboard", "syncing")
}
# Folder -> its modules in order: each may import those before it.
ORDER = {
    folder.replace("/", "."): re.findall(r"`(\w+)`", modules)
    for folder, modules in re.findall(
        r"^- `([a-z/]+)`: (.*?)\.$",
        section("The order inside a folder"),
        re.DOTALL | re.MULTILINE,
    )
}


def modules_under(folder):
    for path in sorted((ROOT / folder).rglob("*.py")):
        if "migrations" not in path.parts:
            yield path


def names_in(nodes):
    """Dotted names of modules, and of what is taken from them, in import statements."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            for alias in node.names:
                yield f"{node.module}.{alias.name}"


def imports_of(path):
    """Dotted names imported anywhere in the file."""
    return names_in(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


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
        here = ROOT / folder.replace(".", "/")
        room = path.relative_to(here).with_suffix("").parts[0]
        allowed = {room, *order[: order.index(room)]}
        wrong += [
            f"{path.stem} imports {name}"
            for name in imports_of(path)
            if name.startswith(f"{folder}.")
            and name.removeprefix(f"{folder}.").split(".")[0] not in allowed
        ]
    assert wrong == []


def test_document_names_every_room_and_order():
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert set(ALLOWED) == folders - NOT_THE_PRODUCT
    assert set(ORDER) == {
        *("biomechanics", "biomechanics.metrics"),
        *("athletes.frames", "syncing.reader", "syncing.client", "syncing.engine"),
    }
    for package, rooms in ROOMS.items():
        here = {
            path.relative_to(ROOT / package).with_suffix("").parts[0]
            for path in modules_under(package)
        }
        assert set(rooms) == here - {"__init__"}
    for folder, order in ORDER.items():
        inside = ROOT / folder.replace(".", "/")
        here = {
            path.relative_to(inside).with_suffix("").parts[0]
            for path in modules_under(inside)
        }
        assert sorted(order) == sorted(here - {"__init__"})


def test_document_names_only_files_that_exist():
    named = set(re.findall(r"`([a-z_]+/[\w/]*\.(?:py|js|md))`", TEXT))
    # Inside a row, a path may go on from the package that was named before it.
    packages = [ROOT, *(ROOT / package for package in OURS)]
    missing = {
        name for name in named if not any((base / name).exists() for base in packages)
    }
    assert len(named) > 30
    assert missing == set()


def test_document_names_only_functions_and_classes_that_exist():
    answers = section("Where to find it") + section("From stored frames to a page")
    words = set(re.findall(r"`(?:\w+\.)*(\w*_\w+|[A-Z][a-z]\w+)`", answers))
    source = " ".join(
        path.read_text(encoding="utf-8")
        for package in OURS
        for path in modules_under(package)
    )
    known = set(re.findall(r"^\s*(?:def|class) (\w+)|^(\w+)(?: =|: )", source, re.M))
    packages_and_commands = OURS | {"recompute_metrics"}
    assert len(words) > 8
    assert (
        words - {name for pair in known for name in pair} - packages_and_commands
        == set()
    )


def imports_at_start(tree):
    """Nodes that run when a module is imported: not in functions, not for typing."""
    waiting = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
            continue
        yield node
        waiting += ast.iter_child_nodes(node)


def circles(graph):
    """Groups of two or more names that reach each other, each group sorted (Tarjan)."""
    number, lowest, stack, found = {}, {}, [], []

    def visit(name):
        number[name] = lowest[name] = len(number)
        stack.append(name)
        for other in graph[name]:
            if other not in number:
                visit(other)
                lowest[name] = min(lowest[name], lowest[other])
            elif other in stack:
                lowest[name] = min(lowest[name], number[other])
        if lowest[name] == number[name]:
            place = stack.index(name)
            group = stack[place:]
            del stack[place:]
            if len(group) > 1:
                found.append(sorted(group))

    for name in graph:
        if name not in number:
            visit(name)
    return found


def test_circles_are_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [["b", "c"]]


def test_no_module_imports_one_that_imports_it_back():
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(
            ".__init__"
        ): path
        for package in (*OURS, *NOT_THE_PRODUCT)
        for path in modules_under(package)
    }
    graph = {}
    for name, path in modules.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported = set(names_in(imports_at_start(tree)))
        graph[name] = (imported & set(modules)) - {name}
    assert circles(graph) == []


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
