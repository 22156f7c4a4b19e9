"""Components that are drawn once, and put together from then on.

A page of thirty athletes has thirty buttons that differ in a name and a key. Drawing
the template for each takes longer than the rest of the row.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.template.loader import render_to_string
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString

# Stand in for texts: signs that no template, name or address has.
_FIRST_SIGN = 0xF8E0
_SIGNS = re.compile(f"([{chr(_FIRST_SIGN)}-{chr(_FIRST_SIGN + 31)}])")


@lru_cache(maxsize=1024, typed=True)
def drawn(name: str, /, **parts: Any) -> SafeString:
    """A component as it is for these words, which nothing else decides."""
    return render_to_string(f"components/{name}.html", parts)


@lru_cache(maxsize=256, typed=True)
def _pieces(name: str, slots: tuple[str, ...], /, **parts: Any) -> tuple[str, ...]:
    """The component in pieces: markup, a sign, markup, and so on."""
    signs = {slot: chr(_FIRST_SIGN + place) for place, slot in enumerate(slots)}
    markup = render_to_string(f"components/{name}.html", parts | signs)
    return tuple(_SIGNS.split(markup))


def drawn_around(name: str, texts: Mapping[str, str], /, **parts: Any) -> SafeString:
    """A component around texts that differ each time, and that it only writes.

    `parts` decide what it looks like, and are few. The template may not ask anything
    about the texts, nor give them to a filter. They are escaped here.
    """
    slots = tuple(texts)
    written = {
        chr(_FIRST_SIGN + place): conditional_escape(texts[slot])
        for place, slot in enumerate(slots)
    }
    pieces = _pieces(name, slots, **parts)
    return SafeString("".join(written.get(piece, piece) for piece in pieces))
