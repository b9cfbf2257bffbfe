"""`make chaos`: what clients notice while one part after another fails, measured.

client      HTTP connections that are kept, with one second try
queries     what clients ask, and the right answers
load        queries at a steady rate, and their outcomes
stack       a gateway, its store and its Redis as processes
scenarios   what fails, on a warm and on a cold cache
extremes    many identical requests to two processes; many keys in one
report      the table, the bars and the conditions
__main__    the command
"""
