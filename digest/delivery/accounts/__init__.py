"""Is the promise kept? The audit, one reader's answer, and the guard after a restore."""
