"""Forms for a new share link and for the name of a saved comparison."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.validators import MaxValueValidator

from sharing.links import DEFAULT_DAYS
from sharing.models import SavedComparison


class ShareForm(forms.Form):
    """A new share link: for whom, for how long, with which name."""

    label = forms.CharField(
        required=False,
        max_length=100,
        strip=True,
        label="For whom",
        help_text="Optional. Only you and staff see it.",
    )
    days = forms.IntegerField(
        label="Expires in (days)", min_value=1, initial=DEFAULT_DAYS
    )
    full_name = forms.BooleanField(required=False, label="Show full name")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        most = settings.SHARE_DAYS_MAX
        days: Any = self.fields["days"]
        days.max_value = most
        days.validators.append(
            MaxValueValidator(most, f"A link lasts {most} days at most.")
        )
        days.widget.attrs["max"] = most
        days.initial = min(DEFAULT_DAYS, most)


class ComparisonForm(forms.ModelForm):  # type: ignore[type-arg]
    """Name of a saved comparison, and whether others see it."""

    class Meta:
        model = SavedComparison
        fields = ["name", "is_shared"]
        error_messages = {"name": {"required": "Give it a name."}}
