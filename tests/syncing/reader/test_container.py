import gzip
import io
import zipfile

import pytest

from syncing.reader.container import open_container, recognize
from syncing.reader.errors import ExportFileError
from syncing.reader.limits import ReadLimits

TEXT = b"org_movement_id,time\na,0\n"


def read_all(data, limits=None):
    opened = open_container(io.BytesIO(data), limits or ReadLimits())
    pieces = []
    while piece := opened.stream.read(7):
        pieces.append(piece)
    return opened, b"".join(pieces)


def refused(data, limits=None):
    with pytest.raises(ExportFileError) as caught:
        read_all(data, limits)
    return caught.value.code


def zipped(members, **options):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **options) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_plain_text_is_csv():
    opened, data = read_all(TEXT)
    assert (opened.format, opened.wrappers, data) == ("csv", (), TEXT)


def test_gzip_is_unpacked_once_and_twice():
    opened, data = read_all(gzip.compress(TEXT))
    assert (opened.format, opened.wrappers, data) == ("csv", ("gzip",), TEXT)
    opened, data = read_all(gzip.compress(gzip.compress(TEXT)))
    assert (opened.wrappers, data) == (("gzip", "gzip"), TEXT)


def test_gzip_members_in_a_row_are_one_file():
    packed = gzip.compress(TEXT) + gzip.compress(b"a,1\n") + b"\x00" * 20
    assert read_all(packed)[1] == TEXT + b"a,1\n"


def test_zip_with_one_file_is_unpacked():
    packed = zipped(
        {"__MACOSX/._x": b"junk", "x.csv": TEXT}, compression=zipfile.ZIP_DEFLATED
    )
    opened, data = read_all(packed)
    assert (opened.format, opened.wrappers, data) == ("csv", ("zip",), TEXT)


def test_packed_parquet_is_spooled_into_a_seekable_file():
    data = b"PAR1" + bytes(range(256)) * 10 + b"PAR1"
    opened = open_container(io.BytesIO(gzip.compress(data)), ReadLimits())
    assert opened.format == "parquet"
    with opened.parquet:
        assert opened.parquet.read() == data


@pytest.mark.parametrize("keep", [1, 12, 30, -9, -8, -4, -1])
def test_cut_gzip_is_an_error_wherever_it_is_cut(keep):
    packed = gzip.compress(TEXT * 50)
    # One byte alone is not even recognized as gzip.
    expected = "truncated_file" if keep != 1 else None
    if expected is None:
        assert recognize(packed[:keep]) == "csv"
    else:
        assert refused(packed[:keep]) == expected


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"\xef\xbb\xbf\r\n <!DOCTYPE html><html>", "html_instead_of_data"),
        (b"<table><tr><td>time</td></tr></table>", "html_instead_of_data"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "not_a_table"),
        (b"<HTML><body>502 Bad Gateway</body></HTML>", "html_instead_of_data"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied", "xml_instead_of_data"),
        (b'{"detail": "Not Found"}', "json_instead_of_data"),
        (b'[{"a": 1}]', "json_instead_of_data"),
        ("time,a\n".encode("utf-32"), "not_utf8"),
        (b"%PDF-1.7 report", "not_a_table"),
        (b"\x00\x01\x02\x03", "not_a_table"),
        (zipped({"a.csv": TEXT, "b.csv": TEXT}), "unsupported_archive"),
        (zipped({}), "unsupported_archive"),
        (zipped({"[Content_Types].xml": b"<a/>", "xl/a.xml": b"<a/>"}), "not_a_table"),
        (gzip.compress(zipped({"a.csv": TEXT})), "unsupported_archive"),
        (
            gzip.compress(gzip.compress(gzip.compress(TEXT))),
            "unsupported_archive",
        ),
        (zipped({"a.csv": TEXT})[:-30], "damaged_archive"),
        (gzip.compress(TEXT) + b"more", "damaged_archive"),
        (gzip.compress(b""), "empty_file"),
    ],
    # Archives hold the present time, and a test's name has to stay the same.
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_table_is_refused_with_its_reason(data, code):
    assert refused(data) == code


def test_damaged_gzip_is_refused():
    packed = bytearray(gzip.compress(TEXT * 100))
    packed[-6] ^= 0xFF  # the checksum
    assert refused(bytes(packed)) == "damaged_archive"


def test_file_above_the_limit_is_refused_before_it_is_read():
    assert refused(TEXT * 10, ReadLimits(max_file_bytes=100)) == "file_too_large"


def test_unpacking_stops_at_the_limit():
    packed = gzip.compress(bytes(1000) + b"x" * 300_000)
    assert refused(b"a" + TEXT + packed) == "not_a_table"
    limits = ReadLimits(max_unpacked_bytes=200_000)
    assert refused(gzip.compress(b"ab,cd\n" * 50_000), limits) == "unpacked_too_large"
    assert (
        refused(
            zipped({"a": b"ab,cd\n" * 50_000}, compression=zipfile.ZIP_DEFLATED), limits
        )
        == "unpacked_too_large"
    )


def test_bomb_is_refused_long_before_it_has_unpacked():
    packed = gzip.compress(b"0," * 3_000_000)
    limits = ReadLimits(ratio_free_bytes=1_000_000, max_ratio=50)
    opened = open_container(io.BytesIO(packed), limits)
    pieces = iter(lambda: opened.stream.read(65_536), b"")
    taken = []
    with pytest.raises(ExportFileError) as caught:
        taken.extend(len(piece) for piece in pieces)
    assert caught.value.code == "decompression_bomb"
    assert sum(taken) < 1_200_000


def test_message_of_an_error_says_what_to_do():
    with pytest.raises(ExportFileError, match="Ask Reboot Motion for the export again"):
        open_container(io.BytesIO(b""), ReadLimits())
