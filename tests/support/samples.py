"""What `/metrics` says, as numbers."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

Samples = dict[tuple[str, ...], float]


def samples_of(text: str, name: str) -> Samples:
    """Returns the samples of a name that are not 0, by the values of their labels.

    The values are in the order of the names of their labels.
    """
    return {
        tuple(sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and sample.value
    }


def label_sets(text: str) -> set[tuple[tuple[str, str], ...]]:
    """Returns the labels of all samples, without the limits of buckets."""
    return {
        tuple((label, value) for label, value in sample.labels.items() if label != "le")
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def samples(http: httpx.AsyncClient, name: str) -> Samples:
    """Returns the samples of a name that a gateway has now."""
    return samples_of((await http.get("/metrics")).raise_for_status().text, name)
