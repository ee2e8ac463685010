"""What digest answers to a reader's own pages and acts."""
