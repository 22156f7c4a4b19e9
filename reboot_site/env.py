"""Typed readers of environment variables that fail loudly."""

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}


def load_dotenv(path: Path) -> None:
    """Read ``NAME=value`` lines into the environment; what is set already wins.

    A variable that is set to nothing, or to blanks, counts as not set.

    Raises `ImproperlyConfigured` for a line that is none, and where the file cannot be
    read.
    """
    try:
        # With the mark that editors on Windows put in front, or without.
        stream = path.open(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise ImproperlyConfigured(
            f"{path} cannot be read ({error.strerror}). Give it to the account that "
            "runs the product, or delete it."
        ) from error
    from dotenv.parser import parse_stream

    with stream:
        try:
            lines = list(parse_stream(stream))
        except UnicodeDecodeError as error:
            raise ImproperlyConfigured(
                f"{path.name} is not UTF-8 text: save it as UTF-8."
            ) from error
    for line in lines:
        if line.error or (line.key is not None and line.value is None):
            # The line itself may hold a secret, so only its number is named.
            raise ImproperlyConfigured(
                f"{path.name} line {line.original.line}: write NAME=value, and close "
                "the quotes of a value that begins with one."
            )
        if line.key and not os.environ.get(line.key, "").strip():
            os.environ[line.key] = line.value or ""


class Env:
    """Reads variables; an empty one is as good as none, and means the default.

    So does one of blanks alone, and blanks around a value do not count. ``NAME_FILE``
    names a file that holds the value of ``NAME`` instead.
    """

    def __init__(self, source: Mapping[str, str]) -> None:
        self._source = source

    def text(self, name: str, default: str = "") -> str:
        """Return a text: the variable, or what the file named by `NAME_FILE` holds."""
        value = self._source.get(name, "").strip()
        if value:
            return value
        file_name = self._source.get(f"{name}_FILE", "").strip()
        if file_name:
            try:
                value = Path(file_name).read_text(encoding="utf-8-sig").strip()
            except OSError as error:
                raise ImproperlyConfigured(
                    f"{name}_FILE cannot be read: {error.strerror}. Name a file that "
                    "this account can read."
                ) from error
            except ValueError as error:
                raise ImproperlyConfigured(
                    f"{name}_FILE does not name a file of UTF-8 text: save it as UTF-8."
                ) from error
        return value or default

    def boolean(self, name: str, default: bool = False) -> bool:
        """Return a yes or no; empty is the default.

        Raises `ImproperlyConfigured` for any other word.
        """
        value = self.text(name)
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
        value = self.text(name)
        if not value:
            return default
        try:
            number = int(value)
        except ValueError as error:
            raise ImproperlyConfigured(
                f"{name} must be a whole number from {low} to {high}, not {value!r}."
            ) from error
        if not low <= number <= high:
            raise ImproperlyConfigured(
                f"{name} must be a whole number from {low} to {high}, not {number}."
            )
        return number

    def choice(self, name: str, default: str, allowed: Collection[str]) -> str:
        """Return one of the `allowed` words, however it is capitalized.

        Raises `ImproperlyConfigured` for any other.
        """
        value = self.text(name, default)
        for word in allowed:
            if word.lower() == value.lower():
                return word
        words = ", ".join(word for word in allowed if word)
        raise ImproperlyConfigured(f"{name} must be one of {words}, not {value!r}.")

    def items(self, name: str, default: str = "") -> list[str]:
        """Return the texts between commas, without blanks around them."""
        value = self.text(name) or default
        return [item.strip() for item in value.split(",") if item.strip()]

    def folder(self, name: str, default: Path, *, base: Path) -> Path:
        """Return the path of a folder, below `base` where it is a relative one.

        A command that starts in another folder then means the same one.
        """
        value = self.text(name)
        return base / value if value else default

    def time_zone(self, name: str, default: str) -> str:
        """Return the name of a time zone.

        Raises `ImproperlyConfigured` for a name that the system does not know.
        """
        value = self.text(name, default)
        try:
            ZoneInfo(value)
        except (OSError, ValueError, KeyError) as error:
            raise ImproperlyConfigured(
                f"{name} {value!r} is not a time zone: write UTC, or one such as "
                "America/Chicago."
            ) from error
        return value
