"""Share links: what they open, for how long, and who takes them away."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client, override_settings
from django.utils import timezone

from accounts.models import Action, AuditEntry
from privacy import erasing
from reboot_site.logs import redact
from sharing import links
from sharing.models import ShareLink
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_counts():
    cache.clear()


@pytest.fixture
def coach():
    return factories.make_user(limited_to_teams=True)


@pytest.fixture
def player(coach):
    player = factories.make_player(first_name="Ada", last_name="Quillington")
    factories.make_team(players=[player], members=[coach])
    return player


@pytest.fixture
def stranger():
    return Client()


def shared(player, coach, **fields):
    link, token = links.make_link(by=coach, player=player, **fields)
    return link, f"/shared/{token}/"


def status(url):
    return Client().get(url).status_code


def logged_in(user):
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def test_only_a_hash_of_the_secret_is_stored(player, coach):
    link, token = links.make_link(by=coach, player=player)
    assert len(token) == 43  # 256 bits
    row = ShareLink.objects.filter(pk=link.pk).values().get()
    assert token not in str(row)
    assert row["digest"] == ShareLink.digest_of(token)


@pytest.mark.both
def test_a_coach_makes_a_link_that_is_shown_once(player, coach):
    client = logged_in(coach)
    page = client.post(
        f"/athletes/{player.pk}/sheet/share/", {"days": 3, "label": "for <b>mum</b>"}
    )
    assert page.status_code == 200
    url = page.context["new_url"]
    assert url in page.content.decode()
    again = client.get(f"/athletes/{player.pk}/sheet/").content.decode()
    assert url.split("/")[-2] not in again
    assert "for &lt;b&gt;mum&lt;/b&gt;" in again
    link = ShareLink.objects.get()
    assert (link.label, link.units, link.created_by) == (
        "for <b>mum</b>",
        "imperial",
        coach,
    )
    lasts = link.expires_at - timezone.now()
    assert timedelta(days=2, hours=23) < lasts <= timedelta(days=3)
    assert status(url) == 200


def test_htmx_gets_the_links_alone(player, coach):
    answer = logged_in(coach).post(
        f"/athletes/{player.pk}/sheet/share/",
        {"days": 3},
        headers={"HX-Request": "true"},
    )
    assert answer.templates[0].name == "sharing/_links.html"


@pytest.mark.parametrize("days", ["0", "91", "x", ""])
def test_days_have_bounds(player, coach, days):
    answer = logged_in(coach).post(
        f"/athletes/{player.pk}/sheet/share/", {"days": days}
    )
    assert answer.status_code == 422
    assert not ShareLink.objects.exists()


@override_settings(SHARE_DAYS_MAX=7)
def test_the_facility_sets_the_longest(player, coach):
    page = logged_in(coach).get(f"/athletes/{player.pk}/sheet/")
    assert 'value="7"' in str(page.context["form"]["days"])
    with pytest.raises(ValueError, match="1 to 7 days"):
        links.make_link(by=coach, player=player, days=8)


def test_a_reader_chooses_units_and_paper_and_gets_no_cookie(player, coach, stranger):
    factories.make_session_metric(
        session=factories.make_session(player=player), metric="peak_hand_speed"
    )
    _, url = shared(player, coach)
    assert "mph" in stranger.get(url).content.decode()
    page = stranger.get(url, {"units": "metric"})
    html = page.content.decode()
    assert "m/s" in page.context["sheet"].rows[0].unit
    assert f"{page.context['pdf_url']}?units=metric" in html
    assert (page.context["paper"], page.context["other_units"]) == ("a4", "imperial")
    assert stranger.get(url, {"units": "x"}).context["sheet"].units == "imperial"
    assert not stranger.cookies


def test_it_opens_the_sheet_and_nothing_else(player, coach, stranger):
    _, url = shared(player, coach)
    page = stranger.get(url)
    html = page.content.decode()
    assert page.status_code == 200
    assert "Ada Q." in html
    assert "Quillington" not in html
    assert page["X-Robots-Tag"] == "noindex, nofollow, noarchive"
    assert page["Referrer-Policy"] == "no-referrer"
    assert page["Cache-Control"] == "private, no-store"
    assert 'name="robots" content="noindex' in html
    assert not page.cookies
    import re

    # Links on the page: its PDF, and places in itself.
    assert {
        href
        for href in re.findall(r'<a [^>]*href="([^"]+)"', html)
        if not href.startswith("#")
    } == {f"{url}sheet.pdf", f"{url}sheet.pdf?paper=a4", "?units=metric"}
    assert "<form" not in html
    own = logged_in(coach).get(f"/athletes/{player.pk}/sheet/").content.decode()
    assert "<form" in own
    assert "Quillington" in own
    # And it logs nobody in.
    for path in ("/", f"/athletes/{player.pk}/", f"/players/{player.pk}"):
        assert stranger.get(path).status_code in {302, 401}
    assert stranger.post(url).status_code == 405


def test_the_full_name_only_when_it_was_chosen(player, coach, stranger):
    _, url = shared(player, coach, full_name=True)
    assert "Ada Quillington" in stranger.get(url).content.decode()


def test_it_keeps_the_units_of_its_maker(player, coach, stranger):
    coach.units = "metric"
    coach.save()
    session = factories.make_session(player=player)
    factories.make_swing(session=session)
    factories.make_session_metric(
        session=session, metric="peak_hand_speed", mean=10.0, sd=0.2
    )
    _, url = shared(player, coach)
    coach.units = "imperial"
    coach.save()
    assert "m/s" in stranger.get(url).content.decode()
    assert b"595.28 841.89" in stranger.get(f"{url}sheet.pdf").content
    assert (
        b"[0 0 612.00 792.00]" in stranger.get(f"{url}sheet.pdf?paper=letter").content
    )


def test_a_link_to_a_session_stays_with_it(player, coach, stranger):
    old, new = (
        factories.make_session(player=player, session_date=f"2026-0{month}-01")
        for month in (1, 2)
    )
    for session in (old, new):
        factories.make_session_metric(session=session)
    _, to_newest = shared(player, coach)
    _, to_old = shared(player, coach, session=old)
    assert "Feb 1, 2026" in stranger.get(to_newest).content.decode()
    html = stranger.get(to_old).content.decode()
    assert "Jan 1, 2026" in html
    assert "Feb 1, 2026" not in html


@pytest.mark.both
def test_opening_is_counted_and_nobody_is_named(player, coach, stranger):
    link, url = shared(player, coach)
    stranger.get(url)
    stranger.get(url)
    stranger.get(f"{url}sheet.pdf")
    stranger.head(url)
    link.refresh_from_db()
    assert (link.open_count, link.download_count) == (2, 1)
    assert timezone.now() - link.last_opened_at < timedelta(minutes=1)
    opened = AuditEntry.objects.filter(action=Action.SHARE_OPENED).order_by("pk")
    assert [
        (e.actor, e.user_id, e.subject_id, e.player_number, e.detail) for e in opened
    ] == [
        ("not logged in", None, link.pk, player.pk, {"what": what})
        for what in ("page", "page", "PDF")
    ]


def test_making_and_revoking_are_in_the_audit(player, coach):
    link, _ = shared(player, coach, days=5)
    client = logged_in(coach)
    for _ in range(2):
        client.post(f"/athletes/shares/{link.pk}/revoke/")
    entries = AuditEntry.objects.filter(subject_type="sharing.sharelink")
    assert [(e.action, e.user_id, e.detail) for e in entries.order_by("pk")] == [
        (
            Action.SHARE_CREATED,
            coach.pk,
            {"what": "athlete sheet", "days": 5, "full_name": False},
        ),
        (Action.SHARE_REVOKED, coach.pk, {}),
    ]


def gone_revoked(link, coach, player):
    links.revoke(link=link, by=coach)


def gone_expired(link, coach, player):
    ShareLink.objects.update(expires_at=timezone.now())


def gone_switched_off(link, coach, player):
    coach.is_active = False
    coach.save()


def gone_from_the_team(link, coach, player):
    coach.teams.clear()


def gone_athlete_from_the_team(link, coach, player):
    player.teams.clear()


def gone_account(link, coach, player):
    coach.delete()


@pytest.mark.parametrize(
    "gone",
    [
        gone_revoked,
        gone_expired,
        gone_switched_off,
        gone_from_the_team,
        gone_athlete_from_the_team,
        gone_account,
    ],
)
@pytest.mark.parametrize("of_session", [False, True])
def test_whatever_ends_a_link_it_answers_as_an_unknown_one(
    player, coach, gone, of_session
):
    session = factories.make_session(player=player) if of_session else None
    link, url = shared(player, coach, session=session)
    assert status(url) == 200
    gone(link, coach, player)
    cache.clear()
    unknown = Client().get(f"/shared/{'x' * 43}/")
    for path in (url, f"{url}sheet.pdf"):
        answer = Client().get(path)
        assert answer.status_code == 404
        assert answer.content == unknown.content
        assert answer["X-Robots-Tag"] == unknown["X-Robots-Tag"]
    assert "Ask your coach for a new one" in unknown.content.decode()


def test_the_link_comes_back_with_the_athlete(player, coach):
    _, url = shared(player, coach)
    teams = list(player.teams.all())
    player.teams.clear()
    assert status(url) == 404
    player.teams.set(teams)
    assert status(url) == 200


def test_of_a_merged_athlete_the_kept_one_is_shown(player, coach, stranger):
    kept = factories.make_player(first_name="Grace", last_name="Kept")
    player.teams.get().players.add(kept)
    _, url = shared(player, coach)
    player.merged_into = kept
    player.save()
    assert "Grace K." in stranger.get(url).content.decode()
    kept.teams.clear()
    assert status(url) == 404


def test_an_erased_athletes_links_are_gone(player, coach):
    _, url = shared(player, coach)
    erasing.erase(player=player, by=None)
    assert not ShareLink.objects.exists()
    assert status(url) == 404


def test_staff_see_and_revoke_all_links_coaches_their_own(player, coach):
    staff = factories.make_staff()
    own, _ = shared(player, coach)
    other, url = shared(player, staff)
    assert list(links.links_about(coach, player)) == [own]
    assert list(links.links_about(staff, player)) == [other, own]
    assert (
        logged_in(coach).post(f"/athletes/shares/{other.pk}/revoke/").status_code == 404
    )
    assert status(url) == 200
    logged_in(staff).post(f"/athletes/shares/{own.pk}/revoke/")
    own.refresh_from_db()
    assert own.state == "revoked"


def test_running_links_have_an_end(player, coach):
    for _ in range(links.MOST_RUNNING):
        shared(player, coach)
    answer = logged_in(coach).post(f"/athletes/{player.pk}/sheet/share/", {"days": 3})
    assert answer.status_code == 422
    assert "revoke one first" in answer.content.decode()
    links.revoke(link=ShareLink.objects.first(), by=coach)
    answer = logged_in(coach).post(f"/athletes/{player.pk}/sheet/share/", {"days": 3})
    assert answer.status_code == 200


def test_guessing_is_slowed_down_by_address(player, coach):
    _, url = shared(player, coach)
    guesser = Client(REMOTE_ADDR="192.0.2.7")
    answers = [guesser.get("/shared/wrong/").status_code for _ in range(70)]
    assert answers[0] == 404
    # A minute may turn while we count; then the count begins anew.
    assert 429 in answers or answers.count(404) == 70
    if answers[-1] == 429:
        late = guesser.get(url)
        assert late.status_code in {200, 429}
        if late.status_code == 429:
            assert 1 <= int(late["Retry-After"]) <= 60
    assert Client(REMOTE_ADDR="192.0.2.8").get(url).status_code == 200


def test_logs_do_not_hold_the_secret(player, coach, stranger, caplog):
    _, url = shared(player, coach)
    token = url.split("/")[2]
    with caplog.at_level("DEBUG"):
        stranger.get(url)
        stranger.get(f"{url}sheet.pdf")
        stranger.get(f"/shared/{token}x/")
    ours = [r for r in caplog.records if r.name.startswith("reboot_site")]
    assert ours
    assert not [r.getMessage() for r in ours if token in r.getMessage()]
    assert redact(f"Not Found: {url}sheet.pdf") == "Not Found: /shared/[hidden]"


def test_staff_revoke_in_the_admin(player, coach):
    running, url = shared(player, coach)
    done, _ = shared(player, coach)
    links.revoke(link=done, by=coach)
    staff = factories.make_superuser()
    client = logged_in(staff)
    page = client.get("/admin/sharing/sharelink/").content.decode()
    assert f"/{running.pk}/change/" in page
    assert running.digest not in page
    client.post(
        "/admin/sharing/sharelink/",
        {"action": "revoke_links", "_selected_action": [running.pk, done.pk]},
    )
    assert status(url) == 404
    (entry,) = AuditEntry.objects.filter(action=Action.SHARE_REVOKED, user=staff)
    assert entry.subject_id == running.pk
