"""The mutations of the graph, over the engine of writes.

segments     creates, changes and deletes segments
memberships  puts customers and profiles into segments, and takes them out
profiles     creates and deletes shopper profiles
inputs       what clients send; `payloads` are the answers, `user_errors` their errors of items
items        checks each item of an input by itself, and carries out those that are valid
access       the scopes of a mutation
allowance    how much the mutations of one request may change together
"""
