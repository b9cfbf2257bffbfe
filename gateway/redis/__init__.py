"""Redis, which processes share: the connection, the locks and the keys."""
