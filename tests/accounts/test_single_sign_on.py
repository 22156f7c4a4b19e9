"""Single sign-on against a provider in a process of its own, which lies where asked."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.test import Client

from accounts.models import Action, ApiToken, AuditEntry, Authenticator, Identity, User
from accounts.single_sign_on import provider as provider_module
from accounts.single_sign_on.refusals import Reason, in_words
from tests import factories
from tests.oidc_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    Provider,
    running_provider,
    switch_on,
)

pytestmark = [pytest.mark.django_db, pytest.mark.processes]

START = "/accounts/sign-on/"
BACK = "/accounts/sign-on/back/"
MAIL = "kim@facility.invalid"
PERSON = {"email": MAIL, "email_verified": True}


@pytest.fixture(scope="module")
def running():
    with running_provider() as found:
        yield found


@pytest.fixture(autouse=True)
def on(settings, running):
    """The settings, with single sign-on on; new people get an account."""
    switch_on(settings, running)
    cache.clear()
    return settings


@pytest.fixture
def provider(running) -> Provider:
    running.knows("kim", **PERSON)
    return running


def leave(client, **query):
    """Go to the provider: the address of its page."""
    answer = client.get(START, query)
    assert answer.status_code == 302, answer.content
    return answer["Location"]


def sign_in(client, provider, sub="kim", **query):
    """All the way there and back; the last answer."""
    return client.get(provider.log_in(leave(client, **query), sub))


def is_logged_in(client):
    return client.get("/players").status_code == 200


def page(client, path):
    """What a browser gets."""
    return client.get(path, headers={"Accept": "text/html"})


def refusals():
    entries = AuditEntry.objects.filter(action=Action.SIGN_ON_REFUSED)
    return [entry.detail["reason"] for entry in entries.order_by("pk")]


def assert_refused(answer, client, reason, status=403):
    assert answer.status_code == status
    assert in_words(reason).replace("'", "&#x27;") in answer.content.decode()
    assert refusals() == [reason]
    assert not is_logged_in(client)


# --- Getting in -------------------------------------------------------------------


def test_a_new_person_becomes_a_coach_who_sees_nobody(client, provider):
    provider.knows("kim", **PERSON, given_name="Kim\n", family_name="O’Neil")
    player = factories.make_player()
    answer = sign_in(client, provider, next=f"/athletes/{player.pk}/")
    assert answer["Location"] == f"/athletes/{player.pk}/"
    user = User.objects.get()
    assert (user.username, user.email) == (MAIL, MAIL)
    assert (user.first_name, user.last_name) == ("Kim", "O’Neil")
    assert (user.is_staff, user.is_superuser) == (False, False)
    assert not user.has_usable_password()
    assert is_logged_in(client)
    assert client.get(answer["Location"]).status_code == 404
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject_id) == (Action.SIGN_ON_CREATED, user.pk)
    # The next time it is the same account, whatever the mail address is by then.
    provider.knows("kim", email="other@facility.invalid")
    client.logout()
    sign_in(client, provider)
    assert client.session["_auth_user_id"] == str(user.pk)
    assert "device" in client.cookies


def test_pkce_state_nonce_and_scopes_go_along(client, provider):
    query = parse_qs(urlsplit(leave(client)).query)
    assert query["code_challenge_method"] == ["S256"]
    assert {len(query[name][0]) > 15 for name in ("state", "nonce", "code_challenge")}
    assert query["scope"] == ["openid profile email"]
    assert query["redirect_uri"] == [f"http://testserver{BACK}"]
    assert "prompt" not in query


@pytest.mark.both
def test_an_account_is_linked_by_its_verified_address(client, provider):
    user = factories.make_user(email=MAIL.title())
    sign_in(client, provider)
    assert client.session["_auth_user_id"] == str(user.pk)
    identity = Identity.objects.get()
    assert (identity.user, identity.subject) == (user, "kim")
    assert AuditEntry.objects.get().action == Action.SIGN_ON_LINKED
    # Without setup of rights by groups, they stay as they were.
    user.refresh_from_db()
    assert not user.limited_to_teams
    assert user.check_password(factories.PASSWORD)


@pytest.mark.parametrize(
    "target", ["https://elsewhere.invalid/", "//elsewhere.invalid"]
)
def test_it_leads_nowhere_else(client, provider, target):
    assert sign_in(client, provider, next=target)["Location"] == "/"


@pytest.mark.both
def test_an_identity_belongs_to_one_user_and_one_person(db):
    one, other = factories.make_user(), factories.make_user()
    Identity.objects.create(user=one, issuer="https://a.invalid", subject="1")
    for wrong in (
        {"user": other, "issuer": "https://a.invalid", "subject": "1"},
        {"user": one, "issuer": "https://a.invalid", "subject": "2"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Identity.objects.create(**wrong)
    Identity.objects.create(user=one, issuer="https://b.invalid", subject="1")


# --- What the provider says is not believed ---------------------------------------

HOUR = 3600
SPOILED = {
    "nonce": ({"claims": {"nonce": "of another sign-in"}}, Reason.NONCE),
    "no nonce": ({"drop": ["nonce"]}, Reason.NONCE),
    "issuer": ({"claims": {"iss": "https://elsewhere.invalid"}}, Reason.ISSUER),
    "audience": ({"claims": {"aud": "another program"}}, Reason.AUDIENCE),
    # Whoever got a token for another program may not use it here.
    "audience of another, for us": (
        {"claims": {"aud": ["another program"], "azp": CLIENT_ID}},
        Reason.AUDIENCE,
    ),
    "authorized party": (
        {"claims": {"aud": [CLIENT_ID, "another"], "azp": "another"}},
        Reason.AUDIENCE,
    ),
    "expired": ({"claims": {"exp": 1_700_000_000}}, Reason.EXPIRED),
    "no end": ({"drop": ["exp"]}, Reason.EXPIRED),
    "from the future": ({"claims": {"iat": 4_000_000_000}}, Reason.CLAIMS),
    "nobody": ({"drop": ["sub"]}, Reason.CLAIMS),
    "long name": ({"claims": {"sub": "x" * 256}}, Reason.CLAIMS),
    "other access token": ({"claims": {"at_hash": "AAAA"}}, Reason.CLAIMS),
    "another key": ({"sign": "another key"}, Reason.SIGNATURE),
    "altered": ({"sign": "altered"}, Reason.SIGNATURE),
    "no signature": ({"sign": "none"}, Reason.ALGORITHM),
    "our secret as key": ({"sign": "our secret"}, Reason.ALGORITHM),
    "public key as secret": ({"sign": "public key"}, Reason.ALGORITHM),
    "no token": ({"sign": "no token"}, Reason.ANSWER),
}


@pytest.mark.parametrize("case", SPOILED)
def test_a_spoiled_token_logs_nobody_in(case, client, provider, caplog):
    how, reason = SPOILED[case]
    provider.spoil(**how)
    user = factories.make_user(email=MAIL)
    with caplog.at_level(logging.DEBUG):
        answer = sign_in(client, provider)
    assert_refused(answer, client, reason)
    assert not Identity.objects.exists()
    # Neither in the log nor on the page is anything of a person or a secret.
    assert f"refused: {reason}" in caplog.text
    ours = "".join(r.getMessage() for r in caplog.records if "urllib3" not in r.name)
    for secret in (MAIL, "kim", user.username, CLIENT_SECRET, "eyJ"):
        assert secret not in ours
    for secret in (MAIL, user.username, CLIENT_SECRET):
        assert secret not in answer.content.decode()
    # The same sign-in cannot be used again, and a right one works afterward.
    provider.spoil()
    assert sign_in(client, provider).status_code == 302
    assert is_logged_in(client)


@pytest.mark.parametrize(
    ("discovery", "reason", "status"),
    [
        ({"issuer": "https://elsewhere.invalid"}, Reason.ISSUER, 403),
        ({"id_token_signing_alg_values_supported": ["none", "HS256"]},
         Reason.ALGORITHM, 403),
        ({"token_endpoint": "ftp://elsewhere.invalid/"}, Reason.ANSWER, 403),
        ({"token_endpoint": None}, Reason.ANSWER, 403),
    ],
    ids=["issuer", "algorithms", "scheme", "nothing"],
)  # fmt: skip
def test_a_provider_that_describes_another_is_refused(
    discovery, reason, status, client, provider
):
    provider.spoil(discovery=discovery)
    assert_refused(client.get(START), client, reason, status)


def test_a_provider_that_offers_no_signature_too_is_not_believed_without_one(
    client, provider
):
    algorithms = ["RS256", "none", "HS256"]
    for sign in ("none", "public key", "our secret"):
        AuditEntry.objects.all()._raw_delete("default")
        provider_module._provider.cache_clear()
        discovery = {"id_token_signing_alg_values_supported": algorithms}
        provider.spoil(sign=sign, discovery=discovery)
        assert_refused(sign_in(client, provider), client, Reason.ALGORITHM)


def test_a_provider_that_is_away_is_said_so(client, on):
    on.OIDC_ISSUER = "http://127.0.0.1:9"
    assert_refused(client.get(START), client, Reason.UNREACHABLE, 503)


# --- The way back -----------------------------------------------------------------


def test_a_wrong_state_is_refused(client, provider):
    back = provider.log_in(leave(client), "kim")
    answer = client.get(back.replace("state=", "state=x"))
    assert_refused(answer, client, Reason.STATE, 400)
    # It is used up by that: nobody tries one state after another.
    assert client.get(back).status_code == 400


def test_it_comes_back_to_the_browser_that_left_and_once(client, provider):
    """Whoever gets a victim to open their own way back logs nobody in."""
    back = provider.log_in(leave(client), "kim")
    other = Client()
    assert_refused(other.get(back), other, Reason.STATE, 400)
    assert client.get(back).status_code == 302
    client.logout()
    assert client.get(back).status_code == 400
    assert not is_logged_in(client)


def test_it_takes_ten_minutes_at_most(client, provider):
    back = provider.log_in(leave(client), "kim")
    session = client.session
    session["single_sign_on"] |= {"at": time.time() - 601}
    session.save()
    assert_refused(client.get(back), client, Reason.STATE, 400)


def test_another_code_verifier_gets_no_token(client, provider):
    back = provider.log_in(leave(client), "kim")
    session = client.session
    session["single_sign_on"] |= {"code_verifier": "x" * 48}
    session.save()
    assert_refused(client.get(back), client, Reason.ANSWER)


def test_another_provider_that_answers_is_refused(client, provider):
    back = provider.log_in(leave(client), "kim")
    answer = client.get(back + "&iss=https%3A%2F%2Felsewhere.invalid")
    assert_refused(answer, client, Reason.ISSUER)


def test_who_cancels_there_is_told_so(client, provider):
    back = provider.log_in(leave(client), "kim", action="deny")
    assert "error=access_denied" in back
    state = parse_qs(urlsplit(leave(client)).query)["state"][0]
    answer = client.get(BACK, {"error": "access_denied", "state": state})
    assert_refused(answer, client, Reason.DENIED)


@pytest.mark.parametrize("value", ["", "é", "٣", "x" * 5000, "]\n"])
def test_whatever_comes_back_is_answered(value, client, provider):
    leave(client)
    answer = client.get(BACK, {"state": value, "code": value, "iss": value})
    assert_refused(answer, client, Reason.STATE, 400)


def test_one_network_has_so_many_tries(client, provider, on):
    on.LOGIN_FAILURES_PER_NETWORK = 3
    for _ in range(3):
        assert client.get(BACK).status_code == 400
    assert client.get(BACK).status_code == 429
    answer = client.get(START)
    assert answer.status_code == 429
    assert answer["Retry-After"] == "900"
    # What comes after is not recorded: the audit does not grow with it.
    assert len(refusals()) == 3
    elsewhere = Client(REMOTE_ADDR="192.0.2.9")
    assert elsewhere.get(START).status_code == 302


# --- Who may come in --------------------------------------------------------------


# Databases differ in how they compare letters.
@pytest.mark.both
@pytest.mark.parametrize(
    "claims",
    [
        {"email": MAIL},
        {"email": MAIL, "email_verified": False},
        {"email": MAIL, "email_verified": "false"},
        {"email": MAIL, "email_verified": 1 + 1},
        {"email_verified": True},
        {"email": "kim", "email_verified": True},
        {"email": [MAIL], "email_verified": True},
        # The Kelvin sign is a K in the eyes of some databases.
        {"email": "\u212aim@facility.invalid", "email_verified": True},
    ],
)
def test_an_address_that_is_not_verified_opens_nothing(claims, client, provider):
    factories.make_user(email=MAIL)
    provider.knows("kim", **claims)
    assert_refused(sign_in(client, provider), client, Reason.EMAIL_UNVERIFIED)
    assert not Identity.objects.exists()


def test_only_known_people_come_in_where_nobody_is_added(client, provider, on):
    on.OIDC_CREATE_USERS = False
    assert_refused(sign_in(client, provider), client, Reason.UNKNOWN)
    assert not User.objects.exists()


def test_without_linking_an_account_keeps_its_own_way_in(client, provider, on):
    on.OIDC_LINK_BY_EMAIL = False
    user = factories.make_user(email=MAIL)
    assert_refused(sign_in(client, provider), client, Reason.NOT_LINKED)
    assert AuditEntry.objects.get().subject_id == user.pk
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("email", "reason"),
    [
        ("kim@elsewhere.invalid", Reason.EMAIL_DOMAIN),
        ("kim@facility.invalid.elsewhere.invalid", Reason.EMAIL_DOMAIN),
        ("kim@sub.facility.invalid", Reason.EMAIL_DOMAIN),
    ],
)
def test_other_domains_stay_outside(email, reason, client, provider, on):
    on.OIDC_EMAIL_DOMAINS = ["facility.invalid"]
    provider.knows("kim", email=email, email_verified=True)
    assert_refused(sign_in(client, provider), client, reason)


def test_a_linked_user_whose_address_leaves_the_domain_stays_outside(
    client, provider, on
):
    sign_in(client, provider)
    client.logout()
    on.OIDC_EMAIL_DOMAINS = ["facility.invalid"]
    provider.knows("kim", email="kim@elsewhere.invalid", email_verified=True)
    assert_refused(sign_in(client, provider), client, Reason.EMAIL_DOMAIN)


def test_the_next_owner_of_an_address_does_not_get_the_account(client, provider):
    user = factories.make_user(email=MAIL)
    sign_in(client, provider)
    client.logout()
    provider.knows("successor", **PERSON)
    answer = sign_in(client, provider, "successor")
    assert_refused(answer, client, Reason.LINKED_OTHERWISE)
    assert Identity.objects.get().user == user


def test_two_accounts_of_one_address_are_nobodys(client, provider):
    factories.make_user(email=MAIL)
    factories.make_user(email=MAIL.upper())
    assert_refused(sign_in(client, provider), client, Reason.EMAIL_TWICE)


@pytest.mark.parametrize("is_linked", [True, False])
def test_a_deactivated_user_stays_outside(is_linked, client, provider):
    user = factories.make_user(email=MAIL)
    if is_linked:
        sign_in(client, provider)
        assert is_logged_in(client)
    user.is_active = False
    user.save()
    assert not is_logged_in(client)
    assert_refused(sign_in(client, provider), client, Reason.DEACTIVATED)


def test_an_address_opens_no_account_of_a_superuser(client, provider, on):
    on.OIDC_STAFF_GROUPS = ["admins"]
    user = factories.make_superuser(email=MAIL)
    provider.knows("kim", **PERSON, groups=["admins"])
    assert_refused(sign_in(client, provider), client, Reason.SUPERUSER)
    user.refresh_from_db()
    assert user.is_superuser


# --- Roles and teams --------------------------------------------------------------


def signed_in_with(client, provider, groups, **more):
    provider.knows("kim", **PERSON, groups=groups, **more)
    answer = sign_in(client, provider)
    user = User.objects.get(email=MAIL)
    return user, answer


def test_groups_make_staff_and_take_it_away_again(client, provider, on):
    on.OIDC_STAFF_GROUPS = ["managers", "owners"]
    user, _ = signed_in_with(client, provider, ["owners"])
    assert user.is_staff
    assert not user.is_superuser
    assert client.get("/admin/").status_code == 200
    factories.make_token(by=user)
    user, _ = signed_in_with(client, provider, ["cleaners"])
    assert not user.is_staff
    assert user.limited_to_teams
    assert client.get("/admin/").status_code == 302
    assert ApiToken.objects.get().revoked_at is not None
    entries = AuditEntry.objects.filter(action=Action.SIGN_ON_RIGHTS).order_by("pk")
    assert [entry.detail for entry in entries] == [
        {"is_staff": True},
        {"is_staff": False},
    ]


def test_rights_from_groups_do_not_open_with_a_password_of_before(client, provider, on):
    """Staff could make a coach's account for somebody who is to be a superuser."""
    user = factories.make_user(email=MAIL)
    elsewhere = Client()
    elsewhere.force_login(user)
    on.OIDC_SUPERUSER_GROUPS = ["root"]
    user, _ = signed_in_with(client, provider, ["root"])
    assert user.is_superuser
    assert is_logged_in(client)
    assert not user.has_usable_password()
    assert not is_logged_in(elsewhere)


def test_no_group_makes_a_superuser_unless_one_is_named(client, provider, on):
    on.OIDC_STAFF_GROUPS = ["superuser", "staff"]
    user, _ = signed_in_with(client, provider, ["superuser"], is_superuser=True)
    assert user.is_staff
    assert not user.is_superuser
    on.OIDC_SUPERUSER_GROUPS = ["root"]
    user, _ = signed_in_with(client, provider, ["root"])
    assert user.is_superuser
    user, _ = signed_in_with(client, provider, ["staff"])
    assert (user.is_staff, user.is_superuser) == (True, False)


def test_a_superuser_of_the_administration_stays_one(client, provider, on):
    user, _ = signed_in_with(client, provider, [])
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    on.OIDC_STAFF_GROUPS = ["managers"]
    user, _ = signed_in_with(client, provider, [])
    assert (user.is_staff, user.is_superuser) == (True, True)


def test_who_is_in_no_group_any_more_loses_all_at_once(client, provider, on):
    team = factories.make_team()
    on.OIDC_COACH_GROUPS = ["coaches"]
    on.OIDC_STAFF_GROUPS = ["managers"]
    on.OIDC_TEAM_GROUPS = (("blue", team.name),)
    user, _ = signed_in_with(client, provider, ["managers", "blue"])
    assert list(user.teams.all()) == [team]
    other = Client()
    user, answer = signed_in_with(other, provider, ["blue"])
    assert_refused(answer, other, Reason.NO_ROLE)
    assert not user.is_staff
    assert not user.teams.exists()
    # The session that was open elsewhere has ended.
    assert not is_logged_in(client)
    provider.knows("stranger", email="new@facility.invalid", email_verified=True)
    assert sign_in(other, provider, "stranger").status_code == 403
    assert User.objects.count() == 1


def test_groups_put_into_teams_and_out_again(client, provider, on):
    blue, red, own = (factories.make_team() for _ in range(3))
    on.OIDC_TEAM_GROUPS = (("b", blue.name), ("r", red.name), ("all", "*"))
    athlete, hidden = factories.make_player(), factories.make_player()
    blue.players.add(athlete)
    user, _ = signed_in_with(client, provider, ["b"])
    own.members.add(user)
    assert user.limited_to_teams
    assert client.get(f"/athletes/{athlete.pk}/").status_code == 200
    assert client.get(f"/athletes/{hidden.pk}/").status_code == 404
    user, _ = signed_in_with(client, provider, ["r"])
    # Teams that the setting does not name are the administration's.
    assert set(user.teams.all()) == {red, own}
    assert client.get(f"/athletes/{athlete.pk}/").status_code == 404
    entry = AuditEntry.objects.filter(action=Action.SIGN_ON_RIGHTS).latest("pk")
    assert entry.detail == {"teams_added": [red.pk], "teams_removed": [blue.pk]}
    user, _ = signed_in_with(client, provider, ["all"])
    assert not user.limited_to_teams
    assert client.get(f"/athletes/{hidden.pk}/").status_code == 200


def test_a_team_that_is_not_there_is_told_in_the_log(client, provider, on, caplog):
    on.OIDC_TEAM_GROUPS = (("b", "No such team"),)
    signed_in_with(client, provider, ["b"])
    words = "OIDC_TEAM_GROUPS names teams that don't exist here: No such team"
    assert words in caplog.text
    assert is_logged_in(client)


@pytest.mark.parametrize(
    ("name", "claims"),
    [
        ("roles", {"roles": "managers"}),
        ("realm_access.roles", {"realm_access": {"roles": ["managers"]}}),
        (
            "https://facility.invalid/roles",
            {"https://facility.invalid/roles": ["managers"]},
        ),
    ],
)
def test_groups_may_stand_elsewhere(name, claims, client, provider, on):
    on.OIDC_STAFF_GROUPS = ["managers"]
    on.OIDC_GROUPS_CLAIM = name
    provider.knows("kim", **PERSON, **claims)
    sign_in(client, provider)
    assert User.objects.get().is_staff


def test_groups_and_mail_may_come_from_userinfo(client, provider, on):
    on.OIDC_STAFF_GROUPS = ["managers"]
    provider.spoil(drop=["email", "email_verified", "groups"])
    user, _ = signed_in_with(client, provider, ["managers"])
    assert user.is_staff


def test_userinfo_of_somebody_else_is_refused(client, provider):
    provider.spoil(drop=["email"], claims={"sub": "other"})
    assert_refused(sign_in(client, provider), client, Reason.CLAIMS)


# --- Second factor ----------------------------------------------------------------


def with_second_factor(user):
    Authenticator.objects.create(
        user=user,
        name="authenticator",
        sealed_key=Authenticator.sealed(b"twenty invented bytes"),
    )
    return user


def test_our_second_factor_is_asked_for(client, provider):
    with_second_factor(factories.make_user(email=MAIL))
    answer = sign_in(client, provider, next="/athletes/")
    assert answer["Location"] == "/accounts/login/code/?next=%2Fathletes%2F"
    assert not is_logged_in(client)
    assert "device" not in client.cookies
    answer = client.post("/accounts/login/code/", {"code": "000000"})
    assert answer.status_code == 422
    assert not is_logged_in(client)


@pytest.mark.parametrize(
    ("said", "setting"),
    [
        ({"amr": ["pwd", "otp"]}, {"OIDC_SECOND_FACTOR_AMR": ["mfa", "otp"]}),
        ({"acr": "high"}, {"OIDC_SECOND_FACTOR_ACR": ["high"]}),
    ],
)
def test_the_providers_second_factor_counts_where_it_is_named(
    said, setting, client, provider, on
):
    on.STAFF_NEED_SECOND_FACTOR = True
    with_second_factor(factories.make_staff(email=MAIL))
    provider.spoil(claims=said)
    # Not by itself:
    assert "/login/code/" in sign_in(client, provider)["Location"]
    for name, value in setting.items():
        setattr(on, name, value)
    sign_in(client, provider)
    assert client.get("/admin/").status_code == 200
    # When the setting goes, what it let in is asked for a second factor again.
    for name in setting:
        setattr(on, name, [])
    assert page(client, "/admin/")["Location"] == "/accounts/second-factor/"
    # And another login of the same session without one does not keep it.
    for name, value in setting.items():
        setattr(on, name, value)
    provider.spoil(claims={"amr": ["pwd"], "acr": "low"})
    assert "/login/code/" in sign_in(client, provider)["Location"]


def test_acr_values_are_asked_for(client, provider, on):
    on.OIDC_SECOND_FACTOR_ACR = ["high", "higher"]
    query = parse_qs(urlsplit(leave(client)).query)
    assert query["acr_values"] == ["high higher"]


def test_who_has_no_password_shows_the_provider_who_they_are(client, provider, on):
    on.STAFF_NEED_SECOND_FACTOR = True
    on.OIDC_STAFF_GROUPS = ["managers"]
    signed_in_with(client, provider, ["managers"])
    assert page(client, "/admin/")["Location"] == "/accounts/second-factor/"
    turn_on = "/accounts/second-factor/on/"
    to = client.get(turn_on)["Location"]
    assert to == f"{START}?again=1&next=%2Faccounts%2Fsecond-factor%2Fon%2F"
    assert client.post(turn_on)["Location"] == "/accounts/second-factor/"
    there = client.get(to)["Location"]
    query = parse_qs(urlsplit(there).query)
    assert (query["prompt"], query["max_age"]) == (["login"], ["0"])
    # A provider that does not say when it asked has not shown that it did.
    provider.spoil(drop=["auth_time"])
    answer = client.get(provider.log_in(there, "kim"))
    assert answer.status_code == 403
    assert refusals() == [Reason.NOT_FRESH]
    provider.spoil(claims={"auth_time": int(time.time()) - HOUR})
    there = client.get(to)["Location"]
    assert client.get(provider.log_in(there, "kim")).status_code == 403
    provider.spoil(claims={"auth_time": int(time.time())})
    there = client.get(to)["Location"]
    assert client.get(provider.log_in(there, "kim"))["Location"] == turn_on
    shown = client.get(turn_on).content.decode()
    assert "Two steps" in shown
    assert 'type="password"' not in shown
    assert "Change password" not in shown
    on.STAFF_NEED_SECOND_FACTOR = False
    assert client.get("/accounts/password_change/")["Location"] == "/"


# --- Sessions, and passwords beside it --------------------------------------------


def test_sessions_end_when_single_sign_on_is_switched_off(client, provider, on):
    sign_in(client, provider)
    assert is_logged_in(client)
    on.AUTHENTICATION_BACKENDS = on.AUTHENTICATION_BACKENDS[:-1]
    assert not is_logged_in(client)


def test_after_a_logout_the_provider_has_to_ask_who_it_is(client, provider):
    """Else the next coach at a shared tablet would be the last one."""
    factories.make_staff(email=MAIL)
    for path in ("/accounts/logout/", "/accounts/logout-everywhere/", "/admin/logout/"):
        sign_in(client, provider)
        client.post(path)
        assert not is_logged_in(client), path
        query = parse_qs(urlsplit(leave(client)).query)
        assert query["prompt"] == ["login"], path
    sign_in(client, provider)
    assert "prompt" not in parse_qs(urlsplit(leave(client)).query)


def test_the_login_page_offers_both(client, on):
    shown = client.get("/accounts/login/", {"next": "/athletes/"}).content.decode()
    assert 'href="/accounts/sign-on/?next=%2Fathletes%2F"' in shown
    assert "Sign in with Facility ID" in shown
    assert 'name="password"' in shown


def test_superusers_keep_their_password_where_it_is_the_only_way(client, on):
    on.OIDC_ONLY = True
    shown = client.get("/accounts/login/").content.decode()
    assert 'name="password"' not in shown
    assert "?local=1" in shown
    local = "/accounts/login/?local=1"
    assert 'name="password"' in client.get(local).content.decode()
    for user in (factories.make_user(), factories.make_staff()):
        form = {"username": user.username, "password": factories.PASSWORD}
        answer = client.post(local, form)
        assert "Only superusers log in with a password here" in answer.content.decode()
        assert not is_logged_in(client)
    user = factories.make_superuser()
    form = {"username": user.username, "password": factories.PASSWORD}
    assert client.post(local, form).status_code == 302
    assert is_logged_in(client)


# --- In the administration --------------------------------------------------------


def test_staff_see_and_end_the_link_of_a_coach(client, provider, admin_client):
    user = factories.make_user(email=MAIL)
    change = f"/admin/accounts/user/{user.pk}/change/"
    assert "Not linked" in admin_client.get(change).content.decode()
    sign_in(client, provider)
    assert "Linked since" in admin_client.get(change).content.decode()
    form = {"action": "unlink_single_sign_on", "_selected_action": [user.pk]}
    admin_client.post("/admin/accounts/user/", form)
    assert not Identity.objects.exists()
    assert not is_logged_in(client)
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.subject_id) == (Action.SIGN_ON_UNLINKED, user.pk)
    assert entry.user != user


def test_staff_do_not_end_the_link_of_staff(client, provider):
    user = factories.make_staff(email=MAIL)
    sign_in(client, provider)
    other = Client()
    other.force_login(
        factories.make_staff(), "django.contrib.auth.backends.ModelBackend"
    )
    form = {"action": "unlink_single_sign_on", "_selected_action": [user.pk]}
    other.post("/admin/accounts/user/", form)
    assert Identity.objects.get().user == user


# --- Off --------------------------------------------------------------------------

OFF = """
import sys
import django
django.setup()
from django.urls import Resolver404, get_resolver
try:
    get_resolver().resolve("/accounts/sign-on/")
except Resolver404:
    print([name for name in sys.modules if "single_sign_on" in name
           and name != "reboot_site.single_sign_on" and "migrations" not in name
           or name.partition(".")[0] in ("authlib", "joserfc")])
"""


def test_nothing_of_it_is_there_while_it_is_off(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", OFF],
        env={
            "DEBUG": "1",
            "VAR_DIR": str(tmp_path),
            "DJANGO_SETTINGS_MODULE": "reboot_site.settings",
            # Else Python compiles every library that it imports.
            **{n: v for n, v in os.environ.items() if n.startswith("PYTHONPYC")},
        },
        cwd=django_settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
