"""The forms of the sync pages."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from athletes.models import Player


class StartForm(forms.Form):
    """Starts a sync of what changed or of everything."""

    full = forms.BooleanField(required=False)


class BackfillForm(forms.Form):
    """Chooses the sessions whose files are downloaded again."""

    player = forms.CharField(
        label="Athlete ID",
        help_text="The number in this dashboard's addresses, or the Reboot ID.",
        required=False,
        max_length=200,
    )
    start = forms.DateField(
        label="From", required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    end = forms.DateField(
        label="To", required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def clean_player(self) -> Player | None:
        """Return the athlete of the number or vendor id; None for an empty field."""
        text = str(self.cleaned_data["player"]).strip()
        if not text:
            return None
        records = Player.everyone.select_related("merged_into")
        player = records.filter(org_player_id=text).first()
        if player is None and text.isascii() and text.isdigit() and len(text) < 19:
            player = records.filter(pk=int(text)).first()
        if player is None:
            raise forms.ValidationError(
                "That athlete doesn't exist. Copy the number from the address of the "
                "athlete's page."
            )
        return player.merged_into or player

    def clean(self) -> dict[str, Any]:
        """Check that something is chosen, and that the days are in order."""
        values = super().clean() or {}
        start: dt.date | None = values.get("start")
        end: dt.date | None = values.get("end")
        if not (self.errors or values.get("player") or start or end):
            raise forms.ValidationError("Choose an athlete, or a first or last date.")
        if start and end and end < start:
            self.add_error("end", "The last date is before the first.")
        return values


class SeveralFilesInput(forms.ClearableFileInput):
    """A file field that takes several files at once."""

    allow_multiple_selected = True


class SeveralFilesField(forms.FileField):
    """A field of several files, each of which is checked."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=SeveralFilesInput(), **kwargs)

    def clean(self, data: Any, initial: Any = None) -> Any:
        """Return all files, checked one by one."""
        given = data if isinstance(data, list | tuple) else [data]
        return [super(SeveralFilesField, self).clean(item, initial) for item in given]


class UploadForm(forms.Form):
    """Takes export files of one athlete's session."""

    exports = SeveralFilesField(
        label="Export files", help_text="CSV, CSV.gz or Parquet, as downloaded."
    )

    def clean_exports(self) -> list[UploadedFile[bytes]]:
        """Return the files; refuse those above the size limit."""
        files: list[UploadedFile[bytes]] = self.cleaned_data["exports"]
        limit = settings.EXPORT_MAX_BYTES
        for file in files:
            if (file.size or 0) > limit:
                raise forms.ValidationError(
                    f"A file is larger than {limit // 1_000_000} MB. Use "
                    "manage.py import_export after raising EXPORT_MAX_MB."
                )
        return files


class SessionChoiceForm(forms.Form):
    """Chooses a stored session of an athlete, or begins one."""

    part = forms.CharField(max_length=20, widget=forms.HiddenInput, required=False)
    session_id = forms.CharField(
        label="Reboot session ID",
        help_text="The next sync recognizes the session by it.",
        max_length=200,
        required=False,
    )
    date = forms.DateField(
        label="Date of the session",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    def clean_session_id(self) -> str:
        """Return the id without blanks around it."""
        return str(self.cleaned_data["session_id"]).strip()

    def clean(self) -> dict[str, Any]:
        """Check that a session is chosen or named."""
        values = super().clean() or {}
        if not (self.errors or values.get("part") or values.get("session_id")):
            self.add_error(
                "session_id", "Choose a session, or enter the ID of a new one."
            )
        return values


class NewAthleteForm(SessionChoiceForm):
    """Begins an athlete whom no sync has brought, with a session."""

    org_player_id = forms.CharField(
        label="Reboot athlete ID (org_player_id)",
        help_text="The next sync recognizes the athlete by it.",
        max_length=200,
    )
    first_name = forms.CharField(max_length=200)
    last_name = forms.CharField(max_length=200)
    date_of_birth = forms.DateField(
        required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    field_order = (
        *("first_name", "last_name", "date_of_birth", "org_player_id"),
        *("session_id", "date"),
    )


class RedateForm(forms.Form):
    """Gives a session another date."""

    date = forms.DateField(
        label="Date of the session", widget=forms.DateInput(attrs={"type": "date"})
    )
    looked = forms.BooleanField(required=False)
