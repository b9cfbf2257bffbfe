"""Redis, which processes share: the connection, the locks, the keys and signatures."""
