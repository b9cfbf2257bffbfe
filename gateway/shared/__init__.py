"""What processes share through Redis: the connection, leases, the view of the quota, and keys."""
