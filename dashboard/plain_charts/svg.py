"""An SVG document that grows shape by shape, in the colors of a theme."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree as ET

#: The colors of static/css/tokens.css by theme; an image cannot read the page's.
COLORS: Mapping[str, Mapping[str, str]] = {
    "light": {
        "card": "#ffffff",
        "ink": "#141a21",
        "muted": "#55606d",
        "grid": "#e7eaee",
        "axis": "#7b8692",
        "event": "#55606d",
        "part-pelvis": "#d05a00",
        "part-torso": "#008a64",
        "part-lead-arm": "#0072b2",
        "part-hands": "#b9588f",
        "part-bat": "#a87400",
        "part-separation": "#6f6491",
        "part-legs": "#6b7784",
        "part-head": "#6b7784",
        "part-body": "#6b7784",
        "part-value": "#141a21",
    },
    "dark": {
        "card": "#151a20",
        "ink": "#e7ebef",
        "muted": "#9ba7b4",
        "grid": "#222a32",
        "axis": "#6b7784",
        "event": "#9ba7b4",
        "part-pelvis": "#f0793a",
        "part-torso": "#2dbb8f",
        "part-lead-arm": "#4aa8e0",
        "part-hands": "#dd92bb",
        "part-bat": "#f0b43c",
        "part-separation": "#a79cc9",
        "part-legs": "#8d99a6",
        "part-head": "#8d99a6",
        "part-body": "#8d99a6",
        "part-value": "#e7ebef",
    },
}

_FONT = "Inter, 'Helvetica Neue', Arial, sans-serif"

Range = tuple[float, float]


@dataclass(frozen=True)
class Frame:
    """Where the axes lie, in pixels, and what they show."""

    xs: Range
    ys: Range
    left: float
    right: float
    top: float
    bottom: float

    def x(self, value: float) -> float:
        """Where a value of the x axis is, in pixels."""
        low, high = self.xs
        return self.left + (value - low) / (high - low) * (self.right - self.left)

    def y(self, value: float) -> float:
        """Where a value of the y axis is, in pixels."""
        low, high = self.ys
        return self.bottom - (value - low) / (high - low) * (self.bottom - self.top)


class Drawing:
    """An SVG document that grows; texts and attributes are escaped by the library."""

    def __init__(self, width: float, height: float, theme: str) -> None:
        self.colors = COLORS[theme]
        self.width = width
        self.root = ET.Element(
            "svg",
            {
                "xmlns": "http://www.w3.org/2000/svg",
                "viewBox": f"0 0 {width:g} {height:g}",
                "width": f"{width:g}",
                "height": f"{height:g}",
                "font-family": _FONT,
                "font-size": "12",
            },
        )
        self.add("rect", width=width, height=height, fill=self.colors["card"])

    def add(self, tag: str, text: str = "", **attributes: str | float) -> None:
        """One more shape; `_` in names of attributes stands for `-`."""
        element = ET.SubElement(
            self.root,
            tag,
            {
                name.replace("_", "-"): value
                if isinstance(value, str)
                else f"{value:.1f}"
                for name, value in attributes.items()
                if value != ""
            },
        )
        element.text = text or None

    def line(
        self, start: Range, end: Range, color: str, width: float = 1.0, dash: str = ""
    ) -> None:
        """A straight line in a color of the theme."""
        self.add(
            "line",
            x1=start[0],
            y1=start[1],
            x2=end[0],
            y2=end[1],
            stroke=self.colors[color],
            stroke_width=width,
            stroke_dasharray=dash,
        )

    def words(
        self, x: float, y: float, text: str, anchor: str = "middle", **more: str
    ) -> None:
        """A text; y is its base line."""
        self.add(
            "text",
            text,
            x=x,
            y=y,
            text_anchor=anchor,
            fill=self.colors["muted"],
            **more,
        )

    def to_bytes(self) -> bytes:
        """The document in UTF-8."""
        return bytes(ET.tostring(self.root, encoding="utf-8", xml_declaration=True))
