"""Compiled functions of SciPy without the packages around them.

Importing such a package costs more processor time than the numbers of eight swings, and
every process that reads files would pay it, where one function is needed.
"""

from collections.abc import Callable
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from typing import Any

import scipy


def compiled(module: str, function: str) -> Callable[..., Any] | None:
    """Return a function of a compiled module of SciPy; ``None`` where there is none.

    `module` is its full name, ``scipy.signal._sigtools`` say.
    """
    package = module.split(".")[1]
    folder = Path(scipy.__file__).with_name(package)
    spec = PathFinder.find_spec(module, [str(folder)])
    if spec is None or spec.loader is None:
        return None
    loaded = module_from_spec(spec)
    spec.loader.exec_module(loaded)
    found: Callable[..., Any] | None = getattr(loaded, function, None)
    return found
