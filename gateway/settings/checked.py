"""Settings that make sense, each by itself and all together."""

import re
from pathlib import Path
from typing import Self

from pydantic import SecretStr, field_validator, model_validator

from gateway.settings.knobs import Knobs
from gateway.settings.redis_url import checked_prefix, checked_redis_url, complaint_about_tls
from gateway.settings.tls_files import checked_file, holds_certificates
from gateway.settings.upstream_url import checked_base_url, is_host, is_loopback, plain_http_host

CONTACT_URL = re.compile(r"(?:https?://|mailto:)\S+$")
STORE_HASH = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Settings(Knobs):
    """The settings of one gateway process, checked."""

    @field_validator("store_hash")
    @classmethod
    def _hash_fits_a_path(cls, store_hash: str | None) -> str | None:
        if store_hash is not None and not STORE_HASH.fullmatch(store_hash):
            raise ValueError("it has to be letters, digits, - and _, at most 64 of them")
        return store_hash

    @field_validator("access_token")
    @classmethod
    def _token_fits_a_header(cls, token: SecretStr | None) -> SecretStr | None:
        value = "x" if token is None else token.get_secret_value()
        if not value or not value.isascii() or not value.isprintable() or " " in value:
            raise ValueError("it has to be one line of visible ASCII characters")
        return token

    @field_validator("upstream_url")
    @classmethod
    def _url_is_a_base(cls, url: str) -> str:
        return checked_base_url(url)

    @field_validator("upstream_plain_http_host")
    @classmethod
    def _plain_http_host_is_bare(cls, host: str | None) -> str | None:
        if host is not None and not is_host(host):
            raise ValueError("it has to be a host alone, without scheme and port, such as emulator")
        return host

    @field_validator("redis_url")
    @classmethod
    def _redis_can_be_found(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            checked_redis_url(url.get_secret_value())
        return url

    @field_validator("redis_key_prefix")
    @classmethod
    def _prefix_fits_a_key(cls, prefix: str) -> str:
        return checked_prefix(prefix)

    @field_validator(
        "upstream_ca_file", "redis_ca_file", "redis_certificate_file", "redis_key_file"
    )
    @classmethod
    def _file_can_be_read(cls, path: Path | None) -> Path | None:
        return checked_file(path)

    @field_validator("subgraph_contact_name")
    @classmethod
    def _contact_has_a_name(cls, name: str) -> str:
        if not name.strip() or not name.isprintable():
            raise ValueError("it has to be one line of text, such as a team's name")
        return name

    @field_validator("subgraph_contact_url")
    @classmethod
    def _contact_can_be_followed(cls, url: str | None) -> str | None:
        if url is not None and not (url.isprintable() and CONTACT_URL.match(url)):
            raise ValueError("it has to begin with https://, http:// or mailto:")
        return url

    @model_validator(mode="after")
    def _is_a_whole_configuration(self) -> Self:
        if self.store_hash is not None and self.access_token is None:
            raise ValueError("GATEWAY_STORE_HASH is set without GATEWAY_ACCESS_TOKEN: set both.")
        if self.access_token is not None and self.store_hash is None:
            raise ValueError("GATEWAY_ACCESS_TOKEN is set without GATEWAY_STORE_HASH: set both.")
        if "upstream_url" in self.model_fields_set and self.uses_emulator:
            raise ValueError(
                "GATEWAY_UPSTREAM_URL is set without GATEWAY_STORE_HASH and GATEWAY_ACCESS_TOKEN: "
                "set all three, or none to run on the emulator."
            )
        host = plain_http_host(self.upstream_url)
        named = (self.upstream_plain_http_host or "").lower()
        if host is not None and host != named and not is_loopback(host):
            raise ValueError(
                "GATEWAY_UPSTREAM_URL would send the token by plain http: use https, or name the "
                "host in GATEWAY_UPSTREAM_PLAIN_HTTP_HOST if its network is your own."
            )
        return self

    @model_validator(mode="after")
    def _ca_file_fits_the_upstream(self) -> Self:
        if self.upstream_ca_file is None:
            return self
        if self.uses_emulator:
            raise ValueError(
                "GATEWAY_UPSTREAM_CA_FILE is set without GATEWAY_STORE_HASH and "
                "GATEWAY_ACCESS_TOKEN: set all three, or none to run on the emulator."
            )
        if plain_http_host(self.upstream_url) is not None:
            raise ValueError(
                "GATEWAY_UPSTREAM_CA_FILE is for TLS: GATEWAY_UPSTREAM_URL has to begin with "
                "https://."
            )
        if not holds_certificates(self.upstream_ca_file):
            raise ValueError("GATEWAY_UPSTREAM_CA_FILE holds no certificates: it has to be PEM.")
        return self

    @model_validator(mode="after")
    def _tls_files_fit_redis(self) -> Self:
        url = None if self.redis_url is None else self.redis_url.get_secret_value()
        files = (self.redis_ca_file, self.redis_certificate_file, self.redis_key_file)
        complaint = complaint_about_tls(url, *files)
        if complaint is not None:
            raise ValueError(complaint)
        return self

    @property
    def uses_emulator(self) -> bool:
        """Whether the upstream is the emulator inside the process."""
        return self.store_hash is None

    def upstream_name(self) -> str:
        """Returns what the upstream is called in the log."""
        if self.uses_emulator:
            return f"the emulator inside this process ({self.emulator_segments} segments)"
        return f"store {self.store_hash} at {self.upstream_url}"

    def summary(self) -> str:
        """Returns the first line of the log: which upstream, which cache, which authentication."""
        redis = "" if self.redis_url is None else " and Redis"
        fresh = f"fresh for {self.cache_ttl_seconds:g} s" if self.cache_ttl_seconds else "off"
        hint = (
            "; set GATEWAY_STORE_HASH and GATEWAY_ACCESS_TOKEN for a real store"
            if self.uses_emulator
            else ""
        )
        return (
            f"upstream: {self.upstream_name()}; "
            f"cache: memory{redis}, {self.cache_max_bytes // 1024**2} MiB, {fresh}; "
            f"authentication of clients: none{hint}"
        )
