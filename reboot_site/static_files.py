"""How static files get the names under which browsers may keep them for ever."""

import posixpath
from functools import lru_cache
from typing import Any

from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import HashedFilesMixin, staticfiles_storage
from whitenoise.storage import CompressedManifestStaticFilesStorage

# Patterns of import and export, written for every *.js.
_, IMPORTS = HashedFilesMixin._js_module_import_aggregation_patterns  # type: ignore[attr-defined]  # not in its stubs


class ModuleStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # untyped there
    """WhiteNoise's storage, with hashed names in the imports of our own modules too.

    Only static/js is searched for imports. Libraries are whole files; searched as
    well, one of them names a package that only a bundler would find, and collecting
    fails.
    """

    support_js_module_import_aggregation = True
    _js_module_import_aggregation_patterns = ("js/*.js", IMPORTS)
    # A file's name follows from the names of what it imports: one pass for each level.
    max_post_process_passes = 10

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._addresses: dict[str, str] = {}

    def url(self, name: str, force: bool = False) -> str:
        """Return a file's address; the names are those of the start, so it stays."""
        if force:
            return str(super().url(name, force))
        found = self._addresses.get(name)
        if found is None:
            found = self._addresses[name] = str(super().url(name))
        return found


def uncollected_files() -> int:
    """Return how many static files of this code no browser could get.

    A page that names one of them is not rendered. This process read the names when it
    started, so that it has to be started again after files were collected.
    """
    if not isinstance(staticfiles_storage, CompressedManifestStaticFilesStorage):
        return 0  # served from where they are written
    names = staticfiles_storage.hashed_files
    found = (
        names.get(staticfiles_storage.hash_key(staticfiles_storage.clean_name(name)))
        for name in _names()
    )
    return sum(name is None or not staticfiles_storage.exists(name) for name in found)


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    """Names of all static files as templates write them; the code does not change."""
    # What `collectstatic` leaves out as well.
    ignored = ["CVS", ".*", "*~"]
    return frozenset(
        posixpath.join(getattr(storage, "prefix", None) or "", name)
        for finder in get_finders()
        for name, storage in finder.list(ignored)
    )
