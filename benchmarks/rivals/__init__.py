"""What the same tasks cost a store behind other gateways, by `python -m benchmarks.rivals`.

Each task runs on a fresh emulated store, which counts, and on a fresh process of each contender:

    contenders   how each is started, and how its clients ask for a page and for rows by id
    tasks        what is asked, and what is counted
    mesh/        GraphQL Mesh and Hive Gateway, pinned by npm; `npm ci` there installs them
"""
