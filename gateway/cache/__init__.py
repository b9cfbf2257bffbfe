"""Reads through memory and Redis.

policy         the freshness of a value by its age
memory         entries in the process; `least_recently_used` bounds it in bytes
shared_store   entries in Redis
entries        both stores as one
single_flight  one call in flight per key
fills          fills of entries, and the keys whose fill has just failed
counts         how many keys were read, by collection and result
freshness      how an entry may be served now; `operation_states` are what it asks the upstream
refreshes      background refreshes of stale entries
invalidations  the last write to each collection, known to all processes
read_through   decides which value is served, and when it is refreshed
"""
