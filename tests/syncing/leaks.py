"""Finds in log lines what must never stand in one."""

import re


def patterns(vendor, *, others=()):
    """What to look for, by what it is: secrets, links and names of a vendor's world.

    `others` are secrets of the product itself, such as its key.
    """
    config = vendor.app.config
    secrets = [config.password, config.api_key, *vendor.app._tokens, *others]
    names = {
        name
        for athlete in vendor.world.athletes
        for name in (athlete.first_name, athlete.last_name)
        # Shorter ones are words of any text.
        if len(name) > 3
    }
    found = {
        "secret": _any_of(secrets),
        "authorization": re.compile(r"Bearer |Authorization|\beyJ[\w-]{10}"),
        "link": re.compile(r"X-Amz|Signature=|[?&](?:Expires|Key-Pair-Id)=", re.I),
        "name": _any_of(names, whole_words=True),
    }
    return {kind: pattern for kind, pattern in found.items() if pattern is not None}


def _any_of(words, *, whole_words=False):
    given = sorted({word for word in words if word})
    if not given:
        return None
    joined = "|".join(re.escape(word) for word in given)
    return re.compile(rf"(?<!\w)(?:{joined})(?!\w)" if whole_words else joined)


def leaks(text, looked_for):
    """Each line that holds something of it, as ``kind: line``."""
    return [
        f"{kind}: {line[:300]}"
        for line in text.splitlines()
        for kind, pattern in looked_for.items()
        if pattern.search(line)
    ]
