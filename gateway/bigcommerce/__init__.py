"""The upstream: its protocol, the limits of its use, and the one file that sends requests."""
