"""Every chart on every page has a name, a sentence, a table and a still picture."""

from __future__ import annotations

import gzip
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from django.test import Client

from tests.browser import site_pages

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

VOID = {"img", "source", "input", "meta", "link", "br", "hr"}


class Page(HTMLParser):
    """The charts of a page, the texts of its elements by id, and what stands behind."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self.charts: list[dict[str, str]] = []
        self.drawings: list[dict[str, str]] = []
        self.pictures: list[str] = []
        self.tables = 0
        self.tables_before: list[int] = []
        self._open: list[tuple[str, dict[str, str]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        attributes = {name: value or "" for name, value in attrs}
        if "data-chart" in attributes:
            self.charts.append(attributes)
            self.tables_before.append(self.tables)
        behind = {"data-table", "sheet__steps"}
        if tag == "details" and behind & set(attributes.get("class", "").split()):
            self.tables += 1
        if tag in ("polyline", "polygon"):  # other shapes are icons and bars
            svg = next((one for name, one in self._open[::-1] if name == "svg"), None)
            if svg is not None and svg not in self.drawings:
                self.drawings.append(svg)
        if tag == "img" and "chart__still" in attributes.get("class", ""):
            self.pictures.append(attributes["src"])
        if tag not in VOID:
            self._open.append((tag, attributes))

    def handle_endtag(self, tag):
        while self._open:
            if self._open.pop()[0] == tag:
                return

    def handle_data(self, data):
        for _, attributes in self._open:
            if "id" in attributes:
                name = attributes["id"]
                self.texts[name] = f"{self.texts.get(name, '')}{data}"


def faults(page: Page) -> list[str]:
    """What the charts of a page lack."""
    found = []
    for chart, before in zip(page.charts, page.tables_before, strict=True):
        name = page.texts.get(chart.get("aria-labelledby", ""), "").strip()
        words = page.texts.get(chart.get("aria-describedby", ""), "").strip()
        if not name:
            found.append(f"{chart['id']} has no name")
        if not re.search(r"\d.*\.$|^No values to draw\.$", words):
            found.append(f"{chart['id']} says {words!r}")
        if page.tables == before:
            found.append(f"{chart['id']} has no table behind it")
    for svg in page.drawings:
        kind = svg.get("class", "")
        said = svg.get("aria-label", "")
        if kind == "sheet__picture" and page.tables == 0:
            found.append("the sheet's chart has no table behind it")
        if svg.get("role") != "img" or not re.search(r"\d", said):
            found.append(f"<svg class={kind!r}> says {said!r}")
    if len(page.pictures) != len(page.charts):
        found.append(f"{len(page.charts)} charts, {len(page.pictures)} pictures")
    return found


@pytest.fixture
def world():
    return site_pages.make_world()


def test_every_chart_of_every_page_speaks(world):
    known, stranger = Client(), Client()
    known.force_login(
        world["staff"], backend="django.contrib.auth.backends.ModelBackend"
    )
    wrong, charts, small = [], set(), set()
    for one in site_pages.site_pages():
        client = stranger if one.anonymous else known
        response = client.get(one.address.format(**world))
        page = Page(response.content.decode())
        wrong += [f"{one.name}: {fault}" for fault in faults(page)]
        charts |= {f"{one.name} {chart['id']}" for chart in page.charts}
        small |= {svg.get("class", "") for svg in page.drawings}
        for src in page.pictures:
            still = client.get(src)
            assert still["Content-Type"] == "image/svg+xml", src
            lines = ET.fromstring(still.content).iter()
            assert any(line.tag.endswith(("polyline", "circle")) for line in lines), src
    assert wrong == []
    # That the walk has met them.
    assert {
        "swing sequence",
        "swing detail",
        "session session-curves-chart",
        "athlete trend-chart",
        "compare-sessions overlay",
        "compare-sessions delta",
    } <= charts
    assert {"sparkline", "mini-chart", "sheet__picture"} <= small


def test_walk_sees_a_chart_that_says_nothing():
    page = Page(
        '<figure data-chart id="a" aria-labelledby="t" aria-describedby="w">'
        '<b id="t">Trend</b><p id="w"></p></figure>'
        '<svg class="sparkline" aria-hidden="true"><polyline points="0,0"/></svg>'
    )
    assert faults(page) == [
        "a says ''",
        "a has no table behind it",
        "<svg class='sparkline'> says ''",
        "1 charts, 0 pictures",
    ]


def test_picture_of_no_chart_is_not_found(client, coach, session):
    swing = session.movements.filter(is_swing=True).first()
    address = f"/athletes/swings/{swing.pk}/?picture="
    assert client.get(f"{address}sequence").status_code == 200
    assert client.get(f"{address}nothing").status_code == 404


def test_picture_is_for_who_may_see_the_page(client, session):
    swing = session.movements.filter(is_swing=True).first()
    response = client.get(f"/athletes/swings/{swing.pk}/?picture=sequence")
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")


def test_what_charts_say_costs_a_page_little(client, coach, session):
    swing = session.movements.filter(is_swing=True).first()
    body = client.get(f"/athletes/swings/{swing.pk}/?tables=all").content.decode()
    silent = body
    for part in (
        r"<noscript>.*?</noscript>",
        r'<p class="chart__words.*?</p>',
        r'<div class="table-wrap"[^>]* over time">.*?</div>',
    ):
        silent, found = re.subn(part, "", silent, flags=re.S)
        assert found >= 2, part
    spoken, plain = (len(gzip.compress(text.encode())) for text in (body, silent))
    assert spoken - plain < 5_000
