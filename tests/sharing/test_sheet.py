"""What a sheet says, and that page and PDF say the same."""

import datetime as dt
import io
import re

import numpy as np
import pytest
from django.test import override_settings
from pypdf import PdfReader

from accounts.models import Action, AuditEntry
from athletes.frames.curves import store_packed
from athletes.frames.packing import pack
from athletes.models import Note, Session
from sharing import drawing, pdf
from sharing.sheet import athlete_sheet, cut, paper_for, session_sheet, short_name
from tests import factories
from tests.design_tokens import PAPER

pytestmark = pytest.mark.django_db

NUMBERS = ("peak_hand_speed", "peak_pelvis_omega")


def measured(player, day, *, n=5, **means):
    """A session whose stored means are given."""
    session = factories.make_session(
        player=player, session_date=day, condition="tee", bat="33 in"
    )
    for place in range(n):
        factories.make_swing({"peak_pelvis_omega": 600.0 + place}, session=session)
    for metric, mean in means.items():
        factories.make_session_metric(
            session=session, metric=metric, mean=mean, n=n, sd=0.5
        )
    return session


@pytest.fixture
def player():
    return factories.make_player(first_name="Ada", last_name="Quill")


@pytest.fixture
def sessions(player):
    """Three alike and a newest one that is 2 m/s faster."""
    speeds = (9.0, 9.1, 8.9, 11.0)
    return [
        measured(player, dt.date(2026, month, 2), peak_hand_speed=speed)
        for month, speed in enumerate(speeds, start=1)
    ]


def page_texts(content: bytes) -> str:
    return "\n".join(
        page.extract_text() for page in PdfReader(io.BytesIO(content)).pages
    )


def pages_of(content: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b(?!s)", content))


def test_then_and_now_with_n_spread_and_verdict(player, sessions):
    sheet = athlete_sheet(player, Session.objects.all(), units="metric")
    (row,) = sheet.rows
    assert (row.mark, row.name, row.unit) == (1, "Peak hand speed", "m/s")
    assert (row.before, row.before_n) == ("9.0", "15")
    assert (row.now, row.sd, row.n) == ("11.0", "± 0.5", "5")
    assert (row.delta, row.change_words, row.is_real) == (
        *("+2.0", "More than usual", True),
    )
    assert row.smallest.startswith("±")
    assert sheet.before_head == "Before (3 sessions)"
    assert sheet.now_head == "Apr 2, 2026"
    assert sheet.facts == ("Bats right", "Tee", "Bat: 33 in", "5 included swings")
    assert sheet.data_line == (
        "Session of Apr 2, 2026. Source: Reboot Motion, single-camera."
    )
    assert [note.mark for note in sheet.footnotes] == [1]
    assert "hands move" in sheet.footnotes[0].text
    assert "Method version test" in sheet.remarks[-1]
    assert sheet.findings[0].startswith("Peak hand speed: 2.0 m/s faster")


def test_a_phone_has_five_numbers_with_a_line_each(player):
    measured(
        player,
        dt.date(2026, 1, 2),
        peak_pelvis_omega=600.0,
        lead_knee_ext=20.0,
        peak_torso_omega=900.0,
        x_factor_max=45.0,
        peak_hand_speed=9.0,
        side_bend_ref=30.0,
    )
    five = athlete_sheet(player, Session.objects.all(), units="metric").key_numbers
    assert [one.name for one in five] == [
        "Peak hand speed",
        "Max hip-shoulder separation",
        "Peak torso rotation speed",
        "Peak pelvis rotation speed",
        "Lead leg extension",
    ]
    assert (five[0].value, five[2].line) == (
        "9.0 m/s",
        "How fast the torso rotates at its fastest.",
    )


def test_units_are_the_readers(player, sessions):
    sheet = athlete_sheet(player, Session.objects.all(), units="imperial")
    assert (sheet.rows[0].now, sheet.rows[0].unit) == ("24.6", "mph")


def test_a_session_is_held_against_those_before_it_alone(player, sessions):
    sheet = session_sheet(sessions[1], Session.objects.all(), units="metric")
    assert sheet.now_head == "Feb 2, 2026"
    assert (sheet.rows[0].before, sheet.rows[0].before_n) == ("9.0", "5")
    first = session_sheet(sessions[0], Session.objects.all(), units="metric")
    assert (first.rows[0].before, first.rows[0].change_words) == ("–", "Not enough yet")
    assert first.before_head == "Before"


def test_only_sessions_that_may_be_seen_count(player, sessions):
    seen = Session.objects.exclude(pk=sessions[3].pk)
    sheet = athlete_sheet(player, seen, units="metric")
    assert sheet.now_head == "Mar 2, 2026"


def test_an_athlete_without_swings_has_a_sheet_that_says_so(player):
    sheet = athlete_sheet(player, Session.objects.all(), units="metric")
    assert (sheet.rows, sheet.chart, sheet.footnotes, sheet.remarks) == (
        (),
        None,
        (),
        (),
    )
    assert sheet.data_line == "No session with numbers yet."
    assert sheet.findings[0].startswith("No swing has numbers yet")
    content = pdf.render(sheet, "a4")
    assert pages_of(content) == 1
    assert "No swing has numbers yet" in page_texts(content)


def test_of_one_swing_there_is_no_spread(player):
    measured(player, dt.date(2026, 1, 2), n=1, peak_hand_speed=9.0)
    (row,) = athlete_sheet(player, Session.objects.all(), units="metric").rows
    assert (row.now, row.sd, row.n) == ("9.0", "", "1")


def test_chart_says_over_how_many_swings_its_means_are(player):
    session = factories.make_session(player=player)
    for length in (500, 500, 500, 500, 500, 90, 90):
        swing = factories.make_swing(
            {},
            session=session,
            events={"reference": {"time_s": 0.8, "rule": "contact"}},
        )
        # Short clips begin 100 ms before contact.
        time_s = np.arange(length) / 500.0 + (0.7 if length == 90 else 0.0)
        curve = 500.0 + 100.0 * np.sin(time_s)
        store_packed({swing.pk: pack({"time": time_s, "pelvis_omega": curve})})
    sheet = session_sheet(session, Session.objects.all(), units="metric")
    assert sheet.chart.caption == "average ± SD of 5 of 7 swings, aligned on contact"


def test_a_simulated_session_has_a_chart_of_its_parts(player):
    from athletes.analysis import run

    session = factories.make_session(player=player)
    factories.store_simulated(session, factories.simulated_movements()[:4])
    run.analyze_session(session.pk)
    sheet = session_sheet(session, Session.objects.all(), units="metric")
    drawn = sheet.chart
    assert drawn.title == "Rotation speeds"
    assert drawn.caption.startswith("average ± SD of 4 swings, aligned on ")
    texts = [label.text for label in drawn.labels]
    assert {"Pelvis", "Torso", "Lead arm"} <= set(texts)
    assert len(drawn.areas) == 3
    dashes = {
        stroke.color: stroke.dash for stroke in drawn.strokes if stroke.width == 2.0
    }
    assert dashes == {
        drawing.COLORS[part]: drawing.DASHES[part] for part in drawing.COLORS
    }
    # What is written at a peak is what the table says of it.
    for part, name in (
        ("Pelvis", "Peak pelvis rotation speed"),
        ("Torso", "Peak torso rotation speed"),
        ("Lead arm", "Peak lead arm speed"),
    ):
        (row,) = (row for row in sheet.rows if row.name == name)
        assert f"{part} {row.now}°/s" in texts
        assert f"{part} peaks at {row.now}°/s" in drawn.description
    small = sheet.phone_chart
    assert small.rows == drawn.rows
    for label in small.labels:
        width = drawing.LETTER * len(label.text)
        left = {"start": 0.0, "middle": width / 2, "end": width}[label.anchor]
        assert label.x - left > -1.0, label
        assert label.x - left + width < small.plane.width + 1.0, label
    assert drawn.description.startswith("Rotation speeds, average ± SD of 4 swings")
    assert "Pelvis › " in sheet.order
    for paper in ("a4", "letter"):
        content = pdf.render(sheet, paper)
        assert pages_of(content) == 1
        words = " ".join(page_texts(content).split())
        for row in sheet.rows:
            assert row.now in words
        for note in sheet.footnotes:
            assert note.text.split(".")[0][:30] in words


def test_the_table_behind_the_chart_has_its_values():
    x_ms = np.arange(-120.0, 61.0, 4.0)
    pelvis = drawing.MeanCurve("pelvis", "Pelvis", x_ms, 600.0 - x_ms, None, "°/s")
    torso = drawing.MeanCurve(
        "torso", "Torso", x_ms, np.where(x_ms < 0, np.nan, -2 * x_ms), None, "°/s"
    )
    drawn = drawing.draw(
        [pelvis, torso],
        [],
        title="t",
        caption="c",
        x_title="Time from contact (ms)",
        y_title="y",
    )
    assert (drawn.time_head, drawn.columns) == (
        "Time from contact (ms)",
        ("Pelvis (°/s)", "Torso (°/s)"),
    )
    assert drawn.rows == (
        ("−100", ("700", "–")),
        ("−50", ("650", "–")),
        ("0", ("600", "0")),
        ("50", ("550", "−100")),
    )


def test_the_colors_are_those_of_the_pages():
    for part, color in drawing.COLORS.items():
        assert PAPER[f"--part-{part.replace('_', '-')}"] == color


@pytest.mark.parametrize(
    ("setting", "units", "chosen", "asked", "paper"),
    [
        ("", "imperial", "", "", "letter"),
        ("", "metric", "", "", "a4"),
        ("a4", "imperial", "", "", "a4"),
        ("a4", "imperial", "letter", "", "letter"),
        ("", "metric", "letter", "", "letter"),
        ("a4", "imperial", "", "letter", "letter"),
        ("letter", "metric", "", "foolscap", "letter"),
    ],
)
def test_paper(setting, units, chosen, asked, paper):
    with override_settings(SHEET_PAPER=setting):
        reader = factories.make_user(units=units, paper=chosen)
        assert paper_for(asked, reader.sheet_paper) == paper


def test_papers_have_their_size(player, sessions):
    sheet = athlete_sheet(player, Session.objects.all(), units="metric")
    assert b"/MediaBox [0 0 612.00 792.00]" in pdf.render(sheet, "letter")
    assert b"/MediaBox [0 0 595.28 841.89]" in pdf.render(sheet, "a4")


def test_the_file_has_title_language_and_a_described_figure(player):
    from athletes.analysis import run

    session = factories.make_session(player=player)
    factories.store_simulated(session, factories.simulated_movements()[:3])
    run.analyze_session(session.pk)
    sheet = session_sheet(session, Session.objects.all(), units="metric")
    content = pdf.render(sheet, "a4")
    assert b"/Lang (en-US)" in content
    assert b"/DisplayDocTitle true" in content
    assert b"/MarkInfo <</Marked true>>" in content
    assert b"/Alt " in content


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Żółć Ñ", "Żółć Ñ"),
        ("Иван", "Иван"),
        ("דוד", "דוד"),
        ("大谷", "□□"),
        ("\u202egnirts", "gnirts"),
        ("a\x00b\nc", "abc"),
        ("🏏👨‍👩‍👧", "□□□□"),
        ("😀", "😀"),
        ("<b>&amp;", "<b>&amp;"),
    ],
)
def test_what_cannot_be_printed_is_a_box(text, shown):
    assert pdf.printable(text) == shown


@pytest.mark.parametrize(
    ("first", "last", "short"),
    [
        ("Ada", "Quill", "Ada Q."),
        ("Ada", "", "Ada"),
        ("", "Quill", "Q."),
        ("", "", "Athlete"),
    ],
)
def test_short_names(first, last, short):
    player = factories.make_player(first_name=first, last_name=last)
    assert short_name(player) == short


def test_cut_text_stays_on_one_line():
    assert cut("a\n b", 9) == "a b"
    assert cut("abcdef", 4) == "abc…"


# --- Views ---------------------------------------------------------------


@pytest.fixture
def coach(client):
    user = factories.make_user()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return user


def test_looking_and_downloading_are_in_the_audit(client, coach, player, sessions):
    page = client.get(f"/athletes/{player.pk}/sheet/")
    assert page["Cache-Control"] == "private, no-store"
    client.head(f"/athletes/{player.pk}/sheet/")
    file = client.get(f"/athletes/sessions/{sessions[0].pk}/sheet.pdf?paper=a4")
    assert file["Content-Type"] == "application/pdf"
    assert file["Content-Disposition"] == (
        f'attachment; filename="swing-sheet-session-{sessions[0].pk}-2026-01-02.pdf"'
    )
    assert file.content.startswith(b"%PDF-")
    assert io.BytesIO(file.content).read(5)
    entries = AuditEntry.objects.filter(player_number=player.pk).order_by("pk")
    assert [
        (
            entry.action,
            entry.user_id,
            entry.subject_type,
            entry.subject_id,
            entry.detail,
        )
        for entry in entries
    ] == [
        (
            Action.SHEET_VIEWED,
            coach.pk,
            "athletes.player",
            player.pk,
            {"what": "athlete sheet"},
        ),
        (
            Action.DATA_EXPORTED,
            coach.pk,
            "athletes.session",
            sessions[0].pk,
            {"what": "session sheet", "format": "PDF"},
        ),
    ]


@override_settings(FACILITY_NAME="North & Sons")
def test_the_facility_stands_at_the_head(client, coach, player, sessions):
    page = client.get(f"/athletes/{player.pk}/sheet/").content.decode()
    assert "<bdi>North &amp; Sons</bdi>" in page
    content = client.get(f"/athletes/{player.pk}/sheet.pdf").content
    assert "North & Sons" in page_texts(content)


def test_page_and_file_say_the_same(client, coach, player, sessions):
    page = client.get(f"/athletes/{player.pk}/sheet/")
    sheet = page.context["sheet"]
    html = page.content.decode().replace("&#x27;", "'")
    words = " ".join(
        page_texts(client.get(f"/athletes/{player.pk}/sheet.pdf").content).split()
    )
    for text in (*sheet.findings, *sheet.remarks, sheet.data_line, sheet.made_line):
        assert text in html
        assert text in words


@pytest.mark.parametrize(("count", "queries"), [(1, 20), (4, 20)])
def test_queries_do_not_grow_with_sessions(
    client, coach, player, count, queries, django_assert_max_num_queries
):
    for month in range(1, count + 1):
        measured(player, dt.date(2026, month, 2), peak_hand_speed=9.0)
    with django_assert_max_num_queries(queries):
        client.get(f"/athletes/{player.pk}/sheet/")


def test_notes_stand_on_the_sheet_where_their_writer_wants_them(
    client, coach, player, sessions
):
    newest, swing = sessions[-1], sessions[-1].movements.first()
    long = "keep the hands back " * 20
    for text, about in {
        "of an older session": {"session": sessions[0], "on_sheet": True},
        "too old to have room": {"player": player, "on_sheet": True},
        "good one": {"session": newest, "movement": swing, "on_sheet": True},
        long: {"player": player, "on_sheet": True},
        "not for the sheet": {"session": newest, "on_sheet": False},
    }.items():
        Note.objects.create(text=text, **about)
    every = Session.objects.all()
    (one, two) = athlete_sheet(player, every, units="metric").notes
    assert (one.text[:20], one.text[-1], len(one.text)) == (long[:20], "…", 280)
    assert (two.text, two.line.startswith("Swing 1 · ")) == ("good one", True)
    # A session's sheet has nothing that is on the athlete.
    (only,) = session_sheet(newest, every, units="metric").notes
    assert only == two
    for address in (f"/athletes/{player.pk}/sheet.pdf",):
        content = client.get(address).content
        assert "good one" in page_texts(content)
        assert pages_of(content) == 1
    assert "good one" in client.get(f"/athletes/{player.pk}/sheet/").content.decode()


def test_peak_hand_speed_is_never_called_contact(player):
    session = measured(player, dt.date(2026, 1, 2))
    for metric, mean in (("side_bend_ref", 20.0), ("lead_knee_ext", 30.0)):
        factories.make_session_metric(
            session=session,
            metric=metric,
            mean=mean,
            n=5,
            basis="reference=hand_peak",
        )
    sheet = athlete_sheet(player, Session.objects.all(), units="metric")
    assert "Side bend at peak hand speed" in [row.name for row in sheet.rows]
    texts = [note.text for note in sheet.footnotes]
    texts += [one.line for one in sheet.key_numbers]
    assert any("from foot down to peak hand speed." in text for text in texts)
    assert any("Window: foot down to peak hand speed." in text for text in texts)
    assert not [text for text in texts if "contact" in text]
