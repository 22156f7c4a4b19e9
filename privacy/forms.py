"""Confirming what cannot be undone."""

from __future__ import annotations

from django import forms


class EraseForm(forms.Form):
    """A word typed by hand: a click alone is too little for this."""

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
