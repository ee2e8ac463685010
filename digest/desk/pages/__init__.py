"""The desk's pages: read what was asked, call one service, show what it answered. No rules here."""
