"""The values of static/css/tokens.css, by theme."""

from __future__ import annotations

import re
from pathlib import Path

TOKENS = (
    Path(__file__).resolve().parent.parent / "static" / "css" / "tokens.css"
).read_text(encoding="utf-8")
BOTH = re.compile(r"var\(--in-light, (.+)\) var\(--in-dark, (.+)\)")


def block(selector: str, text: str = TOKENS) -> dict[str, str]:
    """Custom properties of the first rule with this selector."""
    start = text.index(f"{selector} {{") + len(selector) + 2
    body = text[start : text.index("}", start)]
    return dict(re.findall(r"(--[\w-]+):\s*([^;]+);", body))


def _of_theme(group: int) -> dict[str, str]:
    return {
        name: found.group(group) if (found := BOTH.fullmatch(value)) else value
        for name, value in block(":root").items()
        if not name.startswith("--in-")
    }


LIGHT = _of_theme(1)
DARK = _of_theme(2)
PAPER = LIGHT | {
    name: value
    for name, value in block(
        ":root:not([data-theme])", TOKENS[TOKENS.index("@media print") :]
    ).items()
    if not name.startswith("--in-")
}
