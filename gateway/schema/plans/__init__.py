"""Plans: operations compiled to functions that make the JSON of `data` from decoded rows.

A plan never waits, reads, writes or makes an error. It answers from what lies decoded in this
process, or not at all; then graphql-core executes the operation as if there were no plan. So
errors, null propagation, deadlines and hang-ups are implemented once, and this package can be
deleted without a change of behaviour.

fields      what a root field declares: the connection or the lookup that it is
inputs      variables and arguments whose values coercion leaves as they are
selected    the fields of an operation, as graphql-core collects and merges them
selections  the JSON of a row: the plain attributes that are selected
rendered    the JSON of rows, made once for each row and selection, bounded in bytes
connection  a page of any collection; `lookup` is rows of any collection by id
compiler    from an operation to a plan
run         one run of a plan: what it reads, and what it asks for
plan        a plan, and its answers
plans       the plans of each operation, bounded in number
"""
