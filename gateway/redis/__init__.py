"""Redis, which processes share: the connection, the locks, the keys and signatures.

Only `connection`, `causes` and `parser` import the client of Redis, and only a gateway with a
`GATEWAY_REDIS_URL` imports these three: they cost each start 0.05 seconds and 6 MiB.
"""
