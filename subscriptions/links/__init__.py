"""Signed links: how they are made, read, and turned into a page."""
