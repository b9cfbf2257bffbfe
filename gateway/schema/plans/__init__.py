"""Plans: operations compiled to functions that make the JSON of `data` from decoded rows.

A plan never waits, reads, writes or makes an error. It answers from what lies decoded in this
process, or not at all; then graphql-core executes the operation as if there were no plan. So
errors, null propagation, deadlines and hang-ups are implemented once, and this package can be
deleted without a change of behaviour.

fields      what a root field declares: the connection or the lookup that it is
inputs      variables and arguments whose values coercion leaves as they are
selections  the JSON of rows, made once for each row and selection
connection  a page of any collection, `lookup` rows of any collection by id
compiler    from an operation to a plan, by graphql-core's own collection of fields
plan        a plan, one run of it, and the plans of the documents that are known
"""

from gateway.schema.plans.fields import ConnectionField, LookupField, PlannedField
from gateway.schema.plans.plan import Answer, Plan
from gateway.schema.plans.selections import RenderedRows

__all__ = [
    "Answer",
    "ConnectionField",
    "LookupField",
    "Plan",
    "PlannedField",
    "RenderedRows",
]
