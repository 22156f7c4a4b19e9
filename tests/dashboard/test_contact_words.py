"""Peak hand speed, which stands in where no bat is tracked, is never called contact."""

from __future__ import annotations

import html
import re

import pytest

from tests.dashboard.page_contents import swings_of, text_of
from tests.dashboard.test_moving_events import address, event_form, moved_by

pytestmark = pytest.mark.django_db


def button_of(response):
    """What the button of the figure says that goes to contact."""
    body = html.unescape(response.content.decode())
    return re.findall(r'data-figure3d-go="reference">(.*?)<', body)


def test_figure_and_preview_name_what_stands_in_for_contact(client, coach, session):
    with_bat, without = swings_of(session)[0], swings_of(session)[-1]
    of_swing = "/athletes/swings/{}/"
    assert button_of(client.get(of_swing.format(with_bat.pk))) == ["Contact (est.)"]
    assert button_of(client.get(of_swing.format(without.pk))) == ["Peak hand"]
    both = f"/athletes/compare/?items=swing-{with_bat.pk},swing-{without.pk}"
    assert button_of(client.get(both)) == ["Contact (est.) / Peak hand"]
    seen = client.post(
        address(without),
        event_form(without, first_move=moved_by(without, "first_move", 12)),
    )
    said = text_of(seen).partition("What changes")[2]
    assert "Time to peak hand speed" in said
    assert "Time to contact" not in said


def test_session_page_and_comparison_name_it(client, coach, session):
    page = text_of(client.get(f"/athletes/sessions/{session.pk}/"))
    assert (
        "600 ms before to 150 ms after contact (est.) or peak hand speed; vertical "
        "lines are foot down and contact (est.) or peak hand speed." in page
    )
    without = swings_of(session)[-1]
    items = f"swing-{without.pk},session-{session.pk}"
    answer = client.get(f"/athletes/compare/?items={items}")
    rows = {row.definition.id: row for row in answer.context["page"].rows}
    row = rows["time_to_ref"]
    assert (row.rule, row.name) == ("bat_peak", "Time to contact (est.)")
    assert f"{row.name} " in text_of(answer)
