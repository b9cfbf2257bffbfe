"""The dashboard and the alerts in front of a real Prometheus.

prometheus  a Prometheus that scrapes a gateway each second
mixed_load  clients with queries and mutations of all kinds
observed    a gateway with its store and its Redis, and the faults that set alerts off
picture     draws the dashboard from the answers of Prometheus

`python -m benchmarks.dashboard` runs all of it for a few minutes, and draws
docs/images/dashboard.png.
"""
