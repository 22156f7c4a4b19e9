"""A corrected profile reaches the numbers that are computed from it."""

import pytest

from athletes.models import Movement, Player
from athletes.tasks import recompute_player
from tests.factories import make_superuser

pytestmark = pytest.mark.django_db(transaction=True)

BY_HEIGHT = "stride_spread_pct"


def stride(player):
    movement = Movement.objects.filter(session__player=player, is_swing=True).first()
    return movement.metrics[BY_HEIGHT]["value"]


@pytest.fixture
def player(vendor, run_sync):
    run_sync()
    return (
        Player.objects.filter(sessions__movements__is_swing=True, height_ft__gt=5)
        .order_by("id")
        .first()
    )


def test_height_corrected_by_the_vendor_changes_the_numbers(player, vendor, run_sync):
    before, height = stride(player), player.height_ft
    vendor.world.set_attribute(player.org_player_id, "height_ft", "6.900")
    run_sync()
    player.refresh_from_db()
    assert player.height_ft == 6.9
    assert stride(player) == pytest.approx(before * height / 6.9, rel=1e-3)


def test_height_corrected_by_staff_changes_the_numbers(player, client):
    before, height = stride(player), player.height_ft
    client.force_login(make_superuser())
    path = f"/admin/athletes/player/{player.pk}/change/"
    form = client.get(path).context["adminform"].form
    data = {name: form[name].value() or "" for name in form.fields}
    del data["corrected_fields"]
    response = client.post(path, data | {"height_ft": "6.9"})
    assert response.status_code == 302
    assert recompute_player(player.pk) > 0
    assert stride(player) == pytest.approx(before * height / 6.9, rel=1e-3)
    assert recompute_player(player.pk) == 0
