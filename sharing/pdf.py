"""A sheet as PDF, on one page of A4 or Letter.

One idea, though long: the blocks of that page, from top to bottom.

What the fonts in `sharing/fonts` do not have is printed as a box: a name is never an
error and never silently shorter. Lengths are millimeters, sizes of type points.
"""

from __future__ import annotations

import io
import logging
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from xml.sax.saxutils import quoteattr

from django.utils import timezone
from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.enums import Align, MethodReturnValue, XPos, YPos
from fpdf.prefs import ViewerPreferences

from sharing.drawing import HEIGHT, WIDTH, Drawing, Stroke
from sharing.sheet import Paper, Sheet
from sharing.sheet_numbers import Footnote, SheetRow

FONTS = Path(__file__).resolve().parent / "fonts"
BOX = "\u25a1"
MARGIN = 12.0
# Between these the chart takes what the texts leave over.
LEAST_CHART, MOST_CHART = 38.0, 88.0
MM_PER_PT = 25.4 / 72
LINE = 1.32
INK, MUTED, HAIRLINE = 0, 70, 185
#: From here on letters change their form or run from right to left.
_SHAPED_FROM = 0x590

# It tells of every letter that a font lacks; here that is foreseen.
logging.getLogger("fpdf").setLevel(logging.ERROR)
logging.getLogger("fontTools").setLevel(logging.ERROR)


@lru_cache(maxsize=2)
def _letters(font: str) -> frozenset[int]:
    """Code points of the letters that a font has."""
    with TTFont(FONTS / f"{font}.ttf", lazy=True) as opened:
        return frozenset(opened.getBestCmap())


def printable(text: str) -> str:
    """`text` without what has no shape, and a box for what no font here has."""
    letters = _letters("Inter-Regular") | _letters("DejaVuSans")
    kept = []
    for letter in unicodedata.normalize("NFC", text):
        category = unicodedata.category(letter)
        # Controls, joiners, and marks that would turn the direction of a line.
        if category in {"Cc", "Cf"}:
            continue
        if ord(letter) in letters:
            kept.append(letter)
        elif not category.startswith("M"):
            kept.append(BOX)
    return "".join(kept)


def render(sheet: Sheet, paper: Paper) -> bytes:
    """The sheet as a file; always one page."""
    return _Page(sheet, paper).write()


class _Page:
    """One page of PDF, written from top to bottom."""

    def __init__(self, sheet: Sheet, paper: Paper) -> None:
        self._sheet = sheet
        pdf = self._pdf = FPDF(format=paper, unit="mm")
        pdf.set_lang("en-US")
        pdf.set_title(printable(sheet.title))
        pdf.set_creator("Swing dashboard")
        pdf.set_creation_date(timezone.now())
        # A window shows the title instead of the file's name.
        pdf.viewer_preferences = ViewerPreferences(display_doc_title=True)
        pdf.add_font("Inter", "", FONTS / "Inter-Regular.ttf")
        pdf.add_font("Inter", "B", FONTS / "Inter-SemiBold.ttf")
        pdf.set_auto_page_break(False)
        pdf.set_margin(MARGIN)
        pdf.c_margin = 0
        pdf.add_page()
        self._width = pdf.w - 2 * MARGIN
        self._has_more_fonts = False

    def write(self) -> bytes:
        """The finished file."""
        sheet, pdf = self._sheet, self._pdf
        self._head()
        self._coach_notes()
        self._findings()
        notes, remarks = self._note_height(), self._remark_height()
        below = notes + remarks + self._table_height() + 12
        if sheet.chart is not None:
            room = pdf.h - MARGIN - pdf.y - below - 12
            self._chart(sheet.chart, min(MOST_CHART, max(LEAST_CHART, room)))
        elif sheet.rows:
            self._text(
                "No curves are stored for these swings; only the numbers below.",
                8,
                gray=MUTED,
            )
        self._table()
        self._footnotes(sheet.footnotes)
        self._remarks()
        pdf.set_y(pdf.h - MARGIN - 3)
        self._text(sheet.made_line, 6.5, gray=MUTED)
        return bytes(pdf.output())

    # Text

    def _style(
        self, text: str, size: float, *, strong: bool = False, gray: int = INK
    ) -> str:
        """Set the font for `text`; returns it as it can be printed."""
        shown = printable(text)
        known = _letters("Inter-Regular")
        if not self._has_more_fonts and any(ord(one) not in known for one in shown):
            # Reading it costs time that few sheets have to spend.
            self._pdf.add_font("DejaVu", "", FONTS / "DejaVuSans.ttf")
            self._pdf.set_fallback_fonts(["DejaVu"], exact_match=False)
            self._has_more_fonts = True
        needs_shaping = any(
            _SHAPED_FROM <= ord(letter) < 0x2000 or ord(letter) > 0xFB00
            for letter in shown
        )
        self._pdf.set_text_shaping(needs_shaping)
        self._pdf.set_font("Inter", "B" if strong else "", size)
        self._pdf.set_text_color(gray)
        return shown

    def _text(
        self,
        text: str,
        size: float,
        *,
        strong: bool = False,
        gray: int = INK,
        width: float | None = None,
        x: float | None = None,
    ) -> None:
        """A paragraph at the present height."""
        shown = self._style(text, size, strong=strong, gray=gray)
        self._pdf.set_x(MARGIN if x is None else x)
        self._pdf.multi_cell(
            width or self._width,
            size * MM_PER_PT * LINE,
            shown,
            align=Align.L,
            new_x=XPos.LMARGIN,
            new_y=YPos.NEXT,
        )

    def _height(self, text: str, size: float, width: float | None = None) -> float:
        """How high a paragraph would be, in mm."""
        shown = self._style(text, size)
        found = self._pdf.multi_cell(
            width or self._width,
            size * MM_PER_PT * LINE,
            shown,
            align=Align.L,
            dry_run=True,
            output=MethodReturnValue.HEIGHT,
        )
        return float(found)  # type: ignore[arg-type]

    def _fitted(self, text: str, size: float, width: float, *, strong: bool) -> float:
        """The largest size up to `size` at which the text stays on one line."""
        while size > 5:
            shown = self._style(text, size, strong=strong)
            if self._pdf.get_string_width(shown) <= width:
                break
            size -= 0.5
        return size

    def _rule(self, y: float, gray: int = HAIRLINE) -> None:
        """A thin line across the page at height `y`."""
        self._pdf.set_draw_color(gray)
        self._pdf.set_line_width(0.2)
        self._pdf.line(MARGIN, y, MARGIN + self._width, y)

    # Parts

    def _head(self) -> None:
        """Facility, name, facts and where the data are from."""
        sheet, pdf = self._sheet, self._pdf
        left = sheet.facility or "Swing sheet"
        right = "Swing sheet" if sheet.facility else ""
        size = self._fitted(left, 8.5, self._width - 30, strong=False)
        shown = self._style(left, size, gray=MUTED)
        pdf.cell(self._width - 30, 5, shown)
        shown = self._style(right, 8.5, gray=MUTED)
        pdf.cell(30, 5, shown, align=Align.R, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self._rule(pdf.y + 0.5, INK)
        pdf.set_y(pdf.y + 2.5)
        size = self._fitted(sheet.name, 21, self._width, strong=True)
        shown = self._style(sheet.name, size, strong=True)
        pdf.cell(
            self._width, 9, shown, align=Align.L, new_x=XPos.LMARGIN, new_y=YPos.NEXT
        )
        if sheet.facts:
            self._text("  ·  ".join(sheet.facts), 9)
        self._text(sheet.data_line, 8.5, gray=MUTED)
        pdf.set_y(pdf.y + 2.5)

    def _coach_notes(self) -> None:
        """What the coach wrote for the sheet."""
        if not self._sheet.notes:
            return
        pdf = self._pdf
        self._text("Coach's note", 9.5, strong=True)
        for note in self._sheet.notes:
            self._text(note.text, 9.5)
            self._text(note.line, 8, gray=MUTED)
            pdf.set_y(pdf.y + 0.8)
        pdf.set_y(pdf.y + 2)

    def _findings(self) -> None:
        """The numbered findings."""
        pdf = self._pdf
        for place, text in enumerate(self._sheet.findings, start=1):
            top = pdf.y
            self._text(f"{place}", 9.5, strong=True, width=5)
            pdf.set_y(top)
            self._text(text, 9.5, x=MARGIN + 5, width=self._width - 5)
            pdf.set_y(pdf.y + 0.8)
        pdf.set_y(pdf.y + 2)

    def _chart(self, drawn: Drawing, height: float) -> None:
        """The chart with its title and labels, `height` mm high."""
        pdf = self._pdf
        shown = self._style(drawn.title, 9.5, strong=True)
        pdf.cell(pdf.get_string_width(shown) + 2, 5, shown)
        shown = self._style(drawn.caption, 8, gray=MUTED)
        pdf.cell(0, 5.2, shown, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        top = pdf.y + 1
        scale = self._width / WIDTH
        # Wide and low pages stretch the drawing; letters keep their form.
        tall = height / HEIGHT
        pdf.image(
            io.BytesIO(_picture(drawn, scale, tall)),
            x=MARGIN,
            y=top,
            w=self._width,
            h=height,
            title=drawn.title,
            alt_text=printable(drawn.description),
        )
        for label in drawn.labels:
            shown = self._style(label.text, 7, strong=label.strong)
            pdf.set_text_color(*_rgb(label.color))
            wide = pdf.get_string_width(shown)
            x = MARGIN + label.x * scale
            x -= {"start": 0.0, "middle": wide / 2, "end": wide}[label.anchor]
            if label.strong:
                # Lines end before it, as its white outline does on screen.
                pdf.set_fill_color(255)
                pdf.rect(x - 0.5, top + label.y * tall - 2.2, wide + 1, 3, style="F")
            pdf.text(x, top + label.y * tall, shown)
        pdf.set_y(top + height + 1)
        if self._sheet.order:
            self._text(self._sheet.order, 8, gray=MUTED)
        pdf.set_y(pdf.y + 2)

    _ROW, _HEAD_ROW = 4.7, 5.2

    def _columns(self) -> tuple[float, ...]:
        """Widths of the table's columns in mm, from the name to real change."""
        fixed = (10.0, 14.0, 11.0, 15.0, 14.0, 11.0, 16.0, 15.0)
        rest = self._width - sum(fixed)
        return (rest * 0.66, *fixed, rest * 0.34)

    def _table_height(self) -> float:
        """How high the table will be, in mm."""
        rows = len(self._sheet.rows)
        return 2 * self._HEAD_ROW + rows * self._ROW + 3 if rows else 0

    def _table(self) -> None:
        """The table of numbers with its two lines of heads."""
        sheet, pdf = self._sheet, self._pdf
        if not sheet.rows:
            return
        widths = self._columns()
        self._rule(pdf.y)
        groups = (
            ("", widths[0] + widths[1], Align.L),
            (sheet.before_head, widths[2] + widths[3], Align.R),
            (sheet.now_head, sum(widths[4:7]), Align.R),
            ("", 1, Align.R),
        )
        for text, width, align in groups:
            shown = self._style(text, 7.5, strong=True)
            pdf.cell(width, self._HEAD_ROW, shown, align=align)
        pdf.set_xy(MARGIN, pdf.y + self._HEAD_ROW - 0.8)
        heads = (
            *("Number", "Unit", "Average", "Swings", "Average", "SD", "Swings"),
            *("Difference", "Needs", "Verdict"),
        )
        self._line(heads, widths, self._HEAD_ROW - 0.8, gray=MUTED, size=7)
        self._rule(pdf.y, INK)
        for row in sheet.rows:
            self._row(row, widths)
            self._rule(pdf.y)
        pdf.set_y(pdf.y + 2)

    def _row(self, row: SheetRow, widths: Sequence[float]) -> None:
        """One number as a line of the table."""
        pdf = self._pdf
        texts = (
            *("", row.unit, row.before, row.before_n, row.now, row.sd, row.n),
            *(row.delta, row.smallest, ""),
        )
        top = pdf.y
        size = self._fitted(row.name, 8, widths[0] - 5, strong=False)
        shown = self._style(row.name, size)
        pdf.cell(pdf.get_string_width(shown) + 0.4, self._ROW, shown)
        shown = self._style(str(row.mark), 5.5, gray=MUTED)
        pdf.cell(4, self._ROW - 1.6, shown)
        pdf.set_xy(MARGIN, top)
        self._line(texts, widths, self._ROW, size=8)
        pdf.set_xy(MARGIN + sum(widths[:-1]) + 3, top)
        size = self._fitted(row.change_words, 8, widths[-1] - 3, strong=row.is_real)
        shown = self._style(
            row.change_words,
            size,
            strong=row.is_real,
            gray=INK if row.is_real else MUTED,
        )
        pdf.cell(widths[-1] - 3, self._ROW, shown)
        pdf.set_xy(MARGIN, top + self._ROW)

    def _line(
        self,
        texts: Iterable[str],
        widths: Sequence[float],
        height: float,
        *,
        size: float,
        gray: int = INK,
    ) -> None:
        """Texts side by side in columns of these widths (mm)."""
        pdf = self._pdf
        for place, (text, width) in enumerate(zip(texts, widths, strict=True)):
            strong = place == 4 and size == 8
            shown = self._style(text, size, strong=strong, gray=gray)
            last = place == len(widths) - 1
            if last:
                pdf.set_x(pdf.x + 3)
            align = Align.L if place < 2 or last else Align.R
            pdf.cell(width - (3 if last else 0), height, shown, align=align)
        pdf.set_xy(MARGIN, pdf.y + height)

    # Notes

    _NOTE, _GUTTER = 6.4, 6.0

    @property
    def _note_width(self) -> float:
        """Width of one of the two columns of footnotes, in mm."""
        return (self._width - self._GUTTER) / 2

    @cached_property
    def _columns_of_notes(self) -> tuple[Sequence[Footnote], Sequence[Footnote]]:
        """The footnotes in two columns of about one height."""
        notes = self._sheet.footnotes
        heights = [
            self._height(self._note_text(note), self._NOTE, self._note_width)
            for note in notes
        ]
        # Where the higher of the two columns is lowest.
        half = min(
            range(len(notes) + 1),
            key=lambda place: max(sum(heights[:place]), sum(heights[place:])),
        )
        return notes[:half], notes[half:]

    @staticmethod
    def _note_text(note: Footnote) -> str:
        """A footnote as it is printed."""
        return f"{note.mark}  {note.term}. {note.text}"

    def _note_height(self) -> float:
        """How high the footnotes will be, in mm."""
        heights = [
            sum(
                self._height(self._note_text(note), self._NOTE, self._note_width) + 0.4
                for note in column
            )
            for column in self._columns_of_notes
        ]
        return max(heights) + 2

    def _footnotes(self, notes: Sequence[Footnote]) -> None:
        """The footnotes in two columns."""
        if not notes:
            return
        pdf = self._pdf
        top, lowest = pdf.y, pdf.y
        for place, column in enumerate(self._columns_of_notes):
            pdf.set_y(top)
            x = MARGIN + place * (self._note_width + self._GUTTER)
            for note in column:
                self._text(
                    self._note_text(note),
                    self._NOTE,
                    gray=MUTED,
                    x=x,
                    width=self._note_width,
                )
                pdf.set_y(pdf.y + 0.4)
            lowest = max(lowest, pdf.y)
        pdf.set_y(lowest + 1)

    def _remark_height(self) -> float:
        """How high the remarks will be, in mm."""
        return sum(self._height(text, self._NOTE) + 0.4 for text in self._sheet.remarks)

    def _remarks(self) -> None:
        """The remarks below the footnotes."""
        for text in self._sheet.remarks:
            self._text(text, self._NOTE, gray=MUTED)
            self._pdf.set_y(self._pdf.y + 0.4)


def _rgb(color: str) -> tuple[int, int, int]:
    """Red, green and blue (0 to 255) of a color such as `#d05a00`."""
    return tuple(int(color[i : i + 2], 16) for i in (1, 3, 5))  # type: ignore[return-value]


def _picture(drawn: Drawing, scale: float, tall: float) -> bytes:
    """Areas and lines as SVG in millimeters; texts are set by the page's fonts."""

    def points(shape: Sequence[tuple[float, float]]) -> str:
        return quoteattr(" ".join(f"{x * scale:.2f},{y * tall:.2f}" for x, y in shape))

    def dashes(stroke: Stroke) -> str:
        if not stroke.dash:
            return ""
        lengths = " ".join(f"{length * scale:.2f}" for length in stroke.dash)
        return f' stroke-dasharray="{lengths}"'

    parts = [
        f"<polygon points={points(area.points)} fill={quoteattr(area.color)}"
        f' fill-opacity="{area.tint}" stroke="none"/>'
        for area in drawn.areas
    ]
    parts += [
        f'<polyline points={points(stroke.points)} fill="none"'
        f" stroke={quoteattr(stroke.color)}"
        f' stroke-width="{stroke.width * scale:.3f}"{dashes(stroke)}/>'
        for stroke in drawn.strokes
    ]
    wide, high = WIDTH * scale, HEIGHT * tall
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide:.2f}mm"'
        f' height="{high:.2f}mm" viewBox="0 0 {wide:.2f} {high:.2f}">'
        f"{''.join(parts)}</svg>"
    ).encode()
