"""A GraphQL gateway in front of BigCommerce's Customer Segmentation REST API.

The map, ground floor to roof; a module stands only on those above it in this list:

errors         the whole error tree: what a client is told, with a code
answer_scope   what one answer to a client may take, and what it is made of
steady_time    one clock for ages that several processes compare
lifecycle      where a process stands between its start and its end
shared         what processes share through Redis: the connection, leases, keys
pagination     pure: connection arguments -> window -> blocks of the upstream; cursors that hold
cache          read-through: fresh or filled, one flight for each key; the store below it
bigcommerce    the upstream: its protocol (pure), its models, the client that sends
data_source    the only room that knows both the client and the cache
loaders        lookups by id, gathered into one pool
schema         the graph: its types, its root, its limits, and its entities for routers
http_protocol  uvicorn's HTTP, with what it leaves undone
http_limits    the same with bounds on what comes beside bodies
logs           text or JSON lines, each with the id of its request
server         serves an ASGI application in one process or several, until a clean stop
emulator       a BigCommerce store inside the process: state below, wire above
web            what the world can call: GraphQL over HTTP, GraphiQL, health
settings       every knob: its name with its unit, its default, and one sentence
app            composition root: wires every part once, and owns their life
arguments      the command line: what each command takes
cli            the commands: serve, emulator, schema, settings, check
__main__       `python -m gateway`
"""
