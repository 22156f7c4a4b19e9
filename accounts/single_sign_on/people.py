"""Whose account a sign-in opens, and what the provider's groups make of it."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.audit import record
from accounts.models import Action, Identity, Team, User
from accounts.services import end_sessions, revoke_tokens_of
from accounts.single_sign_on.refusals import Reason, RefusedError

logger = logging.getLogger(__name__)

COACH, STAFF, SUPERUSER = "coach", "staff", "superuser"
#: In the place of a team: its group sees all athletes.
ALL_ATHLETES = "*"


def sign_in(claims: Mapping[str, Any]) -> User:
    """Find, link or make the account of a person, and give it its role and teams.

    Raises `RefusedError` for who may not come in. Whoever has lost their role loses its
    rights all the same.
    """
    groups = _groups(claims)
    role = _role_of(groups)
    try:
        with transaction.atomic():
            user = _account(claims, role)
            if role is None:
                _take_rights(user)
            else:
                _give_rights(user, role, groups)
    except IntegrityError:
        # The same person in two tabs: the other one has made the account.
        raise RefusedError(Reason.STATE) from None
    if role is None:
        raise RefusedError(Reason.NO_ROLE, user)
    return user


# --- Whose account ----------------------------------------------------------------


def _account(claims: Mapping[str, Any], role: str | None) -> User:
    email = _verified_email(claims)
    subject = str(claims["sub"])
    if not 0 < len(subject) <= 255 or not subject.isprintable():
        raise RefusedError(Reason.CLAIMS)
    identity = (
        Identity.objects.filter(issuer=settings.OIDC_ISSUER, subject=subject)
        .select_related("user")
        .first()
    )
    user = identity.user if identity else None
    if settings.OIDC_EMAIL_DOMAINS:
        if email is None:
            raise RefusedError(Reason.EMAIL_UNVERIFIED, user)
        if email.rpartition("@")[2] not in settings.OIDC_EMAIL_DOMAINS:
            raise RefusedError(Reason.EMAIL_DOMAIN, user)
    if identity is None or user is None:
        return _first_time(claims, subject, email, role)
    if not user.is_active:
        raise RefusedError(Reason.DEACTIVATED, user)
    identity.last_used_at = timezone.now()
    identity.save(update_fields=["last_used_at"])
    return user


def _first_time(
    claims: Mapping[str, Any], subject: str, email: str | None, role: str | None
) -> User:
    if email is None:
        raise RefusedError(Reason.EMAIL_UNVERIFIED)
    found = list(User.objects.filter(email__iexact=email)[:2])
    # Databases fold letters of other scripts in ways of their own.
    found = [user for user in found if user.email.lower() == email]
    if len(found) > 1:
        raise RefusedError(Reason.EMAIL_TWICE)
    if found:
        user = found[0]
        _refuse_to_link(user, role)
        action = Action.SIGN_ON_LINKED
    elif role is None:
        raise RefusedError(Reason.NO_ROLE)
    elif not settings.OIDC_CREATE_USERS:
        raise RefusedError(Reason.UNKNOWN)
    else:
        user = _new_user(claims, email)
        action = Action.SIGN_ON_CREATED
    Identity.objects.create(user=user, issuer=settings.OIDC_ISSUER, subject=subject)
    record(action, by=user, subject=user)
    return user


def _refuse_to_link(user: User, role: str | None) -> None:
    """Do nothing for an account that its mail address may open."""
    if not settings.OIDC_LINK_BY_EMAIL:
        raise RefusedError(Reason.NOT_LINKED, user)
    if not user.is_active:
        raise RefusedError(Reason.DEACTIVATED, user)
    if Identity.objects.filter(user=user, issuer=settings.OIDC_ISSUER).exists():
        raise RefusedError(Reason.LINKED_OTHERWISE, user)
    if role is None:
        raise RefusedError(Reason.NO_ROLE, user)
    # An address alone opens no account that can do everything.
    if user.is_superuser and role != SUPERUSER:
        raise RefusedError(Reason.SUPERUSER, user)


def _verified_email(claims: Mapping[str, Any]) -> str | None:
    """Return the mail address, in small letters; None for one that is not verified."""
    email = claims.get("email")
    # Some send booleans as text.
    is_verified = claims.get(settings.OIDC_EMAIL_VERIFIED_CLAIM) in (True, "true", "1")
    if not is_verified or not isinstance(email, str) or not email.isascii():
        return None
    try:
        validate_email(email)
    except ValidationError:
        return None
    return email.lower()


def _new_user(claims: Mapping[str, Any], email: str) -> User:
    """Make a coach without teams, who sees nobody yet, and without a password."""
    wanted = re.sub(r"[^\w.@+-]", "-", email)[:140]
    name, number = wanted, 1
    while User.objects.filter(username=name).exists():
        number += 1
        name = f"{wanted}-{number}"
    return User.objects.create_user(
        name,
        email,
        first_name=_name(claims.get("given_name")),
        last_name=_name(claims.get("family_name")),
        limited_to_teams=True,
    )


def _name(value: object) -> str:
    text = value if isinstance(value, str) else ""
    return "".join(letter for letter in text if letter.isprintable()).strip()[:150]


# --- What groups make of it -------------------------------------------------------


def _groups(claims: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the person's groups; a claim inside others has dots."""
    name = settings.OIDC_GROUPS_CLAIM
    value: Any = claims.get(name)
    if value is None:
        value = claims
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        return frozenset()
    return frozenset(group for group in value if isinstance(group, str))


def _role_of(groups: frozenset[str]) -> str | None:
    """Return the role that groups give; None for nobody who has one here."""
    if groups & set(settings.OIDC_SUPERUSER_GROUPS):
        return SUPERUSER
    if groups & set(settings.OIDC_STAFF_GROUPS):
        return STAFF
    if settings.OIDC_COACH_GROUPS and not groups & set(settings.OIDC_COACH_GROUPS):
        return None
    return COACH


def _give_rights(user: User, role: str, groups: frozenset[str]) -> None:
    before = _rights(user)
    if settings.OIDC_SUPERUSER_GROUPS:
        user.is_superuser = role == SUPERUSER
    if settings.OIDC_SUPERUSER_GROUPS or settings.OIDC_STAFF_GROUPS:
        # Superusers of the administration stay what they are, for emergencies.
        user.is_staff = role in (STAFF, SUPERUSER) or user.is_superuser
    if before["is_staff"] and not user.is_staff:
        # Whoever saw all athletes by their role sees those of their teams from now on.
        user.limited_to_teams = True
    names = {team for group, team in settings.OIDC_TEAM_GROUPS if group in groups}
    if settings.OIDC_TEAM_GROUPS:
        user.limited_to_teams = ALL_ATHLETES not in names
    _keep(user, before, _set_teams(user, names))


def _take_rights(user: User) -> None:
    """Take what the groups gave, and end what this user has open."""
    before = _rights(user)
    if settings.OIDC_SUPERUSER_GROUPS:
        user.is_superuser = False
    if settings.OIDC_SUPERUSER_GROUPS or settings.OIDC_STAFF_GROUPS:
        user.is_staff = user.is_superuser
    if not user.is_superuser:
        user.limited_to_teams = True
    _keep(user, before, _set_teams(user, set()))
    end_sessions(user)


def _rights(user: User) -> dict[str, bool]:
    return {
        name: getattr(user, name)
        for name in ("is_staff", "is_superuser", "limited_to_teams")
    }


def _keep(user: User, before: dict[str, bool], teams: dict[str, list[int]]) -> None:
    now = _rights(user)
    changed = {name: value for name, value in now.items() if before[name] != value}
    if changed.get("is_staff") or changed.get("is_superuser"):
        # Whoever made the account or lent it out may know its password: what the
        # provider gives is the provider's to open.
        user.set_unusable_password()
        user.save(update_fields=["password"])
        end_sessions(user)
    if changed:
        user.save(update_fields=list(changed))
    if changed or teams:
        told: dict[str, Any] = changed | teams
        record(Action.SIGN_ON_RIGHTS, by=user, subject=user, **told)
    if not user.may_make_tokens():
        revoke_tokens_of(user, by=user)


def _set_teams(user: User, names: set[str]) -> dict[str, list[int]]:
    """Put a user into these of the teams that groups name, and out of the others."""
    mapped = {team for _, team in settings.OIDC_TEAM_GROUPS} - {ALL_ATHLETES}
    teams = {team.name: team for team in Team.objects.filter(name__in=mapped)}
    if missing := sorted(mapped - teams.keys()):
        logger.warning(
            "OIDC_TEAM_GROUPS names teams that don't exist here: %s. Add them under "
            "Administration, Teams, or correct the setting.",
            ", ".join(missing),
        )
    before = set(Team.objects.filter(members=user).values_list("pk", flat=True))
    told: dict[str, list[int]] = {}
    for name, team in sorted(teams.items()):
        if name in names and team.pk not in before:
            team.members.add(user)
            told.setdefault("teams_added", []).append(team.pk)
        elif name not in names and team.pk in before:
            team.members.remove(user)
            told.setdefault("teams_removed", []).append(team.pk)
    return told
