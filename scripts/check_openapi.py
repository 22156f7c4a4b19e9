"""Checks that the OpenAPI document is valid, as a part of make check."""

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reboot_site.settings")

import django
from openapi_spec_validator import OpenAPIV31SpecValidator


def main() -> int:
    """Print each error of the document; 1 when there is one."""
    django.setup()
    from reboot_site.api import api

    document = json.loads(json.dumps(api.get_openapi_schema()))
    errors = list(OpenAPIV31SpecValidator(document).iter_errors())
    for error in errors:
        place = "/".join(map(str, getattr(error, "absolute_path", ())))
        print(f"openapi.json: {place}: {error}", file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
