"""Colors of tags, and making one tag of several."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.models import AuditEntry
from athletes.identity import merging
from athletes.models import Tag, TagColor
from athletes.tagging import TagMergePreview, merge_tags, preview_merge
from tests.design_tokens import LIGHT
from tests.factories import make_player, make_session, make_staff

pytestmark = pytest.mark.django_db


def tags_of(thing):
    return set(thing.tags.values_list("name", flat=True))


@pytest.fixture
def three():
    return [Tag.objects.create(name=name) for name in ("varsity", "Varsity!", "vars")]


@pytest.mark.both
def test_all_that_had_one_have_the_kept_one(three):
    kept, one, other = three
    athletes = [make_player() for _ in range(3)]
    session = make_session(player=athletes[0])
    for athlete, tags in zip(athletes, ([kept, one], [one, other], []), strict=True):
        athlete.tags.set(tags)
    session.tags.set([other])
    others = [one, other]
    assert preview_merge(kept=kept, others=others) == TagMergePreview(2, 1, 1, 1)
    merge_tags(kept=kept, others=others)
    assert [tags_of(athlete) for athlete in athletes] == [
        {"varsity"},
        {"varsity"},
        set(),
    ]
    assert tags_of(session) == {"varsity"}
    assert list(Tag.objects.all()) == [kept]


@pytest.mark.parametrize("had_it", [False, True])
def test_what_a_merge_of_athletes_gave_goes_again_when_that_is_undone(three, had_it):
    kept_tag, one, other = three
    kept, merged = make_player(), make_player()
    # Both have a part in one session of the vendor, which is shown as one.
    shared = make_session(player=kept, session_id="same")
    folded = make_session(player=merged, session_id="same")
    merged.tags.add(one)
    folded.tags.add(one)
    if had_it:
        kept.tags.add(other)
        shared.tags.add(other)
    entry = merging.merge(kept=kept, merged=merged, by=None)
    merge_tags(kept=kept_tag, others=[one, other])
    assert tags_of(kept) == tags_of(shared) == {"varsity"}
    entry.refresh_from_db()
    merging.separate(entry=entry, by=None)
    own = {"varsity"} if had_it else set()
    assert (tags_of(kept), tags_of(shared)) == (own, own)
    assert tags_of(merged) == tags_of(folded) == {"varsity"}


def test_staff_see_what_would_have_a_tag_before_they_merge(client, three):
    staff = make_staff()
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    kept, one, _ = three
    make_player().tags.add(one)
    url = reverse("admin:athletes_tag_changelist")
    sent = {"action": "merge", "_selected_action": [kept.pk, one.pk]}
    page = client.post(url, sent).content.decode()
    assert "1 athlete and 0 sessions would have it; 1 athlete and 0 sessions more" in (
        page
    )
    assert Tag.objects.count() == 3
    assert client.post(url, {**sent, "kept": kept.pk}).status_code == 302
    assert set(Tag.objects.values_list("name", flat=True)) == {"varsity", "vars"}
    (entry,) = AuditEntry.objects.filter(subject_type="athletes.tag")
    assert (entry.user, entry.subject_id) == (staff, kept.pk)
    assert entry.detail == {"what": "tags merged", "merged": [one.pk]}
    # One alone is nothing to merge.
    client.post(url, {"action": "merge", "_selected_action": [kept.pk]})
    assert Tag.objects.count() == 2
    # A name that another one has leads to merging.
    change = reverse("admin:athletes_tag_change", args=[kept.pk])
    refused = client.post(change, {"name": "VARS", "color": "blue"})
    assert "Merge the two in the list of tags." in refused.content.decode()
    client.post(change, {"name": "Varsity A", "color": "blue"})
    kept.refresh_from_db()
    assert (kept.name, kept.color) == ("Varsity A", "blue")


def test_a_tag_is_a_dot_and_its_word(client, three):
    client.force_login(
        make_staff(), backend="django.contrib.auth.backends.ModelBackend"
    )
    athlete = make_player()
    session = make_session(player=athlete)
    Tag.objects.filter(pk=three[0].pk).update(color=TagColor.PINK)
    athlete.tags.add(three[0])
    session.tags.add(three[1])
    page = client.get(f"/athletes/{athlete.pk}/").content.decode()
    assert (
        '<span class="tag__dot tag__dot--pink" aria-hidden="true"></span>'
        '<a href="/athletes/?tag=varsity">varsity</a>'
    ) in page
    assert 'tag__dot--gray" aria-hidden="true"></span>Varsity!' in page
    page = client.get(f"/athletes/sessions/{session.pk}/").content.decode()
    assert '<a href="/athletes/sessions/?tag=Varsity%21">Varsity!</a>' in page
    for color in TagColor.values:
        # Tokens that test_tokens.py holds against every surface of both themes.
        assert LIGHT[f"--tag-{color}"].startswith("var(--part-")
