"""Frames are found by their content, wherever they are stored."""

import pytest

from athletes.analysis.same_frames import StoredFrames, same_frames
from tests.factories import make_frames, make_movement

pytestmark = pytest.mark.django_db


def test_frames_are_found_in_every_place_that_has_them():
    first = make_frames()
    other = make_frames(movement=make_movement(), data_type="momentum-energy")
    sha = first.content_sha256
    assert other.content_sha256 == sha
    found = same_frames([sha, sha, "0" * 64])
    assert found == {
        sha: [
            StoredFrames(
                row.movement_id,
                row.movement.session_id,
                row.movement.session.player_id,
                row.data_type,
            )
            for row in (first, other)
        ]
    }


def test_many_hashes_at_once():
    wanted = make_frames().content_sha256
    hashes = [*(f"{number:064x}" for number in range(1_200)), wanted]
    assert list(same_frames(hashes)) == [wanted]
