"""The proof kit: a provider that fails on purpose, a proxy that breaks connections, and a driver that kills."""
