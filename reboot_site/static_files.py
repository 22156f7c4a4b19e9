"""How static files get the names under which browsers may keep them for ever."""

from django.contrib.staticfiles.storage import HashedFilesMixin
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
