"""What a gateway tells its operator of its work.

metrics    the metrics, in the process or added up over the workers
at_once    the times of answers at once, in plain numbers first
gauges     the state of a process, which is read when the metrics are
recording  takes what the parts report, and counts it

Only a gateway with telemetry imports these modules, by their own names: the client library of
Prometheus costs each start 0.07 seconds.
"""
