"""The form that confirms the erasing of an athlete."""

from __future__ import annotations

from django import forms


class EraseForm(forms.Form):
    """Asks for the typed word ERASE, because erasing cannot be undone."""

    word = forms.CharField(
        label="Type ERASE to confirm",
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "off"}),
    )

    def clean_word(self) -> str:
        """Return the word that was typed; a validation error unless it is ERASE."""
        word: str = self.cleaned_data["word"].strip()
        if word.upper() != "ERASE":
            raise forms.ValidationError("Type the word ERASE; nothing was erased.")
        return word
