"""What providers and mailboxes report about letters that went."""
