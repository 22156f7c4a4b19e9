"""The admin of levels, and of who is at which level from when on."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminDateWidget
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.admin_lists import ModelAdmin, too_many, user_of
from accounts.audit import record
from accounts.models import Action
from athletes.admin.players import add_player_action
from athletes.models import AthleteLevel, Level, Player

#: Offered while the name of a new level is typed; any other will do.
SUGGESTED = ("Youth", "10U", "12U", "14U", "High school", "College", "Pro")


class SuggestingInput(forms.TextInput):
    """A field for text that offers words, and takes any."""

    def render(
        self, name: str, value: Any, attrs: Any = None, renderer: Any = None
    ) -> SafeString:
        """Return the field with the list of its suggestions."""
        attrs = {**(attrs or {}), "list": f"{name}-suggested", "autocomplete": "off"}
        field = super().render(name, value, attrs, renderer)
        options = format_html_join("", '<option value="{}">', ((s,) for s in SUGGESTED))
        words = '{}<datalist id="{}-suggested">{}</datalist>'
        return format_html(words, field, name, options)


class LevelForm(forms.ModelForm):  # type: ignore[type-arg]
    """The name of a level, with usual ones to choose from, and its place in lists."""

    class Meta:
        model = Level
        fields = ["name", "position"]
        widgets = {"name": SuggestingInput}
        help_texts = {
            "name": f"Such as {', '.join(SUGGESTED[:-1])} or {SUGGESTED[-1]}."
        }


@admin.register(Level)
class LevelAdmin(ModelAdmin):
    """The admin of the list of levels; one that athletes have cannot be deleted."""

    form = LevelForm
    list_display = ["name", "position"]
    list_editable = ["position"]
    search_fields = ["name"]
    fields = ["name", "position"]


@admin.register(AthleteLevel)
class AthleteLevelAdmin(ModelAdmin):
    """The admin of athletes' levels: recorded in the list of athletes, mended here."""

    list_display = ["player", "level", "since"]
    list_filter = ["level"]
    list_select_related = ["player", "level"]
    search_fields = ["player__search_text"]
    search_help_text = "Parts of a name."
    fields = ["player", "level", "since"]
    readonly_fields = ["player"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AthleteLevel], search_term: str
    ) -> tuple[QuerySet[AthleteLevel], bool]:
        """The levels of the athletes of this name; False: none comes twice."""
        if not search_term.strip():
            return queryset, False
        return queryset.filter(
            player__in=Player.objects.found_by_name(search_term)
        ), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds one here."""
        return False  # recorded in the list of athletes, for many at once

    def save_model(
        self, request: HttpRequest, obj: AthleteLevel, form: Any, change: bool
    ) -> None:
        """Store the level, and who changed it."""
        obj.save()
        _record(request, obj.player)

    def delete_model(self, request: HttpRequest, obj: AthleteLevel) -> None:
        """Delete a level recorded by mistake, and keep who did it."""
        obj.delete()
        _record(request, obj.player)

    def delete_queryset(
        self, request: HttpRequest, queryset: QuerySet[AthleteLevel]
    ) -> None:
        """Delete one by one: who deletes each is recorded."""
        for row in queryset.select_related("player"):
            self.delete_model(request, row)


def _record(request: HttpRequest, player: Player) -> None:
    record(
        Action.RECORD_CHANGED,
        by=user_of(request),
        subject=player,
        player_id=player.pk,
        what="level",
    )


class LevelFromForm(forms.Form):
    """A level, and the day from which athletes are at it."""

    level = forms.ModelChoiceField(Level.objects.all(), label="Level")
    since = forms.DateField(label="From", widget=AdminDateWidget)


@add_player_action
@admin.action(description="Record a level", permissions=["change"])
def record_level(
    modeladmin: Any, request: HttpRequest, players: QuerySet[Player]
) -> HttpResponse | None:
    """Record the level of the chosen athletes, after asking which and from when on."""
    if too_many(modeladmin, request, players):
        return None
    if not Level.objects.exists():
        modeladmin.message_user(
            request,
            format_html(
                'There are no levels yet. <a href="{}">Add one</a>, such as {} or {}.',
                reverse("admin:athletes_level_add"),
                SUGGESTED[3],
                SUGGESTED[4],
            ),
            messages.WARNING,
        )
        return None
    form = LevelFromForm(
        request.POST if "since" in request.POST else None,
        initial={"since": timezone.localdate()},
    )
    chosen = list(players)
    if form.is_valid():
        with transaction.atomic():
            for player in chosen:
                # One level from one day on: a second one replaces it.
                AthleteLevel.objects.update_or_create(
                    player=player,
                    since=form.cleaned_data["since"],
                    defaults={"level": form.cleaned_data["level"]},
                )
                _record(request, player)
        modeladmin.message_user(
            request, f"{len(chosen)} athletes: level recorded.", messages.SUCCESS
        )
        return None
    context = {
        **modeladmin.admin_site.each_context(request),
        "title": "Record a level",
        "opts": modeladmin.opts,
        "form": form,
        "players": chosen,
        "action_name": "record_level",
    }
    return TemplateResponse(request, "admin/athletes/record_level.html", context)
