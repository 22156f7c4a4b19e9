"""Admin of accounts: tokens shown once, nobody raises themselves."""

import re

import pytest

from accounts.audit import record
from accounts.models import Action, ApiToken, AuditEntry, Team, User
from accounts.services import create_token, find_token
from athletes.models import Player
from sharing.links import make_link
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client):
    user = factories.make_staff()
    client.force_login(user)
    return user


@pytest.mark.parametrize("model", ["user", "team", "apitoken", "auditentry"])
@pytest.mark.parametrize("count", [1, 3])
def test_lists_open_for_staff(
    client, staff, model, count, django_assert_max_num_queries
):
    for _ in range(count):
        token, _ = create_token(name="a", team=factories.make_team(), by=staff)
        record(Action.SYNC_REQUESTED, by=token)
        factories.make_user()
    with django_assert_max_num_queries(12):
        response = client.get(f"/admin/accounts/{model}/")
    assert response.status_code == 200


@pytest.mark.parametrize("model", ["user", "team", "apitoken"])
def test_forms_open_for_staff(client, staff, model):
    token, _ = create_token(name="a", team=factories.make_team())
    pks = {"user": factories.make_user().pk, "team": token.team_id}
    pk = pks.get(model, token.pk)
    assert client.get(f"/admin/accounts/{model}/add/").status_code == 200
    assert client.get(f"/admin/accounts/{model}/{pk}/change/").status_code == 200


def test_coaches_do_not_enter_the_admin(client):
    client.force_login(factories.make_user())
    response = client.get("/admin/accounts/user/")
    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")


# --- Tokens -----------------------------------------------------------------------


def test_a_token_is_made_and_shown_once(client, staff):
    team = factories.make_team()
    response = client.post(
        "/admin/accounts/apitoken/add/",
        {
            "name": "importer",
            "scope": "sync",
            "team": team.pk,
            "expires_at_0": "",
            "expires_at_1": "",
        },
    )
    assert response.status_code == 200
    secret = re.search(r"swd_[\w-]{43}", response.content.decode())[0]
    assert "no-store" in response["Cache-Control"]
    token = find_token(secret)
    assert (token.name, token.scope, token.team, token.created_by) == (
        "importer",
        "sync",
        team,
        staff,
    )
    assert AuditEntry.objects.get(action=Action.TOKEN_CREATED).user == staff
    for path in ("", f"{token.pk}/change/", f"{token.pk}/history/"):
        page = client.get(f"/admin/accounts/apitoken/{path}").content.decode()
        assert secret not in page
        assert token.digest not in page


def test_what_a_token_may_do_is_fixed(client, staff):
    token, _ = create_token(name="a", team=factories.make_team())
    response = client.post(
        f"/admin/accounts/apitoken/{token.pk}/change/",
        {"name": "b", "scope": "sync", "team": "", "expires_at_0": "", "_save": "1"},
    )
    assert response.status_code == 302
    after = ApiToken.objects.get()
    assert (after.name, after.scope, after.team) == ("b", "read", token.team)


def test_tokens_are_revoked_together(client, staff):
    tokens = [create_token(name="a")[0] for _ in range(2)]
    kept, _ = create_token(name="kept")
    response = client.post(
        "/admin/accounts/apitoken/",
        {"action": "revoke", "_selected_action": [token.pk for token in tokens]},
    )
    assert response.status_code == 302
    assert ApiToken.objects.usable().get() == kept
    assert AuditEntry.objects.filter(action=Action.TOKEN_REVOKED).count() == 2
    listed = client.get("/admin/accounts/apitoken/?state=usable")
    assert [row.pk for row in listed.context["cl"].result_list] == [kept.pk]


def test_tokens_are_not_deleted(client, staff):
    token, _ = create_token(name="a")
    response = client.post(
        f"/admin/accounts/apitoken/{token.pk}/delete/", {"post": "yes"}
    )
    assert response.status_code == 403
    assert ApiToken.objects.exists()


# --- Users ------------------------------------------------------------------------


def user_fields(user, **changes):
    return {
        "username": user.username,
        "email": user.email,
        "units": user.units,
        "is_active": "on",
        "Team_members-TOTAL_FORMS": "0",
        "Team_members-INITIAL_FORMS": "0",
        "_save": "1",
        **changes,
    }


def test_staff_make_coaches_only(client, staff):
    response = client.post(
        "/admin/accounts/user/add/",
        {
            "username": "newcoach",
            "usable_password": "true",
            "password1": "seven-invented-words",
            "password2": "seven-invented-words",
            "is_staff": "on",
            "is_superuser": "on",
            "Team_members-TOTAL_FORMS": "0",
            "Team_members-INITIAL_FORMS": "0",
        },
    )
    assert response.status_code == 302
    made = User.objects.get(username="newcoach")
    assert (made.is_staff, made.is_superuser) == (False, False)


def test_staff_cannot_raise_a_coach(client, staff):
    coach = factories.make_user()
    response = client.post(
        f"/admin/accounts/user/{coach.pk}/change/",
        user_fields(coach, is_staff="on", is_superuser="on", first_name="Changed"),
    )
    assert response.status_code == 302
    coach.refresh_from_db()
    assert coach.first_name == "Changed"
    assert (coach.is_staff, coach.is_superuser) == (False, False)
    entry = AuditEntry.objects.get(action=Action.RECORD_CHANGED)
    assert (entry.user, entry.subject_id) == (staff, coach.pk)


@pytest.mark.parametrize("who", ["himself", "colleague", "superuser"])
def test_staff_cannot_change_staff_nor_their_passwords(client, staff, who):
    target = {
        "himself": lambda: staff,
        "colleague": factories.make_staff,
        "superuser": factories.make_superuser,
    }[who]()
    fields = user_fields(target, is_superuser="on", first_name="Changed")
    response = client.post(f"/admin/accounts/user/{target.pk}/change/", fields)
    assert response.status_code == 403
    new = {"password1": "seven-invented-words", "password2": "seven-invented-words"}
    response = client.post(f"/admin/accounts/user/{target.pk}/password/", new)
    assert response.status_code == 403
    before = target.password
    target.refresh_from_db()
    assert (target.first_name, target.password) == ("", before)


def test_staff_cannot_delete_users(client, staff):
    coach = factories.make_user()
    response = client.post(f"/admin/accounts/user/{coach.pk}/delete/", {"post": "yes"})
    assert response.status_code == 403
    assert User.objects.filter(pk=coach.pk).exists()


def test_superusers_make_staff(client):
    client.force_login(factories.make_superuser())
    coach = factories.make_user()
    response = client.post(
        f"/admin/accounts/user/{coach.pk}/change/", user_fields(coach, is_staff="on")
    )
    assert response.status_code == 302
    coach.refresh_from_db()
    assert coach.is_staff


def test_users_are_logged_out_together(client, staff):
    coach, colleague = factories.make_user(), factories.make_staff()
    client.post(
        "/admin/accounts/user/",
        {
            "action": "log_out_on_all_devices",
            "_selected_action": [coach.pk, colleague.pk],
        },
    )
    generations = dict(User.objects.values_list("pk", "session_generation"))
    assert generations[coach.pk] == 1
    assert generations[colleague.pk] == 0
    entry = AuditEntry.objects.get(action=Action.LOGGED_OUT_EVERYWHERE)
    assert (entry.user, entry.subject_id) == (staff, coach.pk)


@pytest.mark.parametrize("how", ["page", "action"])
def test_deleting_a_team_says_what_goes_with_it(client, staff, how):
    player = factories.make_player()
    seeing, blind = (factories.make_user(limited_to_teams=True) for _ in range(2))
    team = factories.make_team(players=[player], members=[seeing, blind])
    factories.make_team(members=[seeing])
    token, secret = create_token(name="importer", team=team)
    if how == "page":
        path, data = f"/admin/accounts/team/{team.pk}/delete/", {}
        page = client.get(path).content.decode()
    else:
        path = "/admin/accounts/team/"
        data = {"action": "delete_selected", "_selected_action": [team.pk]}
        page = client.post(path, data).content.decode()
    assert "Athletes who leave the team: 1; they and their data stay" in page
    assert "API token ends: importer" in page
    assert f"Will see no athletes: {blind.username}" in page
    assert f"Will see no athletes: {seeing.username}" not in page
    assert client.post(path, {**data, "post": "yes"}).status_code == 302
    assert not Team.objects.filter(pk=team.pk).exists()
    assert Player.objects.filter(pk=player.pk).exists()
    assert find_token(secret) is None
    entries = AuditEntry.objects.filter(user=staff).order_by("id")
    assert [(e.action, e.subject_id) for e in entries] == [
        (Action.TOKEN_REVOKED, token.pk),
        (Action.RECORD_DELETED, team.pk),
    ]


def test_staff_put_athletes_and_coaches_into_teams(client, staff):
    player, coach = factories.make_player(), factories.make_user()
    response = client.post(
        "/admin/accounts/team/add/",
        {"name": "Under 16", "players": [player.pk], "members": [coach.pk]},
    )
    assert response.status_code == 302
    team = Team.objects.get(name="Under 16")
    assert (team.players.get(), team.members.get()) == (player, coach)


@pytest.mark.parametrize("change", ["deactivated", "no longer staff", "deleted"])
def test_who_leaves_takes_his_tokens_along(client, change):
    boss, leaving = factories.make_superuser(), factories.make_staff()
    client.force_login(boss)
    token, secret = create_token(name="importer", by=leaving)
    path = f"/admin/accounts/user/{leaving.pk}"
    page = client.get(f"{path}/change/").content.decode()
    assert f'href="/admin/accounts/apitoken/{token.pk}/change/"' in page
    if change == "deleted":
        assert "importer" in client.get(f"{path}/delete/").content.decode()
        client.post(f"{path}/delete/", {"post": "yes"})
    elif change == "deactivated":
        client.post(
            f"{path}/change/", user_fields(leaving, is_staff="on") | {"is_active": ""}
        )
    else:
        client.post(f"{path}/change/", user_fields(leaving))
    assert find_token(secret) is None
    entry = AuditEntry.objects.get(action=Action.TOKEN_REVOKED)
    assert (entry.user, entry.subject_id) == (boss, token.pk)


def test_saving_staff_leaves_their_tokens_alone(client):
    client.force_login(factories.make_superuser())
    other = factories.make_staff()
    _, secret = create_token(name="importer", by=other)
    path = f"/admin/accounts/user/{other.pk}/change/"
    client.post(path, user_fields(other, is_staff="on", first_name="Changed"))
    assert find_token(secret) is not None


def test_tokens_are_taken_over_in_the_list(client, staff):
    leaving = factories.make_staff()
    token, secret = create_token(name="importer", by=leaving)
    client.post(
        "/admin/accounts/apitoken/",
        {"action": "take_over", "_selected_action": [token.pk]},
    )
    leaving.delete()
    assert find_token(secret).created_by == staff


# --- Audit ------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["staff", "superuser"])
def test_the_audit_is_only_looked_at(client, who):
    maker = {"staff": factories.make_staff, "superuser": factories.make_superuser}
    user = maker[who]()
    client.force_login(user)
    entry = record(Action.SYNC_REQUESTED, by=user)
    path = f"/admin/accounts/auditentry/{entry.pk}"
    assert client.get(f"{path}/change/").status_code == 200
    assert client.post(f"{path}/change/", {"actor": "x"}).status_code == 403
    assert client.post(f"{path}/delete/", {"post": "yes"}).status_code == 403
    assert client.get("/admin/accounts/auditentry/add/").status_code == 403


def test_the_audit_is_searched_by_athlete_and_user(client):
    record(Action.DATA_EXPORTED, by=factories.make_user(username="asker"), player_id=7)
    # No name here holds a digit: a search for 7 must not meet one by chance.
    other = factories.make_staff(username="other")
    client.force_login(other)
    record(Action.DATA_EXPORTED, by=other, player_id=77)
    for query in ("7", "asker"):
        page = client.get("/admin/accounts/auditentry/", {"q": query})
        assert [row.player_number for row in page.context["cl"].result_list] == [7]


def test_the_audit_says_what_was_done_in_words(client, staff):
    record(
        Action.SYNC_REQUESTED,
        sync_type="full",
        is_new=True,
        fields=["a", "b"],
        n=1,
    )
    page = client.get("/admin/accounts/auditentry/").content.decode()
    assert "fields: a, b, is new: yes, n: 1, sync type: full" in page
    assert "the system" in page


def _details(subject):
    found = AuditEntry.objects.filter(
        action=Action.RECORD_CHANGED,
        subject_type=subject._meta.label_lower,
        subject_id=subject.pk,
    )
    return [entry.detail for entry in found.order_by("id")]


def test_who_comes_into_a_team_and_leaves_it_is_recorded(client, staff):
    stays, goes, comes = (factories.make_player() for _ in range(3))
    coach = factories.make_user()
    team = factories.make_team(players=[stays, goes])
    path = f"/admin/accounts/team/{team.pk}/change/"
    data = {"name": team.name, "players": [stays.pk, comes.pk], "members": [coach.pk]}
    for _ in range(2):  # the second time nothing is new
        assert client.post(path, data).status_code == 302
    assert _details(team) == [
        {
            "athletes_added": [comes.pk],
            "athletes_removed": [goes.pk],
            "coaches_added": [coach.pk],
        }
    ]


def test_teams_of_a_coach_are_recorded(client, staff):
    coach, team = factories.make_user(), factories.make_team()
    data = {
        "username": coach.username,
        "units": coach.units,
        "is_active": "on",
        "Team_members-TOTAL_FORMS": "1",
        "Team_members-INITIAL_FORMS": "0",
        "Team_members-0-team": team.pk,
    }
    response = client.post(f"/admin/accounts/user/{coach.pk}/change/", data)
    assert response.status_code == 302
    assert list(coach.teams.all()) == [team]
    assert {"teams_added": [team.pk]} in _details(coach)


def test_a_password_that_staff_set_is_recorded(client, staff):
    coach = factories.make_user()
    path = f"/admin/accounts/user/{coach.pk}/password/"
    assert client.post(path, {"password1": "short"}).status_code == 200
    assert _details(coach) == []
    password = {"password1": "a-long-new-word-77", "password2": "a-long-new-word-77"}
    data = {**password, "usable_password": "true", "set-password": "1"}
    assert client.post(path, data).status_code == 302
    assert _details(coach) == [{"fields": ["password"]}]


@pytest.mark.parametrize("spelling", ["{}", "0{}", "%20{}", "+{}", "0_{}"])
def test_an_own_password_is_not_changed_without_the_old_one(client, spelling):
    # The administration reads "_24" in an address as a quoted "$", so the key is given.
    chief = factories.make_superuser(pk=7)
    client.force_login(chief)
    path = f"/admin/accounts/user/{spelling.format(chief.pk)}/password/"
    password = {"password1": "a-long-new-word-77", "password2": "a-long-new-word-77"}
    data = {**password, "usable_password": "true", "set-password": "1"}
    for answer in (client.get(path), client.post(path, data)):
        assert answer.status_code == 302
        assert answer["Location"] == "/accounts/password_change/"
    chief.refresh_from_db()
    assert chief.check_password(factories.PASSWORD)


@pytest.mark.parametrize("right", [False, True])
def test_the_administration_has_no_page_of_its_own_for_a_new_password(client, right):
    """Its form asked for the old one as often as anybody liked, unseen."""
    chief = factories.make_superuser()
    client.force_login(chief)
    old = factories.PASSWORD if right else "wrong"
    new = "seven-invented-words"
    for _ in range(9):
        answer = client.post(
            "/admin/password_change/",
            {"old_password": old, "new_password1": new, "new_password2": new},
        )
        assert (answer.status_code, answer["Location"]) == (
            302,
            "/accounts/password_change/",
        )
    assert client.get("/admin/password_change/done/")["Location"] == (
        "/accounts/password_change/done/"
    )
    chief.refresh_from_db()
    assert chief.check_password(factories.PASSWORD)


def test_logging_out_of_the_administration_ends_at_the_login(client, staff):
    assert client.get("/admin/logout/").status_code == 405
    assert client.post("/admin/logout/")["Location"] == "/accounts/login/"
    assert client.get("/admin/").status_code == 302


# --- The audit's records ----------------------------------------------------------


def audit_page(client):
    return client.get("/admin/accounts/auditentry/").content.decode()


def test_an_entry_leads_to_its_record_and_its_athlete(client, staff):
    coach = factories.make_user(username="coach-robin")
    player = factories.make_player(first_name="Ash", last_name="Maple")
    record(Action.LOGIN_LOCKED, subject=coach)
    record(Action.RECORD_CHANGED, by=staff, subject=player, player_id=player.pk)
    page = audit_page(client)
    assert (
        f'<a href="/admin/accounts/user/{coach.pk}/change/">user coach-robin</a>'
        in page
    )
    assert (
        f'<a href="/admin/athletes/player/{player.pk}/change/">athlete Ash Maple</a>'
        in page
    )
    entry = AuditEntry.objects.get(action=Action.RECORD_CHANGED)
    shown = client.get(f"/admin/accounts/auditentry/{entry.pk}/change/")
    assert "athlete Ash Maple</a>" in shown.content.decode()


def test_an_entry_about_an_erased_athlete_has_a_number_alone(client, staff):
    player = factories.make_player(first_name="Ash", last_name="Maple")
    pk = player.pk
    record(Action.RECORD_CHANGED, by=staff, subject=player, player_id=pk)
    player.delete()
    page = audit_page(client)
    assert f"athlete {pk}, no longer here" in page
    assert "Maple" not in page
    assert f"/admin/athletes/player/{pk}/" not in page


def test_records_are_named_to_those_who_may_look_at_them(client, staff, monkeypatch):
    token, _ = create_token(name="importer")
    record(Action.TOKEN_REVOKED, subject=token)
    assert "importer" in audit_page(client)
    may = {"accounts": frozenset()}
    monkeypatch.setattr("accounts.backends.STAFF_MAY", may)
    monkeypatch.setattr(
        "accounts.backends.STAFF_MAY_ALSO", frozenset({"accounts.view_auditentry"})
    )
    page = audit_page(client)
    assert f"API token {token.pk}" in page
    assert "importer" not in page


def test_names_in_the_audit_are_only_text(client, staff):
    player = factories.make_player(first_name="<script>x</script>", last_name="")
    record(Action.RECORD_CHANGED, player_id=player.pk)
    page = audit_page(client)
    assert "<script>x" not in page
    assert "&lt;script&gt;x" in page


def test_changed_fields_are_called_as_on_their_form(client, staff):
    player = factories.make_player()
    record(
        Action.RECORD_CHANGED,
        subject=player,
        player_id=player.pk,
        fields=["height_ft", "no_such_field"],
    )
    assert "fields: height (decimal feet), no such field" in audit_page(client)


@pytest.mark.parametrize("count", [2, 20])
def test_the_audit_asks_once_for_each_kind_of_record(
    client, staff, count, django_assert_max_num_queries
):
    for _ in range(count):
        player = factories.make_player()
        record(Action.RECORD_CHANGED, subject=player, player_id=player.pk)
        record(Action.LOGIN_LOCKED, subject=factories.make_user())
    with django_assert_max_num_queries(12):
        audit_page(client)


def test_staff_end_share_links(client, staff):
    player = factories.make_player()
    link, token = make_link(by=factories.make_user(), player=player)
    answer = client.post(
        "/admin/sharing/sharelink/",
        {"action": "revoke_links", "_selected_action": [link.pk]},
    )
    assert answer.status_code == 302
    assert client.get(f"/shared/{token}/").status_code == 404
