"""What each stage costs at a chosen size, on made-up data, on this machine: `make bench`."""
