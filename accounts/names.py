"""Names typed at the login, as they are looked up and kept, and names of staff."""

from __future__ import annotations

from django.utils.crypto import salted_hmac

from accounts.models import User

_LONGEST = User._meta.get_field("username").max_length or 0


def find_user(name: str) -> User | None:
    """The user of this name; None for a name that no user can have."""
    if not name or len(name) > _LONGEST or "\0" in name:
        return None  # PostgreSQL answers both with an error
    return User.objects.filter(username=name).first()


def counted_name(name: str) -> str:
    """The name under which a failed login is counted and kept.

    A name that no user has is replaced by a digest of it: people type their
    password into that field. The same name has the same digest, so it is counted
    and locked like a user's.
    """
    if find_user(name) is not None:
        return name
    # No user's name has spaces, so this is none.
    digest = salted_hmac("accounts.names", name, algorithm="sha256")
    return f"unknown name {digest.hexdigest()[:16]}"


def staff_in_words() -> str:
    """Return up to three members of staff by name, for coaches to ask."""
    staff = User.objects.filter(is_active=True, is_staff=True, last_login__isnull=False)
    found = staff.order_by("-last_login", "pk")[:3]
    names = [each.get_full_name() or each.username for each in found]
    return f"Ask {' or '.join(names)}." if names else "Ask staff."
