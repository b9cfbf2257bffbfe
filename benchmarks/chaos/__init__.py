"""`make chaos`: what clients notice while one part after another fails, measured.

`processes` starts the real parts, `control` breaks the store, `queries` are what clients ask and
what is right, `load` asks at a steady rate, `scenarios` says what fails when, `table` and `bars`
what came of it.
"""
