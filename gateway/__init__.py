"""A GraphQL gateway in front of BigCommerce's Customer Segmentation REST API.

The map, from the lowest layer to the highest. A module imports only from those above it:

errors           the whole error tree, each error with its code
user_errors      why an item of a mutation was not carried out
row              a row: the element of every list
at_once          what an application may offer a server beside ASGI: answers that need no wait
instrumentation  what the parts report of their work: the seam to telemetry
request_scope    the deadline of one client request, and the age of the values in its answer
breaker          one circuit breaker, for the upstream and for Redis
socket_errors    descriptions of connection failures for the operator
identity         who sent a request, and the scopes of that client
clock            the wall clock for timestamps that processes share; it never goes back
lifecycle        the stages of a process between its start and its end
api_keys         the file of the clients' API keys: their hashes, names and scopes
redis            the connection to Redis, the locks in it and its keys
pagination       pure: connection arguments -> window -> blocks of the upstream; cursors
cache            reads through memory and Redis: fresh, stale or filled; one fill per key at a time
bigcommerce      the upstream: its protocol (pure), its models, the client that sends
data_source      collections of the upstream: lists in blocks, lookups by id, and writes
schema           the graph: its types, its roots, its limits, its entities for federation
telemetry        what the operator sees of it: metrics
logs             text or JSON lines, each with the id of its request
server           serves an ASGI application in one process or several
emulator         a BigCommerce store inside the process: state below, wire above
web              the HTTP surface: GraphQL over HTTP, authentication, GraphiQL, health, metrics
settings         every setting: its name with its unit, its default and its description
app              composition root: creates and connects every part
completion       scripts that complete the command line in a shell
arguments        the command line: the options of each command
demo             the same tasks by REST and through the gateway, with their costs side by side
cli              the commands: serve, emulator, schema, settings, check, keys, demo, completion
__main__         `python -m gateway`
"""
