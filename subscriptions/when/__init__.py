"""When a reader's next digest is due: schedule, days of the week, time zones."""
