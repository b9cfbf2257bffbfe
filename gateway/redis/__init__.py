"""What processes share through Redis: the connection, the lock, the keys."""
