"""Answers kept for a while, in three small things: a backend, reading through, single flight."""
