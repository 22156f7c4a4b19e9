"""A height as people say it, kept in decimal feet."""

from __future__ import annotations

import re
import unicodedata

from django import forms

# The range that the constraint of the table allows, in decimal feet.
LEAST_FT, MOST_FT = 1.5, 9.0
EXAMPLES = "5 ft 11 in, 5' 11\", 5-11, 71 in, 180 cm or 1.80 m"

_FOOT_M = 0.3048
_NUMBER = r"(\d+(?:[.,]\d+)?)"
_FEET = r"(?:ft|foot|feet|')\.?"
_INCHES = r"(?:in|inch|inches|\"|'')\.?"
#: Inches with halves, quarters or eighths, as a tape shows them.
_TAPE = r"(\d+(?:[.,]\d+)?)(?:[ -]([1-7])/([248]))?"
_METERS = r"(?:m|meters?|metres?)\.?"
_CENTIMETERS = r"(?:cm|centimeters?|centimetres?)\.?"
_PAIRS = (
    # 5 ft 11 in, 5' 11", 5'-11", 5'11 1/2, 5 feet and 11 inches
    re.compile(rf"(\d+)\s*{_FEET}\s*(?:and|,|-)?\s*{_TAPE}\s*(?:{_INCHES})?"),
    # 5-11, 5 11, 5/11
    re.compile(rf"(\d)\s*[-/ ]\s*{_TAPE}\s*(?:{_INCHES})?"),
)
_METERS_PAIR = re.compile(rf"(\d)\s*{_METERS}\s*(\d{{1,2}})\s*(?:{_CENTIMETERS})?")
_SINGLE = (
    (re.compile(rf"{_NUMBER}\s*{_FEET}"), 1.0),
    (re.compile(rf"{_NUMBER}\s*{_INCHES}"), 1 / 12),
    (re.compile(rf"{_NUMBER}\s*mm"), 0.001 / _FOOT_M),
    (re.compile(rf"{_NUMBER}\s*{_CENTIMETERS}"), 0.01 / _FOOT_M),
    (re.compile(rf"{_NUMBER}\s*{_METERS}"), 1 / _FOOT_M),
)
#: Decimal feet, as the vendor writes them.
_BARE = re.compile(r"([3-8])(?:[.,](\d+))?")
#: "5.11" is said for five feet eleven, and is 5 ft 1.3 in by the number.
_SAID_WITH_A_POINT = ("10", "11")
_MARKS = str.maketrans(
    {"\u2019": "'", "\u2018": "'", "\u2032": "'", "\u00b4": "'", "`": "'"}
    | {"\u201d": '"', "\u201c": '"', "\u2033": '"'}
    | {"\u00bc": " 1/4", "\u00bd": " 1/2", "\u00be": " 3/4"}
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-")
)


class HeightError(ValueError):
    """A text that is no height; the message says how to write one."""


def parse_height(text: str) -> float:
    """Return decimal feet from a height as people write it.

    A number alone is decimal feet, as the vendor writes them; 71 or 180 alone could be
    several things, and 5.11 too.

    Raises
    ------
    HeightError
        The text is no height, or none of a person; it says what to write.
    """
    # Marks first: compatibility forms turn an accent into a blank and more.
    plain = unicodedata.normalize("NFKC", text.translate(_MARKS)).translate(_MARKS)
    feet = _feet(" ".join(plain.casefold().split()))
    if feet is None:
        raise HeightError(f"Enter a height with its unit, such as {EXAMPLES}.")
    if not LEAST_FT < feet < MOST_FT:
        raise HeightError(
            f"Enter a height between {LEAST_FT:g} and {MOST_FT:g} feet: this is "
            f"{feet:.3g} feet."
        )
    return feet


def _feet(text: str) -> float | None:
    """Return decimal feet; None for a text that is no height or several."""
    for pair in _PAIRS:
        if found := pair.fullmatch(text):
            inches = _number(found[2])
            if found[3]:
                inches += int(found[3]) / int(found[4])
            return int(found[1]) + inches / 12 if inches < 12 else None
    if found := _METERS_PAIR.fullmatch(text):
        return (int(found[1]) + int(found[2].ljust(2, "0")) / 100) / _FOOT_M
    for single, unit_ft in _SINGLE:
        if found := single.fullmatch(text):
            return _number(found[1]) * unit_ft
    found = _BARE.fullmatch(text)
    if found is None or found[2] in _SAID_WITH_A_POINT:
        return None
    return _number(text)


def _number(text: str) -> float:
    return float(text.replace(",", "."))


def written_height(height_ft: float) -> str:
    """Return a height as text that reads as the same height again."""
    feet, inches = divmod(round(height_ft * 12, 2), 12)
    if abs(feet + inches / 12 - height_ft) < 1e-3:
        return f"{feet:.0f} ft {inches:g} in"
    return f"{height_ft:g} ft"


class HeightField(forms.CharField):
    """A field for a height in words of people; its value is decimal feet."""

    def prepare_value(self, value: object) -> object:
        """Return a stored height as text; what a person typed stays as it is."""
        return written_height(value) if isinstance(value, float) else value

    def to_python(self, value: str | None) -> float | None:  # type: ignore[override]
        """Return decimal feet; None for an empty field."""
        text = super().to_python(value)
        if not text:
            return None
        try:
            return parse_height(text)
        except HeightError as error:
            raise forms.ValidationError(str(error), code="invalid") from error

    def run_validators(self, value: object) -> None:
        """Do nothing: the limits of a text are none of a number."""

    def has_changed(self, initial: object, data: str | None) -> bool:
        """Return whether the text is another height than the one that was shown."""
        if not isinstance(initial, float) or not data:
            return bool(initial) != bool((data or "").strip())
        try:
            return abs(parse_height(data) - initial) > 1e-3
        except HeightError:
            return True
