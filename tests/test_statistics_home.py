"""Pages, sheets, JSON and files select and word numbers; `biomechanics` computes them.

A copy of a formula on a page is tested by nobody and disagrees with the one that is.
"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: What shows numbers to people and programs.
SHOWING = ("athletes", "dashboard", "sharing", "webhooks", "privacy", "accounts")
#: Averages, scatter and quantiles, whatever module they are called from.
STATISTICS = {
    *("mean", "nanmean", "fmean", "average", "median", "nanmedian"),
    *("std", "nanstd", "stdev", "pstdev", "var", "nanvar", "variance", "pvariance"),
    *("percentile", "quantile", "quantiles", "sqrt", "stdtr", "stdtrit", "fsum"),
    *("Avg", "StdDev", "Variance"),
}
#: Where lines of a drawing are measured, not swings compared.
DRAWN = {"dashboard/selectors/posed.py", "dashboard/stills.py"}


def own_statistics(source: str) -> list[tuple[int, str]]:
    """Calls of a statistic that `biomechanics` did not give."""
    tree = ast.parse(source)
    given = {
        name.asname or name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").split(".")[0] == "biomechanics"
        for name in node.names
    }
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Attribute):
            name = node.func.attr
        elif isinstance(node.func, ast.Name) and node.func.id not in given:
            name = node.func.id
        else:
            continue
        if name in STATISTICS:
            found.append((node.lineno, name))
    return found


def test_what_shows_numbers_computes_no_statistics():
    found = {}
    for package in SHOWING:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if "migrations" in path.parts or name in DRAWN:
                continue
            if calls := own_statistics(path.read_text()):
                found[name] = calls
    assert found == {}


def test_a_copy_of_a_formula_is_found():
    source = "from biomechanics.session_statistics import average\n"
    assert own_statistics(f"{source}x = average([1.0])") == []
    assert own_statistics("import math\nx = sd / math.sqrt(n)") == [(2, "sqrt")]
    assert own_statistics("x = np.mean(rows)\ny = rows.std(ddof=1)") == [
        (1, "mean"),
        (2, "std"),
    ]
    assert own_statistics("from statistics import fmean\nx = fmean(v)") == [
        (2, "fmean")
    ]
