"""Is the matching any good? Judged collections replayed through it, beside the usual recipes, in the same run.

Splits are honest: a profile holds only what came first, and what is judged came later. What was tuned was tuned
on the `tune` part of the users and questions; `report` is the other part, looked at afterwards.
"""
