"""Small faults on purpose, and whether the tests see them: part of `make nightly`.

    mutants.py draw --seed 7 --each 12 LIST
    mutants.py renew --seed 7 LIST
    mutants.py run LIST --results RESULTS [--before RESULTS] [--tests FOLDER ...]
    mutants.py table RESULTS

`draw` picks places in the code by seed, before any result is seen, and changes each
with one operator of cosmic-ray: another comparison, another number, `and` for `or`, a
loop that never runs. Annotations, docstrings, decorators and log lines are left out,
because no test could tell; bit operators in place of arithmetic too, because they
crash at once. A fault is kept as the line before and after and the function around
it, so that the list outlives edits elsewhere; one whose line is gone is called `gone`,
and `renew` puts the first of its group in its place that the seed draws from the code
as it is now and that the list does not hold yet.
One that changes nothing that anybody can see is called `equal` once a person has
written the reason beside it in the list; it stays there, and counts for neither side.

`run` applies each to a copy of the repository and runs the tests that import its
module, then those of the same part of the house, until the first failure. With
`--before`, the test that caught it then comes first, and a fault that was caught then
and is not any more is called lost. The working tree is not touched. Exit status 1 when
fewer than 90 % are caught, or one is lost.

`draw` and `renew` need what requirements-mutants.txt lists.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# A fault may make a loop endless; a run that long counts as caught.
LONGEST_S = 900
WANTED = 0.9
_NOT_DRAWN = (
    "Variable",  # these operators ask which variable
    "Decorator",
    *("BitAnd", "BitOr", "BitXor", "LShift", "RShift", "Pow"),
)


@dataclass(frozen=True)
class Group:
    """Modules that faults are drawn from, and tests beside those that import them."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]


GROUPS = {
    "statistics": Group(
        (
            "biomechanics/session_statistics.py",
            "biomechanics/change.py",
            "biomechanics/curves.py",
            "athletes/analysis/changes.py",
            "athletes/analysis/history.py",
            "athletes/analysis/means_by_side.py",
            "athletes/analysis/session_summary.py",
            "athletes/analysis/percentiles.py",
            "athletes/analysis/peer_numbers.py",
        ),
        ("tests/biomechanics", "tests/athletes", "tests/dashboard"),
    ),
    # What says whether something changed; its tests alone are soon run.
    "formulas": Group(
        (
            "biomechanics/session_statistics.py",
            "biomechanics/change.py",
            "biomechanics/variance.py",
            "biomechanics/curve_differences.py",
            "athletes/analysis/marked_swings.py",
        ),
        (
            "tests/biomechanics/test_change.py",
            "tests/biomechanics/test_variance.py",
            "tests/biomechanics/test_curve_differences.py",
            "tests/biomechanics/test_session.py",
            "tests/athletes/analysis",
        ),
    ),
    "metrics": Group(
        (
            "biomechanics/metrics/*.py",
            "biomechanics/bat.py",
            "biomechanics/events.py",
            "biomechanics/find_events.py",
            "biomechanics/hands.py",
            "biomechanics/kinematics.py",
            "biomechanics/momentum.py",
            "biomechanics/peaks.py",
            "biomechanics/quality.py",
            "biomechanics/sequence.py",
            "biomechanics/signals.py",
        ),
        ("tests/biomechanics", "tests/athletes/analysis"),
    ),
    "permissions": Group(
        (
            "reboot_site/permissions.py",
            "reboot_site/adminlookups.py",
            "athletes/access.py",
            "athletes/querysets.py",
            "accounts/attempts.py",
            "accounts/backends.py",
            "accounts/limits.py",
            "accounts/middleware.py",
            "accounts/services.py",
            "accounts/throttle.py",
            "sharing/links.py",
        ),
        (
            "tests/test_permission_matrix.py",
            "tests/test_other_teams.py",
            "tests/test_tokens.py",
            "tests/athletes/test_access.py",
            "tests/accounts",
            "tests/reboot_site/test_permissions.py",
            "tests/reboot_site/test_admin_lookups.py",
            "tests/sharing",
        ),
    ),
    "engine": Group(("syncing/engine/*.py",), ("tests/syncing",)),
    "reader": Group(("syncing/reader/*.py",), ("tests/syncing/reader",)),
    "selectors": Group(
        ("dashboard/selectors/*.py",), ("tests/dashboard", "tests/sharing")
    ),
}


@dataclass(frozen=True)
class Fault:
    """One line of the code before and after a small change."""

    number: int
    group: str
    path: str
    within: str
    line: int
    before: str
    after: str
    operator: str
    #: Why no test can tell it from the code without it; most faults have none.
    equal: str = field(default="", compare=False)


@dataclass(frozen=True)
class Result:
    """What the tests said of a fault: caught, survived, equal or gone."""

    fault: Fault
    outcome: str
    by: str
    seconds: float


# Drawing ---------------------------------------------------------------------------


def _files(patterns: tuple[str, ...]) -> list[Path]:
    found = {path for pattern in patterns for path in ROOT.glob(pattern)}
    return sorted(path for path in found if path.stat().st_size)


def _without_effect(tree: ast.Module) -> set[int]:
    """Lines that no test could tell apart: signatures, docstrings, log lines."""
    lines: set[int] = set()

    def drop(node: ast.AST | None) -> None:
        if isinstance(node, ast.expr | ast.stmt):
            lines.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))

    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines.update(range(node.lineno, node.body[0].lineno))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for decorator in node.decorator_list:
                drop(decorator)
        if isinstance(node, ast.AnnAssign):
            drop(node.annotation)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            drop(node)
        if isinstance(node, ast.Import | ast.ImportFrom):
            drop(node)
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id in {"log", "logger", "warnings"}
        ):
            drop(node)
    return lines


def _name_at(tree: ast.Module, line: int) -> str:
    """Dotted name of the innermost function or class around a line."""
    names: list[str] = []

    def walk(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(
                child, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef
            ) and child.lineno <= line <= (child.end_lineno or 0):
                names.append(child.name)
                walk(child)

    walk(tree)
    return ".".join(names)


def _sites(path: Path) -> dict[tuple[int, int], list[tuple[str, int]]]:
    """Operators and their occurrence, by the line and column where they apply."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.plugins import get_operator, operator_names

    source = path.read_text(encoding="utf-8")
    ignored = _without_effect(ast.parse(source))
    sites: dict[tuple[int, int], list[tuple[str, int]]] = {}
    nodes = list(ast_nodes(get_ast(source)))
    for name in sorted(operator_names()):
        if any(word in name for word in _NOT_DRAWN):
            continue
        operator = get_operator(name)()
        occurrence = 0
        for node in nodes:
            for start, _ in operator.mutation_positions(node):
                if start[0] not in ignored:
                    sites.setdefault(tuple(start), []).append((name, occurrence))
                occurrence += 1
    return sites


def _mutate(path: Path, name: str, occurrence: int) -> tuple[int, str, str] | None:
    """First line changed (from 1), and the block of lines before and after."""
    import difflib

    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    source = path.read_text(encoding="utf-8")
    changed = mutate_code(source, get_operator(name)(), occurrence)
    if changed is None or changed == source:
        return None
    try:
        if ast.dump(ast.parse(changed)) == ast.dump(ast.parse(source)):
            return None
    except SyntaxError:
        return None
    old, new = source.splitlines(), changed.splitlines()
    blocks = [
        block
        for block in difflib.SequenceMatcher(None, old, new, False).get_opcodes()
        if block[0] != "equal"
    ]
    if len(blocks) != 1:
        return None
    _, a, b, c, d = blocks[0]
    return a + 1, "\n".join(old[a:b]), "\n".join(new[c:d])


def _drawn(seed: int, group: str) -> Iterator[Fault]:
    """Faults of a group in the order of the seed, until its code has no more."""
    chance = random.Random(f"{seed}-{group}")  # noqa: S311 - a draw that repeats
    places = [
        (path, place, operators)
        for path in _files(GROUPS[group].modules)
        for place, operators in sorted(_sites(path).items())
    ]
    chance.shuffle(places)
    for path, place, operators in places:
        name, occurrence = chance.choice(operators)
        change = _mutate(path, name, occurrence)
        if change is None:
            continue
        line, before, after = change
        tree = ast.parse(path.read_text(encoding="utf-8"))
        yield Fault(
            number=0,
            group=group,
            path=path.relative_to(ROOT).as_posix(),
            within=_name_at(tree, place[0]),
            line=line,
            before=before,
            after=after,
            operator=name.removeprefix("core/"),
        )


def draw(seed: int, each: int, groups: list[str]) -> list[Fault]:
    """Draw `each` faults of every group, by seed alone."""
    faults = [f for group in groups for f in islice(_drawn(seed, group), each)]
    return [replace(fault, number=n) for n, fault in enumerate(faults, 1)]


def renew(seed: int, faults: list[Fault]) -> list[Fault]:
    """Put the next ones that the seed draws in the place of those that are gone."""
    known = {(fault.path, fault.before, fault.after) for fault in faults}
    streams: dict[str, Iterator[Fault]] = {}
    renewed: list[Fault] = []
    for fault in faults:
        if _places(ROOT, fault):
            renewed.append(fault)
            continue
        stream = streams.setdefault(fault.group, _drawn(seed, fault.group))
        new = next(f for f in stream if (f.path, f.before, f.after) not in known)
        known.add((new.path, new.before, new.after))
        renewed.append(replace(new, number=fault.number))
    return renewed


# Running ---------------------------------------------------------------------------


def tests_of(root: Path, fault: Fault) -> list[list[str]]:
    """Test files that import the module, and the others of its part of the house."""
    module = fault.path.removesuffix(".py").replace("/", ".")
    package, _, name = module.rpartition(".")

    def imports(path: Path) -> bool:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                if any(alias.name == module for alias in node.names):
                    return True
            elif isinstance(node, ast.ImportFrom) and (
                node.module == module
                or (
                    node.module == package
                    and any(alias.name == name for alias in node.names)
                )
            ):
                return True
        return False

    all_tests = sorted((root / "tests").rglob("test_*.py"))
    direct = [path for path in all_tests if imports(path)]
    beside: list[Path] = []
    for place in GROUPS[fault.group].tests:
        path = root / place
        beside += sorted(path.rglob("test_*.py")) if path.is_dir() else [path]
    rest = [path for path in beside if path not in direct and path.exists()]
    # Small files first: they are quick, and a fault is mostly seen by them.
    by_size = [sorted(part, key=lambda p: p.stat().st_size) for part in (direct, rest)]
    return [[path.relative_to(root).as_posix() for path in part] for part in by_size]


def _places(root: Path, fault: Fault) -> list[int]:
    """Lines (from 0) at which the code stands that the fault changes."""
    path = root / fault.path
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    lines, before = text.split("\n"), fault.before.split("\n")
    tree = ast.parse(text)
    return [
        start
        for start in range(len(lines) - len(before) + 1)
        if lines[start : start + len(before)] == before
        and _name_at(tree, start + 1).startswith(fault.within.split(".")[0])
    ]


def apply_to(root: Path, fault: Fault) -> bool:
    """Put the fault into a copy; False where its lines are gone."""
    places = _places(root, fault)
    if not places:
        return False
    path = root / fault.path
    lines = path.read_text(encoding="utf-8").split("\n")
    start = min(places, key=lambda place: abs(place + 1 - fault.line))
    lines[start : start + len(fault.before.split("\n"))] = fault.after.split("\n")
    path.write_text("\n".join(lines), encoding="utf-8")
    return True


def _copy(target: Path) -> None:
    """Copy what git knows of the working tree; settings of the machine stay out."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        source = ROOT / name
        if source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)


def _run_tests(root: Path, files: list[str], left_s: float) -> tuple[str, str]:
    """(outcome, first failing test) of some test files."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "--tb=no"]
    command += ["-m", "not browser and not nightly", "-rfE", *files]
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("REBOOT_", "TEST_"))
        and key not in {"DATABASE_URL", "DEBUG", "REDIS_URL", "CI"}
        # Without its bytecode every module is compiled again in every process.
        and key != "PYTHONDONTWRITEBYTECODE"
    }
    process = subprocess.Popen(
        command,
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=max(1.0, left_s))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.communicate()
        return "caught", "no end in sight"
    if process.returncode in (0, 5):  # 5: no test was chosen
        return "survived", ""
    if process.returncode == 4:  # a file that is not there tells nothing
        raise ValueError(output.strip()[-200:])
    failed = [
        line.split(" ", 1)[1].split(" - ")[0]
        for line in output.splitlines()
        if line.startswith(("FAILED ", "ERROR "))
    ]
    return "caught", failed[0] if failed else output.strip()[-200:]


def judge(root: Path, fault: Fault, first: str, only: list[str]) -> Result:
    """Apply a fault to a copy, test it, and take it back.

    `first` names the test that caught it before; `only` the tests to run in place of
    those of its part of the house.
    """
    began = time.monotonic()
    if not apply_to(root, fault):
        return Result(fault, "gone", "", 0.0)
    outcome, by = "survived", ""
    try:
        parts = [only] if only else tests_of(root, fault)
        if first and not only:
            # The test may have moved since: then all of its part are run.
            known = first.partition("::")[0]
            parts.insert(0, [known] if (root / known).is_file() else [])
        for files in parts:
            left_s = LONGEST_S - (time.monotonic() - began)
            if files:
                outcome, by = _run_tests(root, files, left_s)
            if outcome == "caught":
                break
    finally:
        shutil.copy2(ROOT / fault.path, root / fault.path)
    if outcome == "survived" and fault.equal:
        outcome = "equal"
    return Result(fault, outcome, by, round(time.monotonic() - began, 1))


def run(
    faults: list[Fault],
    results: Path,
    at_once: int,
    first: dict[Fault, str],
    only: list[str],
) -> list[Result]:
    """Judge all faults, some at once; a run that was stopped goes on where it was."""
    done = load_results(results) if results.exists() else []
    left = [fault for fault in faults if fault not in {r.fault for r in done}]
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        roots: SimpleQueue[Path] = SimpleQueue()
        for number in range(at_once):
            root = Path(name) / str(number) / "dashboard"
            _copy(root)
            if (shared := ROOT.parent / "shared").exists():
                (root.parent / "shared").symlink_to(shared)
            roots.put(root)

        def one(fault: Fault) -> Result:
            root = roots.get()
            try:
                return judge(root, fault, first.get(fault, ""), only)
            finally:
                roots.put(root)

        with ThreadPoolExecutor(at_once) as pool:
            for result in pool.map(one, left):
                done.append(result)
                results.write_text(_as_json([asdict(r) for r in done]))
                print(_line(result), flush=True)
    return done


# Lists and tables ------------------------------------------------------------------


def _as_json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def load_faults(path: Path) -> list[Fault]:
    """Read a list that `draw` wrote."""
    return [Fault(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]


def load_results(path: Path) -> list[Result]:
    """Read what `run` wrote."""
    entries: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return [Result(**entry | {"fault": Fault(**entry["fault"])}) for entry in entries]


def _line(result: Result) -> str:
    fault = result.fault
    place = f"{fault.path}:{fault.line} {fault.operator}"
    return (
        f"{fault.number:3d} {result.outcome:9s} {result.seconds:6.1f} s  "
        f"{place}  {result.by}"
    )


def table(results: list[Result]) -> str:
    """Caught of all, for each group, as Markdown."""
    outcomes = ("caught", "survived", "equal", "gone")
    lines = [f"| group | faults | {' | '.join(outcomes)} |", "|" + " --- |" * 6]
    names = list(dict.fromkeys(result.fault.group for result in results))
    for name in [*names, "all"]:
        of_it = [r for r in results if name in (r.fault.group, "all")]
        counts = [sum(r.outcome == outcome for r in of_it) for outcome in outcomes]
        lines.append("| " + " | ".join(map(str, [name, len(of_it), *counts])) + " |")
    return "\n".join(lines)


def main() -> int:
    """Draw, run or show; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    drawing = commands.add_parser("draw")
    drawing.add_argument("list", type=Path)
    drawing.add_argument("--seed", type=int, required=True)
    drawing.add_argument("--each", type=int, default=12)
    drawing.add_argument("--group", action="append", choices=GROUPS)
    renewing = commands.add_parser("renew")
    renewing.add_argument("list", type=Path)
    renewing.add_argument("--seed", type=int, required=True)
    running = commands.add_parser("run")
    running.add_argument("list", type=Path)
    running.add_argument("--results", type=Path, required=True)
    running.add_argument("--before", type=Path, help="results of an earlier run")
    running.add_argument("--tests", nargs="*", default=[], help="only these")
    running.add_argument("--at-once", type=int, default=2)
    showing = commands.add_parser("table")
    showing.add_argument("results", type=Path)
    given = parser.parse_args()
    if given.command == "draw":
        faults = draw(given.seed, given.each, given.group or list(GROUPS))
        given.list.write_text(_as_json([asdict(fault) for fault in faults]))
        print(f"{len(faults)} faults in {given.list}")
        return 0
    if given.command == "renew":
        faults = load_faults(given.list)
        renewed = renew(given.seed, faults)
        given.list.write_text(_as_json([asdict(fault) for fault in renewed]))
        for old, new in zip(faults, renewed, strict=True):
            if old != new:
                print(f"{new.number:3d} {new.path}:{new.line} {new.operator}")
        return 0
    caught_before: dict[Fault, str] = {}
    if given.command == "run":
        if given.before:
            caught_before = {
                r.fault: r.by
                for r in load_results(given.before)
                if r.outcome == "caught"
            }
        results = run(
            load_faults(given.list),
            given.results,
            given.at_once,
            caught_before,
            given.tests,
        )
    else:
        results = load_results(given.results)
    print(table(results))
    lost = [r for r in results if r.outcome == "survived" and r.fault in caught_before]
    for result in lost:
        print("lost:", _line(result))
    judged = [r for r in results if r.outcome in ("caught", "survived")]
    caught = sum(r.outcome == "caught" for r in judged)
    return 0 if caught >= WANTED * len(judged) and not lost else 1


if __name__ == "__main__":
    sys.exit(main())
