"""The colours of both themes: equal where they must be, and readable."""

import re
from pathlib import Path

import pytest

TOKENS = (
    Path(__file__).resolve().parent.parent / "static" / "css" / "tokens.css"
).read_text(encoding="utf-8")
PARTS = ("pelvis", "torso", "lead-arm", "hands", "bat", "separation", "body", "value")


def block(selector, text=TOKENS):
    """Custom properties of the first rule with this selector."""
    start = text.index(f"{selector} {{") + len(selector) + 2
    body = text[start : text.index("}", start)]
    return dict(re.findall(r"(--[\w-]+):\s*([^;]+);", body))


LIGHT = block(":root")
DARK = LIGHT | block(':root[data-theme="dark"]')
THEMES = {"light": LIGHT, "dark": DARK}


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, two):
    """WCAG 2.2, relative luminance and contrast ratio."""
    high, low = sorted((luminance(one), luminance(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_black_on_white_is_21():
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)


def test_dark_system_without_scripts_looks_as_the_chosen_dark_theme():
    assert block(":root:not([data-theme])") == block(':root[data-theme="dark"]')


def test_paper_replaces_every_colour_that_the_dark_theme_sets():
    paper = block(":root:not([data-theme])", TOKENS[TOKENS.index("@media print") :])
    kept = {"--focus", "--button", "--on-button", "--shade"}  # nothing to press there
    assert set(block(':root[data-theme="dark"]')) - kept == set(paper)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("surface", ["background", "card", "raised"])
@pytest.mark.parametrize(
    "text", ["ink", "muted", "link", "notice", "danger", "success"]
)
def test_text_is_readable_on_every_surface(theme, surface, text):
    tokens = THEMES[theme]
    assert contrast(tokens[f"--{text}"], tokens[f"--{surface}"]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("kind", ["notice", "danger", "success"])
def test_message_is_readable_on_its_own_surface(theme, kind):
    tokens = THEMES[theme]
    for text in (kind, "ink", "link"):
        ratio = contrast(tokens[f"--{text}"], tokens[f"--{kind}-surface"])
        assert ratio >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("surface", ["background", "card", "raised"])
@pytest.mark.parametrize(
    "mark", [*(f"part-{part}" for part in PARTS), "control", "focus", "event", "axis"]
)
def test_lines_and_marks_stand_out_from_every_surface(theme, surface, mark):
    tokens = THEMES[theme]
    assert contrast(tokens[f"--{mark}"], tokens[f"--{surface}"]) >= 3.0


@pytest.mark.parametrize("theme", THEMES)
def test_button_is_readable(theme):
    tokens = THEMES[theme]
    assert contrast(tokens["--on-button"], tokens["--button"]) >= 4.5


def test_distances_are_multiples_of_four_pixels():
    spaces = {k: v for k, v in LIGHT.items() if k.startswith("--space-")}
    assert spaces
    for name, value in spaces.items():
        pixels = float(value.removesuffix("rem")) * 16
        assert pixels % 4 == 0, name
