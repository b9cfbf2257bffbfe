"""`make chaos`: what clients notice while one part after another fails, measured.

The map, ground floor to roof:

processes   the real parts as processes: start, signals, end by pid
control     the control routes of the emulated store
queries     what clients ask, and what is right
answers     what one answer is: fresh, stale, an error, wrong
http        connections that are kept, with one second try as browsers have
load        queries at a steady rate, and what became of them
stack       a gateway with its store and its Redis
scenarios   what fails, warm and cold
table       rows as Markdown, between the markers of a page
bars        what has to hold
together    many identical requests to two processes; many keys in one
limit       what the load itself can do
conditions  when, on what and how it was measured
__main__    the command
"""
