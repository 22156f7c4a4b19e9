"""An id of the vendor as one text, however it is spelled."""

import math
import re

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
