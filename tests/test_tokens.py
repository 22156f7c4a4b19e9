"""The colors of both themes: each stands once, and all are readable."""

import re

import pytest

from tests.design_tokens import DARK, LIGHT, PAPER, TOKENS

THEMES = {"light": LIGHT, "dark": DARK}
PARTS = (
    *("pelvis", "torso", "lead-arm", "hands", "bat", "separation", "legs"),
    *("body", "value"),
)


def luminance(color):
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
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


def test_a_theme_is_switched_by_its_switch_alone():
    """A value that stood in a theme's own block would have to stand there twice."""
    dark = re.findall(r'data-theme="(?:dark|auto)"\][^{]*\{([^}]*)\}', TOKENS)
    assert len(dark) == 2
    for body in dark:
        names = re.findall(r"^\s*([\w-]+):", body, re.MULTILINE)
        assert names == ["color-scheme", "--in-light", "--in-dark"]


def test_every_color_of_the_page_has_its_value_for_both_themes():
    same = {name for name, value in LIGHT.items() if value.startswith("#")} & {
        name for name, value in DARK.items() if LIGHT[name] == value
    }
    assert same == set()
    assert LIGHT["--background"] == "#f5f6f7"
    assert DARK["--background"] == "#0e1216"


@pytest.mark.parametrize(
    "text", ["ink", "muted", "link", "notice", "danger", "success"]
)
def test_text_is_readable_on_paper(text):
    assert PAPER["--card"] == "#ffffff"
    assert contrast(PAPER[f"--{text}"], PAPER["--card"]) >= 4.5


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
