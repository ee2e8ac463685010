"""The only way out for mail: backends, outcomes, notices, DKIM."""
