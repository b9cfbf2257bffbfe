"""What a gateway tells its operator of its work.

recording    hands what the parts report on to all of those that are on:
counting     counts it in the metrics
traces       makes spans of it, if `sampling` says so; `exporting` sends them to a collector
request_log  writes a line for each operation
metrics      the metrics, in the process or added up over the workers
at_once      the times of answers at once, in plain numbers first
gauges       the state of a process, which is read when the metrics are
history      the last hour of the metrics, for the status page

Only a gateway with telemetry imports these modules, by their own names: the client library of
Prometheus costs each start 0.07 seconds, and that of OpenTelemetry is an extra.
"""
