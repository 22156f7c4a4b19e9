"""What a database shows and counts, in a form in which two of them can be compared.

Compared is all that is there: rows of athletes, sessions, movements, frames, curves,
averages, percentiles, scatter, possible duplicates, recordings that are here twice,
export jobs and raw payloads, and the JSON of every athlete, session and swing. Left
out are rows that are kept as gone, what people wrote and decided (its effect on numbers
is compared), keys, times at which we did something, and the places of movements: one
keeps the place that it was first given, whatever the vendor does.
"""

from django.apps import apps
from django.test import Client

from athletes.models import Movement, PeerGroup, Player, Session
from tests.factories import make_staff
from tests.syncing.snapshot import IGNORED, KEYS, VOLATILE, _keyed, _rows

#: What people said, and what undoing needs: compared by its effect.
OF_PEOPLE = {
    "athletemerge",
    "eventcorrection",
    "gapdismissal",
    "handupload",
    "inclusiondecision",
    "note",
    "replacedframes",
    "setaside",
    "tag",
    "tombstone",
}
#: Counted with what is gone, or differing with the way and not with the outcome.
OF_THE_WAY = {
    "analysisjob",  # compared as "is something left to compute"
    "exportrefusal",
    "playercount",
    "synccursor",
}
_DROPPED = (VOLATILE - {"value"}) | {"became", "unlisted_since", "position"}
#: Keys of rows, and moments of ours, in JSON.
_JSON_KEYS = {
    "id", "player_id", "movement_id", "session", "position", "created_at", "updated_at",
}  # fmt: skip


def final_state():
    """What a database shows and counts: tables by name, and the JSON."""
    # Groups in which nobody is any longer stay, and hold nothing.
    PeerGroup.objects.filter(numbers=None).delete()
    keys = {}
    for name in KEYS:
        keys[name] = _keyed(apps.get_model("athletes", name), keys)
    there = _there(keys)
    found = {}
    for app in ("athletes", "syncing"):
        for model in apps.get_app_config(app).get_models():
            name = model._meta.model_name
            if name not in IGNORED | OF_PEOPLE | OF_THE_WAY:
                rows = _rows(model, keys, dropped=_DROPPED, within=there)
                found[model._meta.db_table] = _plain(name, rows)
    found["left to compute"] = sorted(
        apps.get_model("syncing", "AnalysisJob")
        .objects.outdated()
        .filter(session__in=Session.objects.present())
        .values_list("session__session_id")
    )
    found["JSON"] = _json()
    return found


def _there(keys):
    """Of each model the keys of rows that are not gone."""
    present = Session.objects.present()
    movements = Movement.objects.filter(session__in=present).present()
    return {
        "player": set(
            Player.objects.filter(missing_since=None).values_list("pk", flat=True)
        ),
        "session": set(present.values_list("pk", flat=True)),
        "movement": set(movements.values_list("pk", flat=True)),
    }


def _plain(name, rows):
    """Rows without those that are gone, and without the order in which they came."""
    if name == "rawpayload":
        listed = set(Player.objects.filter(missing_since=None).values_list(
            "org_player_id", flat=True
        )) | set(
            apps.get_model("syncing", "VendorSession")
            .objects.filter(missing_since=None)
            .values_list("session_id", flat=True)
        )  # fmt: skip
        rows = [
            row
            for row in rows
            if row["kind"] not in {"player", "session", "session_detail"}
            or row["vendor_id"] in listed
        ]
    if name == "samerecording":
        rows = _together(rows)
    if name == "duplicatepair":
        for row in rows:
            row["first"], row["second"] = sorted([row["first"], row["second"]])
    if name in {"vendorsession", "biomechanicsdata"}:
        rows = [row for row in rows if not row.pop("missing_since")]
    return sorted(rows, key=repr)


def _together(pairs):
    """Sessions with one recording: which of several names which is by their order."""
    groups = []
    for pair in pairs:
        sessions, members = {pair["session"], pair["other"]}, [pair]
        for group in [g for g in groups if g["sessions"] & sessions]:
            groups.remove(group)
            sessions |= group["sessions"]
            members += group["pairs"]
        groups.append({"sessions": sessions, "pairs": members})
    return [
        {
            "sessions": sorted(group["sessions"]),
            "counts": sorted(pair["counts"] for pair in group["pairs"]),
            # Of two alone: of more it depends on which are named together.
            "swings": _only_swings(group["pairs"]),
        }
        for group in groups
    ]


def _only_swings(pairs):
    return pairs[0]["swings"] if len(pairs) == 1 else None


def _json():
    """What other programs are told of every athlete, session and swing."""
    client = Client()
    client.force_login(make_staff())

    def get(path):
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.content)
        return _without_keys(answer.json())

    found = [("/stats", _stats(get("/stats")))]
    for player in Player.objects.filter(missing_since=None):
        who = player.org_player_id
        for path in ("", "/changes"):
            found.append((who + path, get(f"/players/{player.pk}{path}")))
        listed = get(f"/players/{player.pk}/sessions?limit=1000")
        found.append((f"{who}/sessions", listed))
        for session in Session.objects.present().filter(player=player):
            for path in ("", "/metrics", "/movements"):
                told = get(f"/sessions/{session.pk}{path}")
                found.append((f"{who}/{session.session_id}{path}", told))
    return sorted(found, key=lambda entry: entry[0])


def _stats(told):
    """Counts without what depends on the hour, or counts athletes who are gone."""
    return {
        name: value
        for name, value in told.items()
        if name not in {"last_success_at", "total_players"}
    }


def _without_keys(value):
    if isinstance(value, dict):
        return {k: _without_keys(v) for k, v in value.items() if k not in _JSON_KEYS}
    if isinstance(value, list):
        found = [_without_keys(one) for one in value]
        if found and isinstance(found[0], dict) and "org_movement_id" in found[0]:
            found.sort(key=lambda movement: movement["org_movement_id"])
        return found
    return value


def explained(one, other):
    """Where two final states differ, field by field; empty when they are equal."""
    found = []
    for table in sorted(one.keys() | other.keys()):
        left, right = list(one.get(table, [])), list(other.get(table, []))
        for row in list(left):
            if row in right:
                left.remove(row)
                right.remove(row)
        for row in left:
            twin = max(right, key=lambda each: _likeness(row, each), default=None)
            if twin is None or not _likeness(row, twin):
                found.append(f"{table}: only first {row}"[:600])
                continue
            right.remove(twin)
            found += [f"{table}: {line}"[:600] for line in _unlike(row, twin, "")]
        found += [f"{table}: only second {row}"[:600] for row in right]
    return found


def _likeness(one, other):
    """How many parts of two rows are equal."""
    if isinstance(one, dict):
        return sum(one[name] == other.get(name) for name in one)
    return sum(a == b for a, b in zip(one, other, strict=False))


def _unlike(one, other, path):
    """Yield the places at which two values differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        same = {k: v for k, v in one.items() if k in other and v == other[k]}
        about = [v for v in same.values() if isinstance(v, str | tuple) and v]
        for name in sorted(one.keys() | other.keys()):
            if one.get(name) != other.get(name):
                where = f"{path}.{name}" if path else f"{about[:3]} {name}"
                yield from _unlike(one.get(name), other.get(name), where)
    elif (
        isinstance(one, list | tuple)
        and isinstance(other, list | tuple)
        and len(one) == len(other)
    ):
        for place, (a, b) in enumerate(zip(one, other, strict=True)):
            if a != b:
                where = f"{path}[{place}]" if path else str(one[0])
                yield from _unlike(a, b, where)
    else:
        yield f"{path}: first {one!r}, second {other!r}"
