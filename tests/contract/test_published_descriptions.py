"""The emulator's answers against BigCommerce's two OpenAPI descriptions.

The descriptions are BigCommerce's, and not in this repository: BIGCOMMERCE_SPEC_2025 and
BIGCOMMERCE_SPEC_2026 name files with them. Without one, only the statuses are compared.
"""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from emulated import Emulated, emulated
from jsonschema import Draft202012Validator, FormatChecker

from gateway.emulator import seeded_store
from gateway.emulator.resources import Dialect

NO_SUCH_ID = "00000000-0000-4000-8000-000000000000"
# The emulator's decisions, which no description has.
UNPUBLISHED = {("put", "/segments", "409")}


def description_of(dialect: Dialect) -> dict[str, Any] | None:
    """The description of a dialect, None if no file is named."""
    file = os.environ.get(f"BIGCOMMERCE_SPEC_{dialect}")
    return yaml.safe_load(Path(file).read_text(encoding="utf-8")) if file else None


def closed(schema: Any) -> Any:
    """The schema with objects that have no other properties than those it names."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {key: closed(part) for key, part in schema.items()}
    if isinstance(parts.get("properties"), dict) and parts["properties"]:
        parts.setdefault("additionalProperties", False)
    return parts


def mistakes(
    spec: dict[str, Any], dialect: Dialect, key: tuple[str, str, str], body: Any
) -> list[str]:
    """What is wrong with an answer by the description of its dialect."""
    method, path, status = key
    prefix = "/stores/{store_hash}/v3" if dialect == "2026" else ""
    responses = spec["paths"][prefix + path][method]["responses"]
    if status not in responses:
        return [f"{status} is not described"]
    content = responses[status].get("content")
    if content is None:
        return [] if body is None else ["it is not empty"]
    schema = content["application/json"]["schema"]
    components = spec["components"]
    # Only the description of 2026 has `links`, so that of 2025 is not closed.
    if dialect == "2026":
        schema, components = closed(schema), closed(components)
    validator = Draft202012Validator(
        {**schema, "components": components}, format_checker=FormatChecker()
    )
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(body)]


def as_described(body: Any) -> Any:
    """The body without what real answers have and the descriptions leave out.

    That is a `description` that is null, and the empty `errors` of segments that were written.
    """
    if isinstance(body, list):
        return [as_described(part) for part in body]
    if isinstance(body, dict):
        left_out: list[tuple[str, object]] = [("description", None), ("errors", [])]
        return {
            key: as_described(part) for key, part in body.items() if (key, part) not in left_out
        }
    return body


async def every_answer(store: Emulated) -> dict[tuple[str, str, str], list[Any]]:
    """Answers of each operation, right ones and refusals, by method, path and status."""
    answers: dict[tuple[str, str, str], list[Any]] = {}
    first, second = store.store.segments
    one, two, three = store.store.profiles[:3]
    members, profile = (
        "/segments/{segmentId}/shopper-profiles",
        "/shopper-profiles/{shopperProfileId}",
    )

    async def ask(method: str, path: str, query: str = "", body: object = None) -> None:
        at = path.format(segmentId=second.id, shopperProfileId=two.id)
        status, found = await store.ask(method, at.lstrip("/") + query, body)
        key = (method.lower(), path, str(status))
        answers.setdefault(key, []).append(as_described(found))

    for path in ("/segments", "/shopper-profiles", members, f"{profile}/segments"):
        await ask("GET", path, "?limit=1")
        await ask("GET", path, "?limit=1&page=2")
    await ask("POST", "/segments", body=[{"name": "A", "description": "Text"}, {"name": "B"}])
    await ask("POST", "/segments", body=[{"name": "A"}])
    await ask("POST", "/segments", body=[{"name": ""}, {"name": "C"}])
    await ask("PUT", "/segments", body=[{"id": first.id, "name": "D"}])
    await ask("PUT", "/segments", body=[{"id": first.id, "name": "A"}])
    await ask("PUT", "/segments", body=[{"id": NO_SUCH_ID, "name": "E"}])
    await ask("POST", members, body=[one.id, three.id])
    await ask("POST", members, body=[one.id])
    await ask("POST", "/shopper-profiles", body=[{"customer_id": 41}])
    await ask("POST", "/shopper-profiles", body=[{"customer_id": 1}])
    for path, row in ((members, one), ("/shopper-profiles", one), ("/segments", first)):
        await ask("DELETE", path, f"?id:in={row.id}")
        await ask("DELETE", path, f"?id:in={NO_SUCH_ID}")
    return answers


STATUSES: dict[Dialect, list[str]] = {
    "2025": ["200"] * 4 + ["201"] * 4 + ["204"] * 3 + ["400"] * 3 + ["409"] * 3,
    "2026": ["200"] * 7 + ["201"] * 4 + ["409"] * 3 + ["422"] * 6,
}


@pytest.mark.parametrize("dialect", STATUSES)
async def test_answers_are_as_bigcommerce_describes_them(dialect: Dialect) -> None:
    async with emulated(seeded_store(2, 40), dialect=dialect) as store:
        answers = await every_answer(store)
    assert sorted(status for _, _, status in answers) == STATUSES[dialect]
    assert len({(method, path) for method, path, _ in answers}) == 11
    spec = description_of(dialect)
    wrong = {
        key: found
        for key, bodies in answers.items()
        for body in bodies
        if spec and key not in UNPUBLISHED and (found := mistakes(spec, dialect, key, body))
    }
    assert wrong == {}
