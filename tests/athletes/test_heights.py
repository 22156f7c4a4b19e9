"""Heights as people type them."""

import pytest

from athletes.admin.heights import (
    HeightError,
    HeightField,
    parse_height,
    written_height,
)

FIVE_ELEVEN = 5 + 11 / 12


@pytest.mark.parametrize(
    "text",
    [
        *(
            "5' 11\"",
            "5'11\"",
            "5'11",
            "5\u2019 11\u201d",
            "5\u2032 11\u2033",
            "5 ' 11 ''",
        ),
        *("5-11", "5\u201311", "5 11", "5/11", "5 - 11 in"),
        *("5ft 11in", "5 ft 11 in", "5 ft. 11 in.", "5 feet 11 inches", "5FT11IN"),
        *("5 feet and 11 inches", "5 ft, 11 in", "5 ft 11", "  5\u00a0ft  11\u00a0in "),
        *("5'-11\"", "5' - 11\"", "5\u2032\u201311\u2033", "1803.4 mm"),
        *("71 in", "71in", "71 inches", '71"', "71.0 in", "5.916667 ft", "5,916667 ft"),
    ],
)
def test_five_feet_eleven(text):
    assert parse_height(text) == pytest.approx(FIVE_ELEVEN, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "feet"),
    [
        *(("180 cm", 1.8 / 0.3048), ("180cm", 1.8 / 0.3048)),
        *(("1.80 m", 1.8 / 0.3048), ("1,80 m", 1.8 / 0.3048), ("1m80", 1.8 / 0.3048)),
        *(("1 m 80 cm", 1.8 / 0.3048), ("180.5 Centimeters", 1.805 / 0.3048)),
        *(("5' 11.5\"", 5 + 11.5 / 12), ("6'", 6), ("6 ft", 6), ("6", 6), ("6-0", 6)),
        *(("5' 11 1/2\"", 5 + 11.5 / 12), ("5-11\u00bd", 5 + 11.5 / 12)),
        *(("6 ft 2-3/4 in", 6 + 2.75 / 12), ("5' 0 1/8", 5 + 0.125 / 12)),
        *(("6.25", 6.25), ("5.9", 5.9), ("5.11 ft", 5.11), ("4' 2\"", 4 + 2 / 12)),
    ],
)
def test_other_ways(text, feet):
    assert parse_height(text) == pytest.approx(feet, abs=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "tall",
            "5' 12\"",
            "5-13",
            "71",
            "180",
            "1.80",
            "511",
            "5.11",
            "5.10",
            "5,11",
        ),
        *("5' 11\" x", "-5 ft", "5 ft 11 cm", "'", "ft", "1e3 cm", "nan", "5--11"),
        # An inch and a half, or eleven halves: nobody can say.
        *("5' 11/2", "5-1/2"),
    ],
)
def test_what_could_be_several_things_is_refused_with_the_way_to_write_it(text):
    with pytest.raises(HeightError, match="with its unit, such as 5 ft 11 in"):
        parse_height(text)


@pytest.mark.parametrize("text", ["71 ft", "18 cm", "9-0", "3 m", "10 in", "0 ft"])
def test_heights_of_nobody_are_refused(text):
    with pytest.raises(HeightError, match=r"between 1\.5 and 9 feet"):
        parse_height(text)


@pytest.mark.parametrize(
    ("feet", "text"),
    [
        *((6.0, "6 ft 0 in"), (FIVE_ELEVEN, "5 ft 11 in"), (5.99999, "6 ft 0 in")),
        *((5.93, "5 ft 11.16 in"), (1.8 / 0.3048, "5 ft 10.87 in")),
    ],
)
def test_what_is_shown_reads_as_the_same_height(feet, text):
    assert written_height(feet) == text
    assert parse_height(text) == pytest.approx(feet, abs=1e-3)
    assert not HeightField(required=False).has_changed(feet, text)


def test_an_empty_field_is_no_height():
    field = HeightField(required=False)
    assert field.clean("  ") is None
    assert field.has_changed(6.0, "")
    assert not field.has_changed(None, " ")
    assert field.has_changed(None, "6-1")
