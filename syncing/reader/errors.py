"""Everything that can be wrong with an export file, as a closed list of codes.

``CODES`` is the closed list: stored with a failed job, explained in
docs/export-files.md, and held against that page by a test.
"""

CODES: dict[str, str] = {
    # The file as a whole
    "empty_file": "no bytes at all",
    "file_too_large": "more bytes than the limit, as sent",
    "unpacked_too_large": "more bytes than the limit once unpacked",
    "decompression_bomb": "packed far tighter than measured data can be",
    "truncated_file": "the packed file ends too early",
    "damaged_archive": "gzip or zip that cannot be unpacked",
    "unsupported_archive": "a zip with no or several files, encrypted or nested",
    "html_instead_of_data": "a web page",
    "xml_instead_of_data": "an XML document, such as a storage error",
    "json_instead_of_data": "a JSON document",
    "not_a_table": "neither CSV nor Parquet",
    "not_utf8": "text in an encoding other than UTF-8 and UTF-16",
    "wrong_delimiter": "columns separated by neither commas, semicolons, tabs nor bars",
    "rows_in_quotes": "each row in quotes as a whole",
    "damaged_parquet": "Parquet that cannot be read",
    "damaged_csv": "CSV that can't be read",
    # Columns
    "no_header": "the first line names no columns",
    "not_an_export": "none of the columns of an export file",
    "duplicate_column": "two columns with the same name",
    "missing_column": "a column without which nothing can be done",
    "text_in_number_column": "text where numbers belong",
    "row_of_words": "a row of units or remarks among the numbers",
    "unclear_numbers": "commas and points in numbers that can be read in two ways",
    "unsupported_column_type": "a known column of a type that isn't a number",
    "too_many_columns": "more columns than the limit",
    "wrong_data_type": "a different kind of data than requested",
    # Rows
    "no_rows": "a header and nothing below",
    "ragged_row": "a row with more or fewer cells than the header",
    "too_many_rows": "more rows than the limit",
    "too_many_cells": "more values than memory should hold",
    "too_much_text": "more text than memory should hold, written out row by row",
    "movement_not_in_file": "the requested movement is missing",
    "rows_without_movement_id": "rows that name no movement among rows that do",
    "duplicate_movement_row": "two rows of metadata for one movement that differ",
    # One movement
    "bad_movement_id": "an ID that is too long or has control characters",
    "time_missing": "rows with values but without a time",
    "two_swings_one_id": "two repetitions with the same ID",
    "rounded_clock": (
        "times rounded so far that frames share them, and the frame "
        "rate can't be determined"
    ),
    "conflicting_rows": "two different rows for one instant",
}


class ExportFileError(Exception):
    """An export file, or one movement of it, cannot be used, and nothing of it was.

    ``code`` is one of `CODES`; ``message`` is a sentence for the person who has the
    file, with what to do.
    """

    def __init__(self, code: str, message: str) -> None:
        if code not in CODES:
            raise ValueError(f"unknown code {code}")
        super().__init__(message)
        self.code = code
        self.message = message

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.code, self.message))
