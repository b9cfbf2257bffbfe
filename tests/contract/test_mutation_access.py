"""Who may execute which mutation: through HTTP, by the scopes of the client and by the settings."""

from typing import Any

import pytest
from in_process import InProcess, in_process
from starlette.requests import Request

from gateway.emulator import seeded_store
from gateway.identity import ALL_SCOPES, AccessScope, Client

SEGMENTS, PROFILES = AccessScope.SEGMENTS_WRITE, AccessScope.PROFILES_WRITE
ABSENT = "ffffffff-0000-4000-8000-ffffffffffff"
MEMBERS = f'segmentEntityId: "{ABSENT}", '
# Of each mutation: its scope, an input, and what of its payload needs which scope to read.
MUTATIONS: dict[str, tuple[AccessScope, str, dict[str, AccessScope]]] = {
    "createSegments": (
        SEGMENTS,
        'segments: [{name: "A"}]',
        {"segments { id }": AccessScope.SEGMENTS_READ},
    ),
    "updateSegments": (
        SEGMENTS,
        f'segments: [{{entityId: "{ABSENT}", name: "A"}}]',
        {"segments { id }": AccessScope.SEGMENTS_READ},
    ),
    "deleteSegments": (SEGMENTS, f'entityIds: ["{ABSENT}"]', {}),
    **{
        name: (
            PROFILES,
            f"{MEMBERS} customerEntityIds: [1]",
            {
                "segment { id }": AccessScope.SEGMENTS_READ,
                "customers { id }": AccessScope.PROFILES_READ,
            },
        )
        for name in ("addCustomersToSegment", "removeCustomersFromSegment")
    },
    "createShopperProfiles": (
        PROFILES,
        "customerEntityIds: [1]",
        {"shopperProfiles { entityId }": AccessScope.PROFILES_READ},
    ),
    "deleteShopperProfiles": (PROFILES, f'entityIds: ["{ABSENT}"]', {}),
    **{
        name: (
            PROFILES,
            f'{MEMBERS} shopperProfileEntityIds: ["{ABSENT}"]',
            {
                "segment { id }": AccessScope.SEGMENTS_READ,
                "shopperProfiles { entityId }": AccessScope.PROFILES_READ,
            },
        )
        for name in ("addShopperProfilesToSegment", "removeShopperProfilesFromSegment")
    },
}


def gateway_of(scopes: frozenset[AccessScope]) -> InProcess:
    async def anybody(_: Request) -> Client:
        return Client("key:a", scopes)

    return in_process(seeded_store(3, 4), authenticate=anybody)


async def outcome(gateway: InProcess, name: str, selected: str) -> tuple[Any, list[str]]:
    """The value of the mutation, and the messages of the errors that refuse it."""
    answer = await gateway.ask(f"mutation {{ {name}(input: {{{MUTATIONS[name][1]}}}) {selected} }}")
    errors = answer.get("errors", [])
    assert {error["extensions"]["code"] for error in errors} <= {"FORBIDDEN"}
    return answer["data"][name], [error["message"] for error in errors]


@pytest.mark.parametrize("name", MUTATIONS)
async def test_a_client_without_the_scope_writes_nothing(name: str) -> None:
    scope, *_ = MUTATIONS[name]
    gateway = gateway_of(ALL_SCOPES - {scope})
    value, (message,) = await outcome(gateway, name, "{ userErrors { code } }")
    assert (value, gateway.upstream_requests) == (None, 0)
    assert f"`{scope}`" in message


@pytest.mark.parametrize("name", MUTATIONS)
async def test_what_the_client_may_not_read_is_refused_before_the_write(name: str) -> None:
    scope, _, shows = MUTATIONS[name]
    for field, needed in shows.items():
        gateway = gateway_of(ALL_SCOPES - {needed})
        value, (message,) = await outcome(gateway, name, f"{{ shown: {field} }}")
        assert (value, gateway.upstream_requests) == (None, 0)
        selected = field.partition(" ")[0]
        assert message.startswith(
            f"Nothing was sent: selecting `{selected}` needs the scope `{needed}`, which"
        )
    gateway = gateway_of(frozenset({scope}))
    value, messages = await outcome(gateway, name, "{ userErrors { code } query { __typename } }")
    assert (value["query"], messages) == ({"__typename": "Query"}, [])


@pytest.mark.parametrize(("allowed", "code"), [("read", "FORBIDDEN"), ("write", None)])
async def test_clients_without_credentials_write_where_the_setting_says_so(
    allowed: str, code: str | None
) -> None:
    gateway = in_process(seeded_store(3, 4), ALLOW_ANONYMOUS=allowed)
    for name in MUTATIONS:
        value, messages = await outcome(gateway, name, "{ userErrors { code } }")
        assert (value is None) is (code is not None)
        assert bool(messages) is (code is not None)
    assert (gateway.upstream_requests > 0) is (code is None)
