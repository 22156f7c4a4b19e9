"""The bytes of a table out of whatever a file is packed in, within limits.

Names and headers are not believed (a ``.csv.gz`` may arrive packed once, twice or not
at all); the first bytes are.
"""

import codecs
import re
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO, BinaryIO, Literal, Protocol

from syncing.reader.errors import ExportFileError
from syncing.reader.limits import ReadLimits

FileFormat = Literal["gzip", "zip", "parquet", "csv", "utf-16-le", "utf-16-be"]

HEAD_BYTES = 64 * 1024
CHUNK_BYTES = 1024 * 1024
#: A gzip inside a gzip happens when a server packs a packed file for the way.
MAX_WRAPPERS = 2

_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS: dict[bytes, FileFormat] = {
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
}
_UTF32_BOMS = (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")
#: Bytes of a text in UTF-16 without a mark that are looked at.
_UTF16_LOOKED_AT = 128
_WEB_PAGE = re.compile(rb"<(?:html|!doctype|head|body|table)\b", re.IGNORECASE)


class ByteStream(Protocol):
    """Bytes that are read from start to end."""

    def read(self, size: int, /) -> bytes:
        """Return some bytes, at most ``size``, and none only at the end."""
        ...


@dataclass(frozen=True)
class Opened:
    """The bytes of a table: a stream of CSV, or a seekable file of Parquet."""

    format: Literal["csv", "parquet"]
    wrappers: tuple[str, ...]
    stream: ByteStream
    parquet: BinaryIO | None = None


def open_container(file: BinaryIO, limits: ReadLimits) -> Opened:
    """Return the bytes of the table in a file, unpacked as often as needed.

    Raises
    ------
    ExportFileError
        The file is empty, too large, or no CSV or Parquet, packed or not.
    """
    size = file.seek(0, 2)
    if size > limits.max_file_bytes:
        raise ExportFileError(
            "file_too_large",
            f"The file has {size} bytes, above the limit of {limits.max_file_bytes}.",
        )
    file.seek(0)
    stream: ByteStream = file
    wrappers: list[str] = []
    while True:
        head = _read_up_to(stream, HEAD_BYTES)
        found = recognize(head)
        stream = _Rejoined(head, stream)
        if found == "csv":
            return Opened("csv", tuple(wrappers), stream)
        if found in {"utf-16-le", "utf-16-be"}:
            # What comes out is UTF-8, which no text in UTF-16 begins like.
            stream = _Utf16Stream(stream, found)
            continue
        if found == "parquet":
            parquet = file if not wrappers else _spool(stream)
            return Opened("parquet", tuple(wrappers), stream, parquet)
        if len(wrappers) == MAX_WRAPPERS:
            raise ExportFileError(
                "unsupported_archive",
                "The file is an archive inside an archive inside an archive. Unpack "
                "it and take the CSV or Parquet file itself.",
            )
        if found == "gzip":
            stream = GzipStream(stream, limits)
        elif wrappers:
            raise ExportFileError(
                "unsupported_archive",
                "The file is a zip archive inside another archive. Unpack it and take "
                "the CSV or Parquet file itself.",
            )
        else:
            stream = _open_zip(file, limits)
        wrappers.append(found)


def recognize(head: bytes) -> FileFormat:
    """Return the format of a file by its first bytes; refuse what is no table."""
    if not head:
        raise ExportFileError(
            "empty_file", "The file is empty. Ask Reboot Motion for the export again."
        )
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        raise _office_document()
    if head.startswith(_UTF32_BOMS):
        raise ExportFileError(
            "not_utf8", "The file is text in UTF-32. Save it as CSV in UTF-8."
        )
    if (wide := _UTF16_BOMS.get(head[:2]) or _unmarked_utf16(head)) is not None:
        return wide
    text = head.removeprefix(_UTF8_BOM).lstrip()
    if text.startswith(b"<"):
        if _WEB_PAGE.search(text[:2048]):
            raise ExportFileError(
                "html_instead_of_data",
                "The file is a web page, not data: most likely an error or login "
                "page. Ask Reboot Motion for the export again.",
            )
        raise ExportFileError(
            "xml_instead_of_data",
            "The file is an XML document, not data: most likely the storage's answer "
            "to an expired link. Ask Reboot Motion for the export again.",
        )
    if text.startswith((b"{", b"[")):
        raise ExportFileError(
            "json_instead_of_data",
            "The file is a JSON document, not a table: most likely an error message. "
            "Ask Reboot Motion for the export again.",
        )
    if b"\x00" in head or text.startswith(b"%PDF-"):
        raise ExportFileError(
            "not_a_table",
            "The file is neither CSV nor Parquet. Take the data export, not a report "
            "or a video.",
        )
    return "csv"


def _office_document() -> ExportFileError:
    """Return the error for a spreadsheet's own kind of file."""
    return ExportFileError(
        "not_a_table",
        "The file is an Office document. Save the sheet as CSV in UTF-8, or take "
        "the file as it came from Reboot Motion.",
    )


def _unmarked_utf16(head: bytes) -> FileFormat | None:
    """Return how UTF-16 without a mark is written: every second byte is zero."""
    start = head[: min(_UTF16_LOOKED_AT, len(head) // 2 * 2)]
    first, second = start[::2], start[1::2]
    if len(first) >= 4 and not second.strip(b"\x00") and b"\x00" not in first:
        return "utf-16-le"
    if len(first) >= 4 and not first.strip(b"\x00") and b"\x00" not in second:
        return "utf-16-be"
    return None


class _Utf16Stream:
    """Text in UTF-16, which spreadsheets save, as UTF-8."""

    def __init__(self, source: ByteStream, encoding: str) -> None:
        self._source = source
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._pending = b""
        self._ended = False

    def read(self, size: int, /) -> bytes:
        """Return bytes of UTF-8, at most ``size``; none at the end."""
        while not self._pending and not self._ended:
            wide = self._source.read(CHUNK_BYTES)
            self._ended = not wide
            try:
                text = self._decoder.decode(wide, final=self._ended)
            except UnicodeDecodeError as error:
                raise ExportFileError(
                    "not_utf8",
                    "The file is damaged text in UTF-16. Save it as CSV in UTF-8, or "
                    "take it as it came from Reboot Motion.",
                ) from error
            self._pending = text.encode()
        piece, self._pending = self._pending[:size], self._pending[size:]
        return piece


class GzipStream:
    """Unpacks gzip piece by piece; a missing end is an error, not an end."""

    def __init__(self, source: ByteStream, limits: ReadLimits) -> None:
        self._source = source
        self._limits = limits
        self._unpack = zlib.decompressobj(wbits=31)
        self._pending = b""
        self._bytes_in = 0
        self._bytes_out = 0
        self._finished = False

    def read(self, size: int, /) -> bytes:
        """Return unpacked bytes, at most ``size``; none at the end."""
        while not self._finished:
            if self._unpack.eof:
                self._next_member()
                continue
            packed = self._pending or self._source.read(CHUNK_BYTES)
            if not packed:
                raise ExportFileError(
                    "truncated_file",
                    "The compressed file is cut off. Ask Reboot Motion for the "
                    "export "
                    "again.",
                )
            if not self._pending:
                self._bytes_in += len(packed)
            try:
                data = self._unpack.decompress(packed, size)
            except zlib.error as error:
                raise ExportFileError(
                    "damaged_archive",
                    "The compressed file is damaged. Ask Reboot Motion for the export "
                    "again.",
                ) from error
            self._pending = self._unpack.unconsumed_tail
            if data:
                self._bytes_out += len(data)
                check_unpacked(self._bytes_in, self._bytes_out, self._limits)
                return data
        return b""

    def _next_member(self) -> None:
        """Go on with the next gzip member, or end; zeros may pad the end."""
        rest = self._unpack.unused_data
        while len(rest) < 2 or not rest.strip(b"\x00"):
            more = self._source.read(CHUNK_BYTES)
            if not more:
                break
            self._bytes_in += len(more)
            rest = rest.lstrip(b"\x00") + more
        if not rest.strip(b"\x00"):
            self._finished = True
        elif rest.startswith(b"\x1f\x8b"):
            self._unpack = zlib.decompressobj(wbits=31)
            self._pending = rest
        else:
            raise ExportFileError(
                "damaged_archive",
                "The compressed file is followed by extra bytes. Ask "
                "Reboot Motion for the export again.",
            )


def check_unpacked(bytes_in: int, bytes_out: int, limits: ReadLimits) -> None:
    """Refuse a file that unpacks to too much, as such or for its packed size."""
    if bytes_out > limits.max_unpacked_bytes:
        raise ExportFileError(
            "unpacked_too_large",
            f"The file unpacks to more than the limit of {limits.max_unpacked_bytes} "
            "bytes and was not read further.",
        )
    if bytes_out > limits.ratio_free_bytes and bytes_out > limits.max_ratio * max(
        bytes_in, 1
    ):
        raise ExportFileError(
            "decompression_bomb",
            f"The file unpacks to more than {limits.max_ratio:.0f} times its size, "
            "which measured data never do, and was not read further.",
        )


class _ZipStream:
    """Unpacks the one file of a zip archive piece by piece."""

    def __init__(self, member: IO[bytes], packed: int, limits: ReadLimits) -> None:
        self._member = member
        self._packed = packed
        self._limits = limits
        self._bytes_out = 0

    def read(self, size: int, /) -> bytes:
        try:
            data = self._member.read(size)
        except _ZIP_FAULTS as error:
            raise _damaged_zip() from error
        self._bytes_out += len(data)
        check_unpacked(self._packed, self._bytes_out, self._limits)
        return data


# What zipfile raises on damaged, encrypted or exotic archives; a way of packing that
# it does not know is a RuntimeError too.
_ZIP_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    RuntimeError,
    ValueError,
    OSError,
    OverflowError,
    MemoryError,
)


def _damaged_zip() -> ExportFileError:
    """Return the error for a zip archive that cannot be unpacked."""
    return ExportFileError(
        "damaged_archive",
        "The zip archive is damaged or encrypted. Unpack it and take the file inside.",
    )


def _open_zip(file: BinaryIO, limits: ReadLimits) -> ByteStream:
    """Return the one file of a zip archive as a stream; refuse other archives."""
    try:
        archive = zipfile.ZipFile(file)
        members = [
            info
            for info in archive.infolist()
            if not info.is_dir()
            and not info.filename.startswith("__MACOSX/")
            and info.filename.rpartition("/")[2] != ".DS_Store"
        ]
        names = {info.filename for info in members}
    except _ZIP_FAULTS as error:
        raise _damaged_zip() from error
    if "[Content_Types].xml" in names:
        raise _office_document()
    if len(members) != 1:
        raise ExportFileError(
            "unsupported_archive",
            f"The zip archive has {len(members)} files where one is expected. "
            "Unpack it and take the files one by one.",
        )
    if members[0].compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        # The other methods unpack whole blocks at once, out of reach of the limits.
        raise _damaged_zip()
    try:
        member = archive.open(members[0])
    except _ZIP_FAULTS as error:
        raise _damaged_zip() from error
    # The archive's own sizes may lie; the file's size cannot be smaller than it is.
    return _ZipStream(member, file.seek(0, 2), limits)


class _Rejoined:
    """A stream with the bytes put back that were read to recognize its format."""

    def __init__(self, head: bytes, rest: ByteStream) -> None:
        self._head = head
        self._rest = rest

    def read(self, size: int, /) -> bytes:
        if self._head:
            piece, self._head = self._head[:size], self._head[size:]
            return piece
        return self._rest.read(size)


def _read_up_to(stream: ByteStream, size: int) -> bytes:
    """Return the next ``size`` bytes, fewer only at the end of the stream."""
    pieces: list[bytes] = []
    missing = size
    while missing > 0:
        piece = stream.read(missing)
        if not piece:
            break
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)


def _spool(stream: ByteStream) -> BinaryIO:
    """Return a stream as a temporary file; Parquet is read from its end."""
    spool = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as its reader
    try:
        while piece := stream.read(CHUNK_BYTES):
            spool.write(piece)
        spool.seek(0)
    except BaseException:
        spool.close()
        raise
    return spool
