"""A first sync as it is written at first: one call after another.

    DATABASE_URL=… REBOOT_BASE_URL=… python -m benchmarks.naive_sync

Each file is read, stored and analyzed before the next one is asked for, with the
product's own functions, so that what it is compared with differs in the order of
things alone: nothing side by side, and no jobs that could be taken up again.
Prints one JSON object: seconds of listing, seconds of the sessions, their number.
"""

from __future__ import annotations

import io
import json
import os
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import django

if TYPE_CHECKING:
    from athletes.models import Player, Session
    from syncing.client.reboot import RebootClient


def main() -> None:
    """Sync one thing after another and print what it took as JSON."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reboot_site.settings")
    django.setup()

    from django.conf import settings

    from athletes.models import Player
    from syncing.client.reboot import RebootClient
    from syncing.engine.vendor import vendor_credentials
    from syncing.mapping import HITTING_SLUG, map_player

    client = RebootClient(
        base_url=settings.REBOOT_BASE_URL,
        credentials=vendor_credentials(),
        plain_http_hosts=[urlsplit(settings.REBOOT_BASE_URL).netloc],
    )
    began = time.monotonic()
    hitting_id = next(
        item.id for item in client.movement_types() if item.slug == HITTING_SLUG
    )
    players = {
        item.org_player_id: Player.objects.create(**map_player(item).fields)
        for item in client.players()
    }
    listed = list(client.sessions())
    listing_s = time.monotonic() - began

    began = time.monotonic()
    counts: Counter[str] = Counter()
    for item in listed:
        counts["movements"] += sync_session(client, item.id, players, hitting_id)
        counts["sessions"] += 1
    sys.stdout.write(
        json.dumps(
            {
                "listing_s": listing_s,
                "sessions_s": time.monotonic() - began,
                "sessions": counts["sessions"],
                "movements": counts["movements"],
                "requests": client.requests_sent.total,
            }
        )
        + "\n"
    )


def sync_session(
    client: RebootClient, session_id: str, players: dict[str, Player], hitting_id: int
) -> int:
    """Store and analyze one session of the vendor; return how many movements it has."""
    from athletes.analysis.run import analyze_session
    from athletes.analysis.summaries import refresh_player_summaries
    from athletes.models import Session
    from syncing.choices import ExportType
    from syncing.mapping import HITTING_SLUG, map_session

    analyzed = 0
    detail = client.session(session_id)
    fields = map_session(detail).fields | {"movement_type_name": HITTING_SLUG}
    for participant in detail.players or ():
        player = players[participant.org_player_id]
        row = Session.objects.create(**fields, player=player)
        for data_type in (
            ExportType.METADATA,
            ExportType.INVERSE_KINEMATICS,
            ExportType.MOMENTUM_ENERGY,
        ):
            fetch_files(client, row, data_type.value, hitting_id)
        analyzed += analyze_session(row.pk).analyzed
        refresh_player_summaries([player.pk])
    return analyzed


def fetch_files(
    client: RebootClient, row: Session, data_type: str, hitting_id: int
) -> None:
    """Ask for the files of one data type of a session, read and store them."""
    from syncing.engine.incoming import IncomingFiles, read_limits, store_incoming
    from syncing.reader.packing import read_and_pack

    reply = client.request_export(
        session_id=row.session_id,
        org_player_id=row.player.org_player_id,
        movement_type_id=hitting_id,
        data_type=data_type,
    )
    if reply.state != "ready":
        return
    for url in reply.download_urls:
        file = io.BytesIO()
        client.download(url, file)
        read = IncomingFiles()
        result = read_and_pack(
            file, data_type=data_type, known_movement_id=None, limits=read_limits()
        )
        read.add(result, list)
        store_incoming(
            read, session_pk=row.pk, data_type=data_type, is_whole_session=True
        )


if __name__ == "__main__":
    main()
