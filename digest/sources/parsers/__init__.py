"""A publisher's bytes in, entries out: one parser a kind of source."""
