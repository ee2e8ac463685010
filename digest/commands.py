"""What Offprint's commands share; the base class lives one room further in, where `subscribe` uses it too."""

from subscriptions.commands import Command as Command
from subscriptions.commands import UsageError as UsageError
from subscriptions.commands import current as current
from subscriptions.commands import day as day
from subscriptions.commands import moment as moment
