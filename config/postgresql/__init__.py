"""Django's PostgreSQL backend, with patience at the door."""
