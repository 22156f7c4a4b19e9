"""The answer that sends a sheet as a PDF file."""

from __future__ import annotations

from django.http import HttpResponse

from sharing.sheet import Paper, Sheet


def pdf_response(sheet: Sheet, paper: Paper) -> HttpResponse:
    """The sheet as a file to download; its name is ours, so it needs no escaping."""
    # Half a second of imports that commands and workers have no use for.
    from sharing import pdf

    return HttpResponse(
        pdf.render(sheet, paper),
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'attachment; filename="{sheet.file_name}"',
        },
    )
