"""Uploaded files between being chosen and being stored: private, and not for long.

They wait in a folder of their own below VAR_DIR/files while a person says whose they
are and looks at the preview. No address serves them. What is not stored goes with its
row: when the person drops it, when its time is up, or with the athlete who is erased.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Collection, Iterable, Sequence
from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from django.core.files import File
from django.core.files.storage import default_storage

from athletes.models import HandUpload, UploadState
from athletes.orphan_files import delete_orphans
from syncing import clock
from syncing.filenames import id_key

if TYPE_CHECKING:
    from accounts.models import User
    from syncing.imports import GivenFile

logger = logging.getLogger(__name__)

#: Folder of the files below VAR_DIR/files.
FOLDER = "uploads"
#: Files that nobody has stored by then are deleted.
KEPT = timedelta(hours=12)
#: Shorter parts of names and ids are in too many others.
_LEAST_SIGNS = 3
#: Ids of so many signs are found inside other words too.
_LONG_ID = 16


def stage(files: Sequence[GivenFile], *, user: User) -> HandUpload:
    """Keep files for the preview, once every one of them was read to its last row.

    Raises
    ------
    syncing.imports.ImportRefusedError
        A file cannot be used, and none was kept.
    """
    # Here, because web processes do without the libraries that read files.
    from syncing.imports import summary

    sweep()
    held = [summary(given) for given in files]
    upload = HandUpload(created_by=user)
    names = [f"{FOLDER}/{secrets.token_hex(24)}" for _ in files]
    # Their names first: what a killed process leaves is found by its row.
    upload.files = [
        {**one, "stored_as": name} for one, name in zip(held, names, strict=True)
    ]
    upload.save()
    try:
        for given, name in zip(files, names, strict=True):
            given.file.seek(0)
            default_storage.save(name, File(given.file))
    except BaseException:
        discard(upload)
        raise
    return upload


def is_expired(upload: HandUpload) -> bool:
    """Whether the time of staged files is up."""
    return upload.created_at < clock.now() - KEPT


def opened(upload: HandUpload, stack: ExitStack) -> list[GivenFile]:
    """Return the staged files, open until the stack closes them.

    Raises
    ------
    FileNotFoundError
        They are gone: another host keeps its own files, or somebody deleted them.
    """
    from syncing.imports import GivenFile

    return [
        GivenFile(
            one["name"],
            cast(Any, stack.enter_context(default_storage.open(one["stored_as"]))),
        )
        for one in upload.files
    ]


def drop_files(upload: HandUpload) -> None:
    """Delete the staged files of an upload that was stored; their names stay."""
    _delete(upload.files)
    upload.files = [{"name": one["name"], "kind": one["kind"]} for one in upload.files]
    upload.save(update_fields=["files"])


def discard(upload: HandUpload) -> None:
    """Delete an upload that was not stored, with its files."""
    _delete(upload.files)
    HandUpload.objects.filter(pk=upload.pk, state=UploadState.STAGED).delete()


def _delete(files: Iterable[dict[str, Any]]) -> None:
    for one in files:
        if name := one.get("stored_as"):
            default_storage.delete(name)


def forget(player_ids: Collection[int], texts: Iterable[str]) -> int:
    """Discard staged files of athletes, or that name one of the texts; return how many.

    ``texts`` are ids and names of an athlete who is erased.
    """
    texts = [text for text in texts if len(id_key(text)) >= _LEAST_SIGNS]
    long_keys = [key for text in texts if len(key := id_key(text)) >= _LONG_ID]
    count = 0
    # Of storing that broke off, or was killed before its files were dropped.
    for upload in HandUpload.objects.exclude(state=UploadState.STAGED).filter(
        player__in=player_ids
    ):
        _delete(upload.files)
    for upload in HandUpload.objects.filter(state=UploadState.STAGED):
        # Not the hashes, nor the words of our own: short names are in them by chance.
        said = " ".join(
            [
                *map(str, [*upload.choice.values()]),
                *(one["name"] for one in upload.files),
                *(m["name"] for one in upload.files for m in one.get("movements", ())),
            ]
        )
        if (
            upload.player_id in player_ids
            or any(_words(text) in _words(said) for text in texts)
            or any(key in id_key(said) for key in long_keys)
        ):
            discard(upload)
            count += 1
    return count


def _words(text: str) -> str:
    """A text as its words in small letters, with a blank around each."""
    plain = re.sub(r"[\W_]+", " ", text.casefold())
    return f" {plain.strip()} "


def sweep() -> int:
    """Delete staged files whose time is up, and those without a row; count them."""
    limit = clock.now() - KEPT
    count = 0
    for upload in HandUpload.objects.filter(
        state=UploadState.STAGED, created_at__lt=limit
    ):
        discard(upload)
        count += 1
    return count + _delete_orphans()


def _delete_orphans() -> int:
    """Delete files that no staged upload names; what was stored has no files here."""
    staged = HandUpload.objects.filter(state=UploadState.STAGED)
    known = {
        one.get("stored_as")
        for files in staged.values_list("files", flat=True)
        for one in files
    }
    return delete_orphans(FOLDER, known=known, before=clock.now() - KEPT)


def choose(upload: HandUpload, **values: Any) -> None:
    """Note for whom staged files are; the page of the preview goes on from there."""
    staged = HandUpload.objects.filter(pk=upload.pk, state=UploadState.STAGED)
    staged.update(**values)
