"""JSON web tokens, with keys that the test makes."""

import base64
import hashlib
import hmac
import json
import math
import time
from collections.abc import Sequence
from typing import Any

import jwt
import pytest
from clock import Clock
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from issuer import AUDIENCE, EC_KEY, ED_KEY, ISSUER, OTHER_RSA_KEY, RSA_KEY, Issuer, public_jwk

from gateway.identity import AccessScope, Client
from gateway.web.authentication.refused import CredentialsRefused
from gateway.web.authentication.signing_keys import SigningKeys
from gateway.web.authentication.tokens import Tokens

READ = frozenset({AccessScope.SEGMENTS_READ})
INVALID = "The token is not valid."


def tokens_of(
    issuer: Issuer, clock: Clock, algorithms: Sequence[str] = ("RS256", "ES256")
) -> Tokens:
    return Tokens(
        SigningKeys(issuer.fetch, algorithms, clock),
        issuer=ISSUER,
        audience=AUDIENCE,
        algorithms=algorithms,
        now=clock,
    )


async def refusal(tokens: Tokens, token: str) -> str:
    with pytest.raises(CredentialsRefused) as caught:
        await tokens.client_of(token)
    return caught.value.message


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuer(clock: Clock) -> Issuer:
    return Issuer(clock)


@pytest.fixture
def tokens(issuer: Issuer, clock: Clock) -> Tokens:
    return tokens_of(issuer, clock)


async def test_a_token_names_its_subject_and_its_scopes(tokens: Tokens, issuer: Issuer) -> None:
    assert await tokens.client_of(issuer.token()) == Client("token:alice", READ)


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (RSA_KEY, "RS256"),
        (RSA_KEY, "RS512"),
        (RSA_KEY, "PS256"),
        (EC_KEY, "ES256"),
        (ED_KEY, "EdDSA"),
    ],
)
@pytest.mark.parametrize("says_algorithm", [True, False])
async def test_keys_with_and_without_an_algorithm_verify(
    key: Any, algorithm: str, says_algorithm: bool, clock: Clock
) -> None:
    members = {"alg": algorithm} if says_algorithm else {}
    issuer = Issuer(clock, public_jwk(key, kid="one", **members))
    tokens = tokens_of(issuer, clock, ["PS256", "RS256", "RS512", "ES256", "EdDSA"])
    assert (await tokens.client_of(issuer.token(key, algorithm))).name == "token:alice"


async def test_a_key_of_one_algorithm_verifies_no_other(clock: Clock) -> None:
    issuer = Issuer(clock, public_jwk(RSA_KEY, kid="one", alg="RS256"))
    tokens = tokens_of(issuer, clock, ["RS256", "PS256"])
    assert await refusal(tokens, issuer.token(RSA_KEY, "PS256")) == INVALID


async def test_an_algorithm_that_is_not_set_is_refused(tokens: Tokens, issuer: Issuer) -> None:
    assert await refusal(tokens, issuer.token(RSA_KEY, "RS512")) == INVALID
    assert issuer.fetches == 0


@pytest.mark.parametrize("form", ["kid of the token", "kid of the keys", "neither"])
async def test_without_ids_each_key_is_tried(form: str, clock: Clock) -> None:
    kids = ("one", "two") if form == "kid of the keys" else (None, None)
    jwks = [
        public_jwk(key, **({} if kid is None else {"kid": kid}))
        for key, kid in zip((OTHER_RSA_KEY, RSA_KEY), kids, strict=True)
    ]
    issuer = Issuer(clock, *jwks)
    headers = {"kid": "two"} if form == "kid of the token" else {}
    token = issuer.token(headers=headers)
    assert (await tokens_of(issuer, clock).client_of(token)).name == "token:alice"


async def test_a_key_with_another_id_is_not_tried(tokens: Tokens, issuer: Issuer) -> None:
    assert await refusal(tokens, issuer.token(headers={"kid": "two"})) == INVALID


@pytest.mark.parametrize(
    "members", [{"use": "enc"}, {"key_ops": ["sign"]}, {"key_ops": "verify"}, {"kid": 1}]
)
async def test_a_key_that_may_not_verify_is_not_used(
    members: dict[str, object], clock: Clock
) -> None:
    jwks = [public_jwk(RSA_KEY, **{"kid": "one", **members}), public_jwk(EC_KEY, kid="two")]
    issuer = Issuer(clock, *jwks)
    assert await refusal(tokens_of(issuer, clock), issuer.token()) == INVALID


async def test_a_key_that_says_that_it_verifies_is_used(clock: Clock) -> None:
    issuer = Issuer(clock, public_jwk(RSA_KEY, kid="one", use="sig", key_ops=["sign", "verify"]))
    assert (await tokens_of(issuer, clock).client_of(issuer.token())).name == "token:alice"


async def test_a_short_key_is_not_used(clock: Clock) -> None:
    short = rsa.generate_private_key(65537, 1024)
    issuer = Issuer(clock, public_jwk(short, kid="one"))
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = issuer.token(short)
    assert await refusal(tokens_of(issuer, clock), token) == INVALID


async def test_a_key_of_another_curve_is_not_used(clock: Clock) -> None:
    other = ec.generate_private_key(ec.SECP384R1())
    issuer = Issuer(clock, public_jwk(other, kid="one"), public_jwk(RSA_KEY, kid="two"))
    tokens = tokens_of(issuer, clock)
    assert await refusal(tokens, issuer.token(other, "ES384")) == INVALID


# What a token says, and the refusal.
CLAIMS: list[tuple[dict[str, object], str]] = [
    ({"iss": "https://id.example.com"}, INVALID),
    ({"iss": None}, INVALID),
    ({"iss": [ISSUER]}, INVALID),
    ({"aud": "other"}, INVALID),
    ({"aud": ["other", "third"]}, INVALID),
    ({"aud": None}, INVALID),
    ({"aud": {"segments": 1}}, INVALID),
    ({"exp": None}, INVALID),
    ({"exp": "1900000000"}, INVALID),
    ({"exp": True}, INVALID),
    ({"exp": math.nan}, "The token has expired."),
    ({"exp": -math.inf}, "The token has expired."),
    ({"exp": 1_799_999_969}, "The token has expired."),
    ({"nbf": 1_800_000_031}, "The token is not valid yet."),
    ({"nbf": 10**400}, "The token is not valid yet."),
    ({"nbf": math.nan}, "The token is not valid yet."),
    ({"nbf": "soon"}, INVALID),
    ({"sub": None}, INVALID),
    ({"sub": ""}, INVALID),
    ({"sub": 7}, INVALID),
    ({"sub": "a" * 201}, INVALID),
    ({"sub": "alice\nroot"}, INVALID),
    ({"sub": "\x1b[2J"}, INVALID),
    ({"sub": "\ud800"}, INVALID),
]


@pytest.mark.parametrize(("claims", "sentence"), CLAIMS)
async def test_wrong_claims_are_refused(
    claims: dict[str, object], sentence: str, tokens: Tokens
) -> None:
    whole = {name: value for name, value in (_claims() | claims).items() if value is not None}
    token = _signed({"alg": "RS256", "kid": "one"}, whole)
    assert await refusal(tokens, token) == sentence


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": ["other", AUDIENCE]},
        {"exp": 1_799_999_971},
        {"exp": 1_800_000_300.5},
        {"exp": 10**400},
        {"nbf": 1_800_000_030},
        {"iat": 1_900_000_000},
        {"sub": "alice@example.com | Zürich"},
    ],
)
async def test_claims_within_the_rules_are_taken(
    claims: dict[str, Any], tokens: Tokens, issuer: Issuer
) -> None:
    assert (await tokens.client_of(issuer.token(**claims))).scopes == READ


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scope": "openid segments:read  metrics "}, {"segments:read", "metrics"}),
        (
            {"scope": None, "scp": ["segments:read", "federation", 7]},
            {"segments:read", "federation"},
        ),
        ({"scope": None, "scp": "segments:read profiles:read"}, {"segments:read", "profiles:read"}),
        ({"scope": "segments:read", "scp": ["metrics"]}, {"segments:read", "metrics"}),
        ({"scope": "SEGMENTS:READ segments:read,metrics"}, set()),
        ({"scope": {"segments:read": 1}}, set()),
        ({"scope": None}, set()),
    ],
)
async def test_scopes_come_from_scope_and_scp_and_unknown_ones_are_ignored(
    claims: dict[str, Any], scopes: set[str], tokens: Tokens, issuer: Issuer
) -> None:
    assert (await tokens.client_of(issuer.token(**claims))).scopes == scopes


def _part(content: object) -> bytes:
    encoded = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(encoded).rstrip(b"=")


def _claims() -> dict[str, object]:
    exp = int(Clock().now) + 300
    return {"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "exp": exp, "scope": "segments:read"}


def _signed(header: object, claims: object) -> str:
    """A token with a signature of the issuer, whatever it says."""
    signed = _part(header) + b"." + _part(claims)
    signature = jwt.get_algorithm_by_name("RS256").sign(signed, RSA_KEY)
    return (signed + b"." + _part(signature)).decode()


def _hmac_signed(secret: bytes) -> str:
    signed = _part({"alg": "HS256", "kid": "one"}) + b"." + _part(_claims())
    signature = hmac.new(secret, signed, hashlib.sha256).digest()
    return (signed + b"." + _part(signature)).decode()


async def test_the_public_key_is_no_secret_to_sign_with(tokens: Tokens, issuer: Issuer) -> None:
    public = RSA_KEY.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for secret in (pem, pem.strip(), der, json.dumps(issuer.jwks[0]).encode(), b""):
        assert await refusal(tokens, _hmac_signed(secret)) == INVALID


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", None, 0, [], ["RS256"]])
async def test_a_token_without_a_signature_is_refused(algorithm: object, tokens: Tokens) -> None:
    body = (_part({"alg": algorithm, "kid": "one"}) + b"." + _part(_claims())).decode()
    for signature in ("", "AA"):
        assert await refusal(tokens, f"{body}.{signature}") == INVALID
    with_signature = _signed({"alg": algorithm, "kid": "one"}, _claims())
    assert await refusal(tokens, with_signature) == INVALID


async def test_an_oct_key_of_the_issuer_is_not_used(clock: Clock) -> None:
    secret = base64.urlsafe_b64encode(b"s" * 32).rstrip(b"=").decode()
    symmetric = {"kty": "oct", "k": secret, "kid": "one"}
    issuer = Issuer(clock, symmetric, public_jwk(RSA_KEY, kid="two"))
    assert await refusal(tokens_of(issuer, clock), _hmac_signed(b"s" * 32)) == INVALID


@pytest.mark.parametrize(
    "header",
    [
        {"jwk": public_jwk(OTHER_RSA_KEY)},
        {"jku": "https://evil.example.com/jwks.json"},
        {"x5u": "https://evil.example.com/chain.pem"},
        {"x5c": ["MIIB"]},
    ],
)
async def test_a_key_that_the_token_brings_is_ignored(
    header: dict[str, object], tokens: Tokens, issuer: Issuer
) -> None:
    forged = issuer.token(OTHER_RSA_KEY, headers={"kid": "one", **header})
    assert await refusal(tokens, forged) == INVALID
    honest = issuer.token(headers={"kid": "one", **header})
    assert (await tokens.client_of(honest)).name == "token:alice"
    assert issuer.fetches == 1


@pytest.mark.parametrize(
    "kid",
    [
        "../../dev/null",
        "' OR 1=1 --",
        "https://evil.example.com/",
        "",
        "one\x00",
        "ONE",
        "k" * 4000,
    ],
)
async def test_an_id_of_a_key_is_only_compared(kid: str, tokens: Tokens, issuer: Issuer) -> None:
    assert await refusal(tokens, issuer.token(OTHER_RSA_KEY, headers={"kid": kid})) == INVALID


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "RS256", "kid": 1},
        {"alg": "RS256", "kid": ["one"]},
        {"alg": "RS256", "kid": "one", "crit": ["exp"]},
        {"alg": "RS256", "kid": "one", "b64": False, "crit": ["b64"]},
        {"kid": "one"},
        [],
        b"{",
        b"[" * 4000,
    ],
)
async def test_a_malformed_header_is_refused(header: object, tokens: Tokens) -> None:
    assert await refusal(tokens, _signed(header, _claims())) == INVALID


@pytest.mark.parametrize("claims", [[], b"", b"{", b"[" * 4000, b'{"exp": ' + b"9" * 5000 + b"}"])
async def test_a_malformed_payload_is_refused(claims: object, tokens: Tokens) -> None:
    assert await refusal(tokens, _signed({"alg": "RS256", "kid": "one"}, claims)) == INVALID


@pytest.mark.parametrize("token", ["", ".", "..", "a.b", "a.b.c", "é.é.é", "a.b.c.d.e", "gwk_abc"])
async def test_what_is_no_token_is_refused(token: str, tokens: Tokens) -> None:
    assert await refusal(tokens, token) == INVALID


async def test_a_changed_token_is_refused(tokens: Tokens, issuer: Issuer) -> None:
    header, payload, signature = issuer.token().split(".")
    claims = _part({**_claims(), "sub": "root"}).decode()
    for changed in (f"{header}.{claims}.{signature}", f"{header}.{payload}.{signature[::-1]}"):
        assert await refusal(tokens, changed) == INVALID


async def test_a_huge_token_is_refused_before_it_is_read(tokens: Tokens, issuer: Issuer) -> None:
    assert await refusal(tokens, issuer.token(padding="x" * 8192)) == INVALID
    assert issuer.fetches == 0
    began = time.process_time()
    assert await refusal(tokens, "[" * 1_000_000) == INVALID
    assert time.process_time() - began < 0.05


async def test_a_verified_token_is_kept_for_a_minute(
    tokens: Tokens, issuer: Issuer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = issuer.token()
    client = await tokens.client_of(token)
    verified: list[str] = []
    decode = jwt.decode

    def counted(*args: Any, **options: Any) -> Any:
        verified.append("")
        return decode(*args, **options)

    monkeypatch.setattr(jwt, "decode", counted)
    clock.advance(59)
    assert tokens.verified(token) is client
    clock.advance(1)
    assert tokens.verified(token) is None
    assert await tokens.client_of(token) == client
    assert len(verified) == 1


async def test_a_verified_token_ends_with_its_time(
    tokens: Tokens, issuer: Issuer, clock: Clock
) -> None:
    token = issuer.token(exp=int(clock()) + 20)
    await tokens.client_of(token)
    clock.advance(49)  # within the leeway
    await tokens.client_of(token)
    clock.advance(1)
    assert await refusal(tokens, token) == "The token has expired."


async def test_tokens_of_keys_that_are_gone_are_refused_after_a_minute(
    tokens: Tokens, issuer: Issuer, clock: Clock
) -> None:
    token = issuer.token(exp=int(clock()) + 3600)
    await tokens.client_of(token)
    issuer.jwks = [public_jwk(OTHER_RSA_KEY, kid="two")]
    clock.advance(10)
    rotated = issuer.token(OTHER_RSA_KEY, headers={"kid": "two"})
    assert (await tokens.client_of(rotated)).name == "token:alice"
    clock.advance(50)
    assert await refusal(tokens, token) == INVALID
