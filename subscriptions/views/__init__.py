"""The reader's pages: what comes in by HTTP, handed to the services, answered in HTML."""
