"""What a chart's content alone decides, found once for each content.

The key is made of all that the chart holds. So it needs no word when a swing is
excluded, an event moved, a setup stated or a unit chosen: a chart that differs has
another key, and who may see the chart was decided before there was one.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

import orjson

from dashboard.plain_charts.reading import Json

T = TypeVar("T")


class KeptByContent(Generic[T]):
    """A function of a chart and a text that remembers its latest results.

    In the memory of this process and nowhere else: a chart can name athletes.
    """

    def __init__(self, find: Callable[[Json, str], T], *, most: int) -> None:
        self._find = find
        self._most = most
        self._kept: OrderedDict[bytes, T] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, figure: Json, text: str = "") -> T:
        """The result for a chart, found anew only for another content."""
        key = _content(figure, text)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        found = self._find(figure, text)
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return found


def _content(figure: Json, text: str) -> bytes:
    """A digest of all that a chart holds, in its order, and of a text."""
    packed = orjson.dumps([text, figure], option=orjson.OPT_SERIALIZE_NUMPY)
    return hashlib.blake2b(packed, digest_size=20).digest()
