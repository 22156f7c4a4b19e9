"""What a vendor may answer and change, and how it is done."""

from hypothesis import strategies as st

KINDS = st.sampled_from(["one", "one", "two", "mixed", "pitching", "empty", "later"])
INDEX = st.integers(0, 7)
TRIGGERS = st.sampled_from(["command", "schedule", "button"])
TYPES = st.sampled_from(["incremental", "incremental", "full", "exports"])
SECONDS = st.sampled_from([0.3, 1.0, 3.0, 7.0, 21.0, 40.0])
HOUR, DAY = 3700.0, 86500.0
LONG_SECONDS = st.sampled_from(
    [50.0, 100.0, 700.0, HOUR, 2 * HOUR, 6 * HOUR, DAY, 3 * DAY, 8 * DAY, 29 * DAY]
)
DAMAGE = st.sampled_from(
    [
        "bad-truncated",
        "bad-html",
        "bad-missing-columns",
        "bad-same-id",
        "bad-one-swing",
        "bad-out-of-order",
        "refused",
    ]
)
EXPORT_ANSWERS = st.sampled_from([
    "pending", "pending", "pending-slow", "no-data", "no-data", "empty", "nothing",
    "400", "403", "404", "500", "503", "429", "cut-before", "cut-body", "html",
    "broken-off", "away", "other-host", "expired-token", "422-format",
])  # fmt: skip
DOWNLOAD_ANSWERS = st.sampled_from(
    ["truncated", "expired-link", "500", "cut-headers", "cut-body", "html-200", "503"]
)
LIST_ANSWERS = st.sampled_from(
    ["500", "503", "cut-body", "400", "403", "html", "nothing", "expired-token"]
)
DETAIL_ANSWERS = st.sampled_from(["500", "404", "403", "400", "html", "503"])
LIST_ROUTES = st.sampled_from(["players", "sessions", "lookups"])
ANSWERS = st.one_of(
    st.tuples(st.just("data_export"), st.lists(EXPORT_ANSWERS, min_size=1, max_size=3)),
    st.tuples(st.just("download"), st.lists(DOWNLOAD_ANSWERS, min_size=1, max_size=3)),
    st.tuples(st.just("session"), st.lists(DETAIL_ANSWERS, min_size=1, max_size=2)),
    st.tuples(LIST_ROUTES, st.lists(LIST_ANSWERS, min_size=1, max_size=1)),
)
HICCUPS = st.one_of(
    st.tuples(
        st.sampled_from(["players", "sessions", "session", "data_export", "lookups"]),
        st.sampled_from(["500", "429", "503", "cut-before", "cut-headers"]),
    ),
    st.tuples(
        st.just("download"), st.sampled_from(["500", "cut-before", "cut-headers"])
    ),
)
SCENARIOS = st.sampled_from(
    [
        "",
        "export-location=1",
        "export-polled=1",
        "export-status=2",
        "missing-fields",
        "wrapped",
        "no-movement-id",
        "export-single-key",
        "export-one-url",
        "offset-ignored",
    ]
)
#: As often as the client asks before it gives a call up.
CALL = 5
#: Errors that are answers: the client does not ask again.
FINAL = {
    "pending", "pending-slow", "no-data", "empty", "nothing", "400", "403", "404",
    "html", "away", "other-host", "expired-token", "422-format", "truncated",
    "expired-link",
}  # fmt: skip


def pick(among, index):
    return among[index % len(among)] if among else None


def add_session(world, first, second, kind):
    """Add a session of one or two athletes."""
    athletes = [a.org_player_id for a in world.listed_athletes()]
    if not athletes:
        return
    chosen = [pick(athletes, first)]
    if kind in {"two", "mixed"} and pick(athletes, second) not in chosen:
        chosen.append(pick(athletes, second))
    slug = "baseball-pitching" if kind == "pitching" else "baseball-hitting"
    session_id = world.add_session(chosen, slug=slug, swings=1 + second % 2)
    session = world.session(session_id)
    if kind == "mixed":
        session.is_mixed = True
        if len(chosen) > 1:
            session.no_data_for = {chosen[1]} if first % 2 else set()
    if kind == "empty":
        session.is_empty = True
    if kind == "later":
        world.delay_data(session_id, 3600.0 * (1 + second))


def change_session(world, what, session, number):
    """Change a session, or what its files hold."""
    if what == "return":
        world.list_again(session.id)
    elif session.removed:
        return
    elif what == "revise":
        world.revise(session.id)
    elif what == "swings":
        world.count_swings(session.id, 1 + number % 2)
    elif what == "number":
        world.rename_session(session.id, number)
    elif what == "touch":
        world.touch_session(session.id)
    elif what == "remove":
        world.remove_session(session.id)
    elif what == "data":
        world.give_data(session.id)
    elif what == "people":
        athletes = [a.org_player_id for a in world.listed_athletes()]
        if athletes:
            chosen = {pick(athletes, number), pick(athletes, number // 2)}
            world.take_part(session.id, sorted(chosen))


def change_athlete(world, what, athlete, number):
    """Change an athlete, or whether there is one."""
    key = athlete.org_player_id
    if what == "come back":
        world.return_player(key)
    elif what == "join":
        if len(world.athletes) < 7:
            world.add_player("Invented", f"Person {number}", "2001-02-03")
    elif athlete.removed:
        return
    elif what == "rename":
        world.rename_player(key, "Renamed", f"Person {number}")
    elif what == "height":
        world.set_attribute(key, "height_ft", f"5.{number}00")
    elif what == "hand":
        world.set_attribute(key, "dom_hand_hitting", "LHA" if number % 2 else "RHA")
    elif what == "leave":
        world.remove_player(key)
