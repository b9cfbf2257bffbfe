"""What processes share through Redis: the connection, leases, and keys."""
