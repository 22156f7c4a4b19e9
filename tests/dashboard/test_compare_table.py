"""The table of a comparison: numbers, differences, and what is comparable."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from athletes.analysis import session_summary
from biomechanics.definitions import METHOD_VERSION
from tests.dashboard.page_contents import (
    swings_of,
    text_of,
)
from tests.factories import (
    make_player,
    make_session,
    make_swing,
    metric,
)

pytestmark = pytest.mark.django_db


def torso_session(player, day, middle, version=METHOD_VERSION):
    """Five swings around `middle`, 10 °/s apart, with their stored averages."""
    session = make_session(player=player, session_date=dt.date(2026, 3, day))
    for offset in (-20.0, -10.0, 0.0, 10.0, 20.0):
        make_swing(
            {"peak_torso_omega": middle + offset},
            session=session,
            method_version=version,
        )
    session_summary.refresh_session_summary(session.pk)
    session.session_metrics.update(method_version=version)
    return session


def test_compare_tells_sessions_apart_by_swings_and_days(client, coach):
    player = make_player()
    keys = [
        f"session-{torso_session(player, day, middle).pk}"
        for day, middle in enumerate((900.0, 905.0, 895.0, 902.0, 898.0, 1100.0), 1)
    ]
    rows = client.get(f"/athletes/compare/?items={','.join(keys)}").context["page"].rows
    (row,) = (row for row in rows if row.definition.id == "peak_torso_omega")
    first, *others = row.cells
    assert first.change is None
    assert [cell.change.verdict for cell in others] == [
        *["no_clear_change"] * 4,
        "real",
    ]
    assert others[-1].change.delta == pytest.approx(200.0)
    # B − A stands there always: what is about the same in gray, and what it needs.
    deltas = [str(cell.printed.delta) for cell in others]
    assert deltas == ["+5°/s", "−5°/s", "+2°/s", "−2°/s", "+200°/s"]
    assert [cell.difference.words for cell in others] == [
        *["About the same"] * 4,
        "More than usual",
    ]
    assert [cell.difference.is_change for cell in others] == [*[False] * 4, True]
    response = client.get(f"/athletes/compare/?items={keys[4]},{keys[0]}")
    text = text_of(response)
    assert re.search(r"B − A −2 °/s About the same · needs ± ?\d+ °/s", text), text
    assert "900 °/s" in text
    page = response.content.decode()
    assert page.count("change--none") == 1
    assert "change__mark" not in page
    changed = client.get(
        f"/athletes/compare/?items={keys[0]},{keys[5]}"
    ).content.decode()
    assert re.search(
        r'class="change change--real".*?<svg class="change__mark"', changed
    )


def torso_cells(client, *words):
    """The cells of the torso's speed of what an address names."""
    rows = client.get(f"/athletes/compare/?items={','.join(words)}").context["page"]
    (row,) = (one for one in rows.rows if one.definition.id == "peak_torso_omega")
    return row.cells


def test_numbers_of_two_versions_of_the_method_are_not_comparable(client, coach):
    player = make_player()
    old = torso_session(player, 1, 900.0, "2025.9")
    middles = enumerate((902.0, 898.0, 901.0, 1200.0), 2)
    *_, new = [torso_session(player, day, middle) for day, middle in middles]
    cell = torso_cells(client, f"session-{old.pk}", f"session-{new.pk}")[1]
    assert (cell.difference.change.verdict, cell.difference.is_change) == (
        "unknown",
        False,
    )
    assert cell.difference.words == "Not comparable"
    assert cell.difference.apart == "a different version of the method"
    response = client.get(f"/athletes/compare/?items=session-{old.pk},session-{new.pk}")
    assert (
        "Not comparable · They were computed with different versions of the method."
        in text_of(response)
    )
    assert "More than usual" not in text_of(response)


def test_a_number_of_several_sessions_is_by_one_version_of_the_method(client, coach):
    player = make_player()
    torso_session(player, 1, 600.0, "2025.9")
    for day, middle in enumerate((902.0, 898.0), 2):
        torso_session(player, day, middle)
    other = torso_session(make_player(), 2, 900.0)
    cell = torso_cells(client, f"athlete-{player.pk}", f"session-{other.pk}")[0]
    assert (cell.mean, cell.n) == (pytest.approx(900.0), 10)
    assert cell.remark == "5 swings excluded: a different version of the method"


def test_a_difference_is_printed_although_nobody_knows_what_is_usual(client, coach):
    sessions = [make_session(player=make_player()) for _ in range(2)]
    for session, value in zip(sessions, (900.0, 950.0), strict=True):
        make_swing({"peak_torso_omega": value}, session=session)
    response = client.get(
        f"/athletes/compare/?items=session-{sessions[0].pk},session-{sessions[1].pk}"
    )
    assert "B − A +50 °/s Not enough yet" in text_of(response)


def test_a_difference_of_two_athletes_is_no_change(client, coach):
    """It has its band, and neither an arrow nor the words of a change."""
    keys = []
    for middle in (900.0, 1200.0):
        player = make_player()
        days = [torso_session(player, day, middle) for day in (1, 2, 3)]
        keys.append(f"session-{days[-1].pk}")
    response = client.get(f"/athletes/compare/?items={','.join(keys)}")
    (row,) = response.context["page"].rows
    difference = row.cells[1].difference
    assert (difference.is_clear, difference.is_change) == (True, False)
    assert difference.apart == "different athletes"
    text = text_of(response)
    assert re.search(r"\+300 °/s Clear difference · needs ± ?\d+ °/s", text), text
    assert "More than usual" not in text
    assert "change__mark" not in response.content.decode()


def test_a_difference_of_two_setups_is_no_change(client, coach):
    player = make_player()
    sessions = [
        torso_session(player, day, middle)
        for day, middle in ((1, 900.0), (2, 902.0), (3, 901.0), (4, 1200.0))
    ]
    sessions[-1].condition = "live"
    sessions[-1].save()
    for session in sessions:
        session_summary.refresh_session_summary(session.pk)
    response = client.get(
        f"/athletes/compare/?items=session-{sessions[0].pk},session-{sessions[3].pk}"
    )
    (row,) = response.context["page"].rows
    assert row.cells[1].difference.apart == "a different setup"
    assert not row.cells[1].difference.is_change
    assert "The setups differ." in text_of(response)


def test_a_row_adds_up_as_it_is_printed(client, coach):
    """37.6, 39.4 and 38.2 are 38, 39 and 38, whose differences would be 1 and 0."""
    keys = []
    for value in (37.6, 39.4, 38.2):
        session = make_session(player=make_player())
        for offset in (-1.0, 0.0, 1.0):
            make_swing({"attack_angle": value + offset}, session=session)
        keys.append(f"session-{session.pk}")
    response = client.get(f"/athletes/compare/?items={','.join(keys)}")
    (row,) = response.context["page"].rows
    assert row.definition.decimals == 0
    text = text_of(response)
    for shown in ("37.6°", "39.4°", "38.2°", "+1.8°", "+0.6°"):
        assert shown in text


def test_compare_names_the_swings_that_lack_a_number(client, coach):
    player = make_player()
    a = torso_session(player, 1, 900.0)
    b = make_session(player=player, session_date=dt.date(2026, 3, 2))
    for value in (900.0, None, 910.0):
        make_swing({"peak_torso_omega": value}, session=b)
    session_summary.refresh_session_summary(b.pk)
    response = client.get(f"/athletes/compare/?items=session-{a.pk},session-{b.pk}")
    (row,) = (
        row
        for row in response.context["page"].rows
        if row.definition.id == "peak_torso_omega"
    )
    second = swings_of(b)[1].position
    assert [(cell.n, cell.remark) for cell in row.cells] == [
        (5, ""),
        (2, f"swing {second} doesn't have it"),
    ]
    text = text_of(response)
    assert f"swing {second} doesn't have it" in text
    assert "None has a setup recorded" in text
    a.condition = "tee"
    a.save()
    keys = f"session-{a.pk},session-{b.pk}"
    again = text_of(client.get(f"/athletes/compare/?items={keys}"))
    assert "None has a setup recorded" not in again
    assert "The setups differ." in again


def measured(value, basis, *, uncertainty=None, unit="m/s", name="peak_hand_speed"):
    """A swing of a session of its own with one number."""
    swing = make_swing()
    swing.metrics = {
        name: metric(value, unit) | {"basis": basis, "uncertainty": uncertainty}
    }
    swing.save()
    return swing


def compared(client, *swings):
    items = ",".join(f"swing-{swing.pk}" for swing in swings)
    return text_of(client.get(f"/athletes/compare/?items={items}"))


def test_compare_holds_no_wrists_against_hands(client, coach):
    hands = "reference=contact hands=hands"
    first, second = measured(9.0, hands), measured(9.2, hands)
    third = measured(7.8, "reference=contact hands=wrists")
    text = compared(client, first, second, third)
    assert "measured at a different point: wrists instead of hands" in text
    # 7.8 m/s, which stands nowhere.
    assert "17.4" not in text
    for shown in ("20.13", "20.58", "+0.45"):
        assert shown in text


def test_compare_says_that_a_difference_is_within_the_measurement(client, coach):
    basis = "reference=bat_peak bat=sweet_spot frame_rate=over_150_hz"

    session = make_session()

    def angle(value, uncertainty=2.0):
        swing = measured(
            value, basis, uncertainty=uncertainty, unit="deg", name="attack_angle"
        )
        swing.session = session
        swing.position = session.movements.count() + 1
        swing.save()
        return swing

    for value in (9.0, 9.5, 10.0, 10.5, 11.0):
        angle(value)
    one, near, far, unsure = angle(8.0), angle(13.0), angle(14.0), angle(13.0, None)
    session_summary.refresh_session_summary(session.pk)
    within = "The difference is within the measurement uncertainty."
    # 1.96 · √(2² + 2²) = 5.5
    assert within in compared(client, one, near)
    assert within not in compared(client, one, far)
    assert within not in compared(client, one, unsure)


def test_what_several_numbers_have_to_say_stands_once_below_them(client, coach):
    player = make_player()
    names = ("peak_torso_omega", "peak_pelvis_omega", "peak_hand_speed")
    sessions = [
        make_session(player=player, session_date=dt.date(2026, 3, day))
        for day in (1, 2)
    ]
    for session in sessions:
        for place in range(4):
            lacks = session is sessions[1] and place == 2
            values = dict.fromkeys(names[:2], None if lacks else 600.0 + place)
            make_swing(values | {names[2]: 9.0}, session=session)
        session_summary.refresh_session_summary(session.pk)
    keys = ",".join(f"session-{one.pk}" for one in sessions)
    response = client.get(f"/athletes/compare/?items={keys}")
    position = swings_of(sessions[1])[2].position
    text = text_of(response)
    assert text.count(f"swing {position} doesn't have it") == 1
    torso, pelvis = "Peak torso rotation speed", "Peak pelvis rotation speed"
    (remark,) = response.context["page"].number_remarks
    assert (remark.letter, set(remark.numbers)) == ("B", {torso, pelvis})
