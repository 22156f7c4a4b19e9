"""An id of the vendor as one text, however it is spelled."""

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable

_WHOLE_AS_FLOAT = re.compile(r"([1-9]\d*|0)\.0+", re.ASCII)


def id_text(value: object) -> str | None:
    """Return an id as one text, however it is spelled; None when it is none.

    ``660001``, ``660001.0``, ``" 660001 "`` and ``"660001.0"`` are one id: a vendor's
    spreadsheet or database in between turns whole numbers into floats. Where an id is
    no whole number with zeros behind its point, only blanks around it go.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return str(int(value)) if value.is_integer() else repr(value)
    text = str(value).strip()
    whole = _WHOLE_AS_FLOAT.fullmatch(text)
    return (whole[1] if whole else text) or None


def is_number(name: str) -> bool:
    """Whether an id is a whole number, perhaps with zeros behind its point."""
    return (id_text(name) or "").isdecimal()


def one_spelling(names: Collection[str], stored: Iterable[str]) -> dict[str, str]:
    """Return under which id each movement of a file is stored: most under their own.

    One file may tell of ``101`` and the next one of ``101.0``, where a spreadsheet or
    a missing value turned whole numbers into floats. A movement that is stored under
    one spelling is recognized under the other. Where nothing is stored the floats of a
    file are written as whole numbers, if all of its ids are such floats: ``1.0`` beside
    ``1.1`` is a name, and is left as it is.
    """
    known = set(stored)
    by_text: dict[str | None, list[str]] = {}
    for name in known:
        by_text.setdefault(id_text(name), []).append(name)
    all_floats = all(_WHOLE_AS_FLOAT.fullmatch(name) for name in names)
    found = {}
    for name in names:
        alike = by_text.get(id_text(name), [])
        if name in known or len(alike) > 1 or not is_number(name):
            found[name] = name
        elif alike:
            found[name] = alike[0]
        else:
            found[name] = (all_floats and id_text(name)) or name
    # Two of one file are two movements.
    uses = Counter(found.values())
    return {name: used if uses[used] == 1 else name for name, used in found.items()}
