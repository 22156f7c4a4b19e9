"""That all is as the vendor has it, once everything has come to rest."""

import datetime as dt

from athletes.models import BiomechanicsData, Movement, Player, Session
from athletes.names import search_text
from simulator.population import SLUG_OF_TYPE
from syncing.models import ExportJob, MovementType, SyncCursor, VendorSession
from tests.syncing.model import spec


def _measures(athlete):
    """Height, weight and hands, where the vendor's text is plain."""
    found = {pair["key"]: pair["value"] for pair in athlete.attributes}
    hands = {"RHA": "right", "LHA": "left", "SHA": "switch"}
    measures = {}
    for name in ("height_ft", "weight_lbs"):
        if found.get(name, "").replace(".", "").isdecimal():
            measures[name] = float(found[name])
    for name, key in (
        ("hitting", "dom_hand_hitting"),
        ("throwing", "dom_hand_throwing"),
    ):
        if found.get(key) in hands:
            measures[f"dominant_hand_{name}"] = hands[found[key]]
    return measures


def stored_frames(key):
    """Hashes of the frames that a part has of one data type, by movement."""
    movements = Movement.objects.of_part(key[0])
    return {
        frames.movement.vendor_name: frames.content_sha256
        for frames in BiomechanicsData.objects.filter(
            movement__in=movements, data_type=key[1], missing_since=None
        )
        .select_related("movement")
        .defer("frames")
    }


class SameAsTheVendor:
    """Holds the database against the vendor's world.

    `need` fails with a history when what it is given does not hold; `erased` are the
    vendor's ids of athletes whom nobody may see again.
    """

    def __init__(self, app, need, *, erased, now):
        self.app, self.need = app, need
        self.erased, self.now = erased, now

    def athletes(self):
        world, need = self.app.world, self.need
        listed = {a.org_player_id: a for a in world.listed_athletes()}
        ours = {p.org_player_id: p for p in Player.everyone.all()}
        for org_player_id, athlete in listed.items():
            if org_player_id in self.erased:
                continue
            player = ours.get(org_player_id)
            need(player is not None, f"athlete {athlete.number} is not here")
            need(player.missing_since is None, f"athlete {athlete.number} is missing")
            self._same_fields(
                player,
                reboot_player_id=athlete.id,
                first_name=athlete.first_name,
                last_name=athlete.last_name,
                search_text=search_text(athlete.first_name, athlete.last_name),
                date_of_birth=athlete.date_of_birth
                and dt.date.fromisoformat(athlete.date_of_birth),
                vendor_updated_at=athlete.updated_at,
                **_measures(athlete),
            )
        for player in ours.values():
            family = {
                player.pk,
                *Player.everyone.filter(merged_into=player).values_list(
                    "pk", flat=True
                ),
            }
            names = {p.org_player_id for p in ours.values() if p.pk in family}
            need(
                (player.missing_since is None) == bool(names & listed.keys()),
                f"athlete {player.pk} missing since {player.missing_since}",
            )

    def sessions(self):
        world, need = self.app.world, self.need
        listed = {s.id: s for s in world.listed_sessions()}
        rows = {row.session_id: row for row in VendorSession.objects.all()}
        for session_id in listed:
            need(session_id in rows, f"session {session_id} is not listed")
        for session_id, row in rows.items():
            need(
                (row.missing_since is None) == (session_id in listed),
                f"session {session_id} missing since {row.missing_since}",
            )
            need(
                row.missing_since or not row.last_error,
                f"session {session_id}: {row.last_error}",
            )
            need(
                session_id not in listed or not row.needs_detail,
                f"session {session_id} was not read",
            )
        removed = {a.org_player_id for a in world.athletes if a.removed}
        for session_id, session in listed.items():
            hitters = set()
            for org_player_id in set(session.athletes) - self.erased - removed:
                if (
                    session.slug == "baseball-hitting"
                    and org_player_id not in session.no_data_for
                ):
                    hitters.add(org_player_id)
            shown = {
                row.vendor_player_id
                for row in Session.objects.filter(
                    session_id=session_id, missing_since=None
                ).select_related("player", "recorded_as")
            }
            rows = Session.objects.filter(session_id=session_id)
            if rows.exclude(folded_into=None).exists():
                continue  # one row shows the parts of several records
            # Where the counts do not tell, a vendor who did not say "no data" once
            # is believed for good.
            doubtful = set()
            if getattr(session, "is_mixed", False) or getattr(
                session, "is_empty", False
            ):
                doubtful = set(session.athletes) - self.erased - removed
            need(
                hitters <= shown <= hitters | doubtful,
                f"session {session_id} shows {shown} and not {hitters}",
            )
        for row in Session.objects.filter(missing_since=None):
            need(row.session_id in listed, f"row {row.pk} of a session that is gone")
            session = listed[row.session_id]
            self._same_fields(
                row,
                session_date=session.session_date,
                session_num=str(session.session_num),
                session_type_name={1: "practice", 2: "game"}[session.session_type_id],
                vendor_status=session.status,
                vendor_updated_at=session.updated_at,
                movement_type_name="baseball-hitting",
                movement_type_id=1,
            )
        for row in Session.objects.select_related("player"):
            folded = row.folded_into_id is not None
            need(
                folded or row.player.merged_into_id is None,
                f"row {row.pk} belongs to an athlete that was merged",
            )

    def _same_fields(self, row, **fields):
        for name, value in fields.items():
            found = getattr(row, name)
            self.need(
                found == value, f"{row._meta.model_name} {row.pk}: {name} is {found!r}"
            )

    def lists(self):
        """The vendor's list, the cursor behind it, and its kinds of movements."""
        world, need = self.app.world, self.need
        listed = {s.id: s for s in world.listed_sessions()}
        for row in VendorSession.objects.filter(missing_since=None):
            session = listed[row.session_id]
            self._same_fields(row, vendor_updated_at=session.updated_at)
            hits = session.slug == "baseball-hitting"
            known = set(row.participants.values())
            need(
                not known or ("hitting" in known) == (row.verdict == "hitting"),
                f"session {row.session_id} is {row.verdict} by {row.participants}",
            )
            need(hits or row.verdict == "other", f"{row.session_id} is {row.verdict}")
        newest = max((s.updated_at for s in listed.values()), default=None)
        cursor = SyncCursor.objects.filter(name="sessions").first()
        if newest is not None:
            need(
                cursor is not None and cursor.value >= min(newest, self.now),
                f"the cursor is at {cursor and cursor.value}, the list at {newest}",
            )
        kinds = dict(MovementType.objects.values_list("vendor_id", "slug"))
        need(kinds == SLUG_OF_TYPE, f"kinds of movements are {kinds}")

    def files(self):
        world, need = self.app.world, self.need
        listed = {s.id: s for s in world.listed_sessions()}
        for row in Session.objects.filter(missing_since=None).select_related(
            "player", "recorded_as"
        ):
            session = listed[row.session_id]
            jobs = {job.data_type: job for job in ExportJob.objects.filter(session=row)}
            need(set(jobs) == set(spec.TYPES), f"row {row.pk} has jobs {set(jobs)}")
            has_data = world.has_data(session, row.vendor_player_id, "baseball-hitting")
            truth = self.app.truth(session.id, row.vendor_player_id)
            for data_type, job in jobs.items():
                by_hand = (
                    job.state == "given_up"
                    and job.next_try_at is None
                    and job.given_up_at
                )
                need(
                    job.state == ("stored" if has_data else "no_data") or by_hand,
                    f"job {job.pk} is {job.state} ({job.last_error}) in the end",
                )
                if job.state != "stored" or data_type not in spec.FRAMES:
                    continue
                found = stored_frames((row.pk, data_type))
                need(
                    set(found) == set(truth),
                    f"row {row.pk} has {set(found)} of {truth}",
                )
