"""Running the day on this machine, and looking whether all is well."""
