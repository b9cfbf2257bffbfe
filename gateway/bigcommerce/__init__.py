"""The upstream: its protocol, its limits, and the client that sends requests.

models            rows and pages
values            lenient readers of JSON values
protocol          operation to request, answer to value or error (pure)
listings          the list operations, and the readers of their rows (pure)
ids               one or more checked uuids, which a DELETE needs (pure)
writes            the write operations, and what an answer says of each item (pure)
write_errors      the errors in such an answer (pure)
rate_limit        the rate-limit headers of an answer
quota             the state of the store's quota
semaphore         slots, shared fairly among client requests
limiter           waits for a slot and for the quota; `shares` are those of clients
operation_health  pauses an operation that fails or refuses the token
retry_budget      bounds the retries of all operations
operations        runs an operation with retries, within its deadline
client            sends one request; `body` and `transport_errors` are its parts
"""
