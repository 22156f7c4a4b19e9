"""A finger for tests of touch."""

from __future__ import annotations


class Taps:
    """A finger that counts, and taps nothing smaller than itself."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, locator, *, beside=False, **options):
        locator.scroll_into_view_if_needed()
        box = locator.bounding_box()
        # A link in a line of text may be lower.
        assert beside or min(box["width"], box["height"]) >= 44
        locator.tap(**options)
        self.count += 1
