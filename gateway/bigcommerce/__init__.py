"""The upstream: what it is asked, what its answers mean, and the one file that asks."""
