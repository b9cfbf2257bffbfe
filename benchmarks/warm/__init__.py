"""`make bench`: what a warm answer costs, as share of a bare server that sends the same bytes.

works           what is asked, as templates of requests
wrk             the load: one template as a script of wrk, and a run of it
contenders      the servers as processes
static          a contender: the bytes, without anything else
unplanned       a contender: the gateway, each request executed by graphql-core
strawberry_app  a contender: an API as Strawberry's documentation leads to it
checks          that answers are right before they are measured
figures         the table and its conditions
memory          `python -m benchmarks.warm.memory`: start, and memory after many requests
__main__        the command
"""
