"""Limits how often one address tries share links; the address is kept nowhere.

A secret of 256 bits cannot be guessed. This keeps somebody who tries all the same from
costing the facility's own users anything.
"""

from __future__ import annotations

import time

from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from accounts.addresses import client_address, network_of
from accounts.throttle import WINDOW_S, count_calls

CALLS = 60


def wait_s(request: HttpRequest) -> int | None:
    """Count one call; whole seconds to wait when it is one too many."""
    now = int(time.time())
    window, gone = divmod(now, WINDOW_S)
    address = network_of(client_address(request))
    mark = salted_hmac("sharing.throttle", f"{window} {address}", algorithm="sha256")
    key = f"share-calls:{mark.hexdigest()[:32]}"
    calls = count_calls(key, lifetime_s=2 * WINDOW_S)
    return None if calls <= CALLS else WINDOW_S - gone
