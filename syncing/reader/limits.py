"""How large an export file may be before it is refused."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ReadLimits:
    """Sizes above which a file is refused.

    The defaults leave room for several times the largest session planned for (40
    movements of 1500 frames: 270 MB of CSV, 60 000 rows, 21 million values) and keep
    the reader well below 1 GB of memory.
    """

    max_file_bytes: int = 1024**3
    max_unpacked_bytes: int = 2 * 1024**3
    #: Unpacked to packed size. Measured data reach 2 to 5; constant columns more.
    max_ratio: float = 200.0
    #: Below this unpacked size no ratio is suspicious.
    ratio_free_bytes: int = 64 * 1024**2
    max_rows: int = 500_000
    max_columns: int = 2_000
    max_cells: int = 60_000_000
    #: Text of all cells written out, as storing it does; the largest session planned
    #: for has about 35 MB. A file keeps a text once that a thousand rows share.
    max_text_bytes: int = 128 * 1024**2
