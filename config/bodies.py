"""How much of an uploaded file is kept while a form's body is read."""

from __future__ import annotations

from django.core.files.uploadhandler import FileUploadHandler

# What the largest field for a file takes (`subscriptions/uploads.py`); smaller ones have limits of their own.
MOST_FILE = 5_000_000


class CutFiles(FileUploadHandler):
    """Drops what a file has beyond `MOST_FILE` bytes, so that its form comes back whole and says that it is too large.

    The file that the form gets is longer than `MOST_FILE` then, by one chunk at most.
    """

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        return raw_data if start <= MOST_FILE else None

    def file_complete(self, file_size: int) -> None:
        """The handlers behind this one make the file."""
