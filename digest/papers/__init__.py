"""One row a paper, whoever announces it: entries, identifiers, storing, merging."""
