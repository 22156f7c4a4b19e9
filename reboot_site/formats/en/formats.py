"""Dates in the administration as on all pages: `Oct 21, 2025, 4:30 p.m.`."""

DATE_FORMAT = "M j, Y"
DATETIME_FORMAT = "M j, Y, g:i a"
