"""Typed readers of environment variables that fail loudly."""

import os
from collections.abc import Mapping
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}


def load_dotenv(path: Path) -> None:
    """Read ``NAME=value`` lines into the environment; what is set already wins."""
    if not path.is_file():
        return
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, separator, value = text.partition("=")
        if not separator:
            # The line itself may hold a secret, so only its number is named.
            raise ImproperlyConfigured(f"{path.name} line {number}: write NAME=value.")
        os.environ.setdefault(name.strip(), value.strip().strip("'\""))


class Env:
    """Reads variables; an empty one is as good as none, and means the default.

    ``NAME_FILE`` names a file that holds the value of ``NAME`` instead.
    """

    def __init__(self, source: Mapping[str, str]) -> None:
        self._source = source

    def text(self, name: str, default: str = "") -> str:
        """Return a text: the variable, or what the file named by `NAME_FILE` holds."""
        value = self._source.get(name, "")
        if value:
            return value
        file_name = self._source.get(f"{name}_FILE", "")
        if file_name:
            try:
                return Path(file_name).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise ImproperlyConfigured(
                    f"{name}_FILE cannot be read: {error.strerror}."
                ) from error
        return default

    def boolean(self, name: str, default: bool = False) -> bool:
        """Return a yes or no; empty is the default.

        Raises `ImproperlyConfigured` for any other word.
        """
        value = self._source.get(name, "")
        if not value:
            return default
        if value.lower() in TRUE:
            return True
        if value.lower() in FALSE:
            return False
        raise ImproperlyConfigured(f"{name} must be 1 or 0, not {value!r}.")

    def integer(
        self, name: str, default: int, *, low: int = 0, high: int = 2**31
    ) -> int:
        """Return a whole number from `low` to `high`; empty is the default.

        Raises `ImproperlyConfigured` for anything else.
        """
        value = self._source.get(name)
        if value is None or value == "":
            return default
        try:
            number = int(value)
        except ValueError as error:
            raise ImproperlyConfigured(
                f"{name} must be a whole number, not {value!r}."
            ) from error
        if not low <= number <= high:
            raise ImproperlyConfigured(
                f"{name} must lie between {low} and {high}, not {number}."
            )
        return number

    def items(self, name: str, default: str = "") -> list[str]:
        """Return the texts between commas, without blanks around them."""
        value = self._source.get(name) or default
        return [item.strip() for item in value.split(",") if item.strip()]
