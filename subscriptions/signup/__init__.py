"""Signing up: what visitors ask for, and whether a person asks."""
