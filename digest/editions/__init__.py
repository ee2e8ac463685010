"""One day's papers, from the first announcement to the release."""
