"""What an update has computed again, because a release before counted otherwise."""

from importlib import import_module

import pytest
from django.apps import apps
from django.utils import timezone

from athletes.models import Player
from syncing.models import AnalysisJob
from tests.factories import make_movement, make_session

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both]


def test_sessions_that_are_gone_and_empty_are_counted_anew(start_vendor, run_sync):
    vendor = start_vendor(players=3, sessions=0, scenario="plain")
    vendor.world.add_session([vendor.world.listed_athletes()[0].org_player_id])
    run_sync()
    AnalysisJob.objects.all().delete()
    one, other, third = Player.objects.order_by("pk")
    gone = {"missing_since": timezone.now()}
    empty = make_session(player=one, **gone)
    again = make_session(player=other, **gone)
    AnalysisJob.objects.create(session=again, wanted=3, done=3, attempts=2)
    # With a movement, or shown by another one: nothing to do, nor for those present.
    make_movement(session=make_session(player=third, **gone))
    make_session(player=third, folded_into=make_session(player=other), **gone)
    has = one.sessions.filter(missing_since=None).count()
    Player.objects.filter(pk=one.pk).update(session_count=has + 1)

    name = "syncing.migrations.0010_count_without_empty_gone_sessions"
    import_module(name).want_numbers(apps, None)

    wanted = AnalysisJob.objects.order_by("session").values_list(
        "session", "wanted", "done", "attempts"
    )
    assert list(wanted.all()) == [(empty.pk, 1, 0, 0), (again.pk, 4, 3, 0)]
    # The next run computes them.
    run_sync()
    assert list(wanted.all()) == [(empty.pk, 1, 1, 0), (again.pk, 4, 4, 0)]
    one.refresh_from_db()
    assert one.session_count == has
