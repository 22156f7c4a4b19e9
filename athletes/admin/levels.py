"""The admin of levels, and of the level of each athlete."""

from __future__ import annotations

from django.contrib import admin

from accounts.admin_lists import ModelAdmin
from athletes.models import AthleteLevel, Level


@admin.register(Level)
class LevelAdmin(ModelAdmin):
    """The admin of the list of levels; one that athletes have cannot be deleted."""

    list_display = ["name", "position"]
    list_editable = ["position"]
    search_fields = ["name"]
    fields = ["name", "position"]


class LevelsOfAthlete(admin.TabularInline):  # type: ignore[type-arg]
    """The levels of an athlete, on the athlete's form."""

    model = AthleteLevel
    fields = ("level", "since")
    extra = 1
    verbose_name = "level"
    verbose_name_plural = "levels"
