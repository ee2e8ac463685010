"""What a curator or an operator does at the desk."""
