"""Addresses of the pages below `/athletes/`; other programs link to them."""

from django.urls import path

from dashboard.views import (
    athlete,
    compare,
    compare_picker,
    compare_tray,
    definitions,
    duplicates,
    events,
    goals,
    listing,
    notes,
    session,
    sessions,
    swing,
    tags,
)

app_name = "dashboard"

urlpatterns = [
    path("", listing.athletes, name="list"),
    path("search/", listing.search, name="search"),
    path("compare/", compare.compare, name="compare"),
    path("compare/pick/", compare_picker.pick, name="compare_pick"),
    path("compare/tray/", compare_tray.change, name="compare_tray"),
    path("definitions/", definitions.definitions, name="definitions"),
    path("definitions/<str:name>/", definitions.definition, name="definition"),
    path("duplicates/", duplicates.duplicates, name="duplicates"),
    path("duplicates/<int:pk>/dismiss/", duplicates.dismiss, name="duplicate_dismiss"),
    path(
        "duplicates/<int:pk>/bring-back/",
        duplicates.bring_back,
        name="duplicate_bring_back",
    ),
    path("<int:kept>/merge/<int:merged>/", duplicates.merge, name="merge"),
    path("merges/<int:pk>/undo/", duplicates.undo, name="merge_undo"),
    path("<int:pk>/", athlete.athlete, name="athlete"),
    path("<int:pk>/tags/", tags.athlete_tags, name="athlete_tags"),
    path("sessions/<int:pk>/tags/", tags.session_tags, name="session_tags"),
    path("sessions/", sessions.sessions, name="sessions"),
    path("sessions/<int:pk>/", session.session, name="session"),
    path("sessions/<int:pk>/facts/", session.facts, name="session_facts"),
    path("sessions/<int:pk>/gap/", session.gap, name="session_gap"),
    path("sessions/<int:pk>/recording/", session.recording, name="session_recording"),
    path("<int:pk>/goals/", goals.athlete_goals, name="athlete_goals"),
    path("goals/<int:pk>/", goals.edit_goal, name="goal"),
    path("goals/<int:pk>/end/", goals.end_goal, name="goal_end"),
    path("goals/<int:pk>/delete/", goals.delete_goal, name="goal_delete"),
    path("<int:pk>/notes/", notes.athlete_note, name="athlete_note"),
    path("sessions/<int:pk>/notes/", notes.session_note, name="session_note"),
    path("swings/<int:pk>/notes/", notes.swing_note, name="swing_note"),
    path("notes/<int:pk>/", notes.edit_note, name="note"),
    path("notes/<int:pk>/delete/", notes.delete_note, name="note_delete"),
    path("set-aside/<int:pk>/", session.set_aside, name="set_aside"),
    path("swings/<int:pk>/", swing.swing, name="swing"),
    path("swings/<int:pk>/inclusion/", swing.inclusion, name="swing_inclusion"),
    path("swings/<int:pk>/events/", events.events, name="swing_events"),
    path(
        "swings/<int:pk>/events/<slug:moves>/undo/",
        events.undo_events,
        name="swing_event_undo",
    ),
]
