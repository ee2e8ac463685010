"""Words that occur in texts on any subject. Descriptions and profiles leave them out; filters do not."""

from __future__ import annotations

from subscriptions.query import tokenizer

_LISTED = """
a about above across after again against all almost also although always am among an and another any anyone anything
are as at back be became because become been before being below between both but by can cannot could did do does doing
done down due during each either else enough especially etc even ever every everything few first for from further get
give given gives had has have having he her here hers him his how however i if in instead into is it its itself just
kind least less let like made mainly make makes making many may me might mine more most mostly much must my myself
neither never next no nor not nothing now of off often on once one only onto or other others otherwise our ours out
over own particular particularly per perhaps please possible rather same see seem seems several she should since so some
something still such take than that the their theirs them then there therefore these they thing this those though
through throughout thus to together too toward towards two under until up upon us use used useful uses using various
very via was we well were what whatever when where whether which while who whole whom whose why will with within without
would yes yet you your yours
"""
STOPWORDS = frozenset(tokenizer.stem(word) for word in _LISTED.split())
