"""What people may set about themselves."""

from django import forms

from accounts.models import User


class UnitsForm(forms.ModelForm):  # type: ignore[type-arg]
    """How numbers are shown to this user."""

    class Meta:
        model = User
        fields = ("units",)
