"""Reads through memory and Redis: `policy`, two stores, `single_flight`, and `read_through`."""
