"""Every paper ever stored, searchable by the filter language and by plain sentences.

The index lives in the database itself (FTS5 in SQLite, tsvector in PostgreSQL), over the words of the one
tokeniser, so that a search finds what a letter's filter would. Triggers note each paper whose words have
changed, whoever changed them; `refresh` indexes what is noted.
"""

from digest.search.index import pending, refresh
from digest.search.limits import TooSlowError
from digest.search.queries import Found, by_tree, like, loosely
from digest.search.visibility import withheld

__all__ = ["Found", "TooSlowError", "by_tree", "like", "loosely", "pending", "refresh", "withheld"]
