"""List code that nothing in the product calls: `make check` runs this.

vulture finds names that no Python code uses. Much of a Django project is used by
name alone: templates, dotted paths in settings, columns of the admin. So a name that
stands in a template or in a text of the code counts as used too. What a library calls
by a name of its own is listed in pyproject.toml, under `tool.dead-code`.

Tests are not read: code that only tests call is dead as well.

Exit status 0: nothing found. 1: something is unused, each with its place.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from vulture import Vulture
from vulture.core import Item

ROOT = Path(__file__).resolve().parent.parent
_WORD = re.compile(r"[A-Za-z_]\w*")
# Below it vulture reports what it cannot be sure of; Django is full of that.
_CONFIDENCE = 60


def words_of_templates(folder: Path) -> set[str]:
    """Names between the braces of all templates."""
    found: set[str] = set()
    for path in folder.rglob("*.*"):
        text = path.read_text(encoding="utf-8")
        for part in re.findall(r"\{[{%](.*?)[%}]\}", text, re.DOTALL):
            found.update(_WORD.findall(part))
    return found


def texts_of(path: Path) -> Iterator[str]:
    """Texts of one Python file without its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in docstrings
            # A name or a dotted path, or words of a query; not a sentence.
            and re.fullmatch(r"[\w.:/\-*]+", node.value)
        ):
            yield node.value


def is_ours(item: Item) -> bool:
    """Whether our own code has to call the name: it is no option of a library.

    Attributes of classes (columns of the admin, fields of a form, choices) and the
    variables of settings are read by Django.
    """
    if item.typ != "variable":
        return bool(item.typ != "attribute")
    path, name = Path(item.filename), str(item.name)
    line = path.read_text(encoding="utf-8").splitlines()[item.first_lineno - 1]
    return line.startswith(name) and name.isupper() and path.name != "settings.py"


def main() -> int:
    """Print unused code and return the exit status."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    chosen = settings["tool"]["dead-code"]
    folders = [ROOT / name for name in chosen["folders"]]
    finder = Vulture(
        ignore_names=chosen["called-by-libraries"],
        ignore_decorators=chosen["registered-by-decorator"],
    )
    finder.scavenge([str(folder) for folder in folders], exclude=["*/migrations/*"])
    by_name = words_of_templates(ROOT / "templates")
    for folder in folders:
        for path in folder.rglob("*.py"):
            for text in texts_of(path):
                by_name.update(_WORD.findall(text.replace("__", " ")))
                by_name.update(_WORD.findall(text))
    unused = [
        item
        for item in finder.get_unused_code(min_confidence=_CONFIDENCE)
        if item.name not in by_name and is_ours(item)
    ]
    for item in unused:
        place = Path(item.filename).relative_to(ROOT)
        print(f"{place}:{item.first_lineno}: nothing uses the {item.typ} {item.name}")
    if unused:
        print(
            "Delete it. If a library calls it by this name, add the name to "
            "tool.dead-code in pyproject.toml."
        )
    return 1 if unused else 0


if __name__ == "__main__":
    sys.exit(main())
