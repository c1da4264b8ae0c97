"""Prometheus metrics as every process has them; its CPU, memory and garbage come by themselves."""

from collections.abc import Sequence
from importlib.metadata import version

from prometheus_client import CONTENT_TYPE_LATEST, Gauge, Histogram, generate_latest

# s, from a hop on loopback to a client's patience: equal everywhere, so that hops can be added up.
LATENCIES = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
CONTENT_TYPE = CONTENT_TYPE_LATEST

INFO = Gauge("orderstream_process_info", "1, of the process and version.", ["process", "version"])


def describe(process: str) -> None:
    """Says which process of which version these metrics are of."""
    INFO.labels(process=process, version=version("orderstream")).set(1)


def latency(name: str, documentation: str, labels: Sequence[str] = ()) -> Histogram:
    """Returns a histogram of seconds, named orderstream_<name>_seconds."""
    return Histogram(f"orderstream_{name}_seconds", documentation, labels, buckets=LATENCIES)


def exposition() -> bytes:
    """Returns every metric of this process in Prometheus's text format, CONTENT_TYPE."""
    return generate_latest()
