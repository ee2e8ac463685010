"""The ways out: what each can promise, how fast it goes, and when it is paused."""
