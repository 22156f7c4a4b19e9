"""What was found and mended in a file, as the page of a swing says it."""

import re
from pathlib import Path

from athletes.phrases import finding_name, repair_texts

TABLE = Path(__file__).parents[2] / "docs" / "export-files.md"


def test_every_documented_repair_has_words():
    text = TABLE.read_text(encoding="utf-8").split("| repair | what was done |")[1]
    codes = re.findall(r"^\| `(\w+)", text.split("\n\n")[0], flags=re.M)
    assert len(codes) == 10
    bare = [code for code in codes if repair_texts([f"{code}:1"])[0].startswith(code)]
    assert bare == []


def test_a_repair_says_how_many_or_which():
    assert repair_texts(
        ["clock_restored:240.0", "rows_sorted", "blank_rows_dropped:3"]
    ) == (
        "Times were rounded; restored at 240.0 frames a second",
        "Frames were out of order",
        "Empty rows dropped: 3",
    )


def test_a_repair_of_a_former_reader_is_shown_as_it_is():
    assert repair_texts(["The id was missing."]) == ("The id was missing.",)


def test_what_was_looked_for_is_named_in_words():
    assert finding_name("names_exchanged") == "left and right names"
    assert finding_name("sampling_rate") == "sampling rate"
