"""What the text of a cell says: a number, nothing at all, or something else."""

import re

from syncing.reader.columns import FileColumn, shown
from syncing.reader.errors import ExportFileError

MISSING_WORDS = ("nan", "-nan", "n/a", "na", "#n/a", "null", "none", "")
#: Spellings of a missing number, as the parser wants them: in every case.
MISSING_SPELLINGS = sorted(
    {
        spelling
        for word in MISSING_WORDS
        for spelling in (word, word.upper(), word.capitalize(), word.title())
    }
    | {"NaN", "-NaN"}
    # Blanks alone; the parser knows no pattern, and more of them are rare.
    | {" " * count for count in range(1, 17)}
)
NUMBER = re.compile(
    r"-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|-?inf(?:inity)?|-?nan",
    re.ASCII | re.IGNORECASE,
)


def is_missing_cell(text: str) -> bool:
    """Return whether the text of a cell stands for a missing value."""
    return text.strip().lower() in MISSING_WORDS


def text_in_numbers(column: FileColumn, row: int) -> ExportFileError:
    """Return the error for text where numbers belong; ``row`` counts from 1."""
    return ExportFileError(
        "text_in_number_column",
        f"Column {shown(column.name)} has text where numbers belong, first in row "
        f"{row}. Ask Reboot Motion for the export again.",
    )
