"""Settings from the environment. Every missing or wrong key is listed at once, before anything starts."""

from __future__ import annotations

import sys
from functools import cache
from ipaddress import ip_network
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_POSTGRES = r"^postgres(ql)?://[^/]+$"
_NATS = r"^(nats|tls)://"

SERVICES = ("org", "member", "points", "mall", "parking", "settlement")


class Settings(BaseSettings):
    """What a process needs to know. Each field is the environment variable HUITONG_<FIELD>."""

    model_config = SettingsConfigDict(env_prefix="HUITONG_", extra="ignore")

    mode: Literal["production", "demo", "test"] = Field(
        "production", description="`demo` and `test` allow business time to be set"
    )
    postgres_url: str = Field(
        description="postgresql://user:password@host:port, no database; each service uses its own, huitong_<service>",
        pattern=_POSTGRES,
    )
    nats_url: str = Field(description="nats://[user:password@]host:port", pattern=_NATS)
    redis_url: str = Field(description="redis://host:port/0, Valkey or Redis", pattern=r"^rediss?://")
    internal_key: SecretStr = Field(min_length=32, description="signs tokens inside the suite; the same everywhere")
    access_key: SecretStr = Field(min_length=32, description="signs the tokens that members carry; gateway and member")
    access_key_previous: SecretStr = Field(
        SecretStr(""), description="the key before it: its tokens are still accepted; empty when there is none"
    )
    data_key: SecretStr = Field(min_length=32, description="encrypts personal data and credential secrets at rest")

    org_postgres_url: str = Field(
        "",
        pattern=f"^$|{_POSTGRES}",
        description="the same server as the service's own role, which migrations grant what it needs; "
        "empty: the role of HUITONG_POSTGRES_URL",
    )
    member_postgres_url: str = Field("", pattern=f"^$|{_POSTGRES}", description="as above")
    points_postgres_url: str = Field("", pattern=f"^$|{_POSTGRES}", description="as above")
    mall_postgres_url: str = Field("", pattern=f"^$|{_POSTGRES}", description="as above")
    parking_postgres_url: str = Field("", pattern=f"^$|{_POSTGRES}", description="as above")
    settlement_postgres_url: str = Field("", pattern=f"^$|{_POSTGRES}", description="as above")
    org_nats_url: str = Field(
        "", pattern=f"^$|{_NATS}", description="the same server as the service's own user; empty: HUITONG_NATS_URL"
    )
    member_nats_url: str = Field("", pattern=f"^$|{_NATS}", description="as above")
    points_nats_url: str = Field("", pattern=f"^$|{_NATS}", description="as above")
    mall_nats_url: str = Field("", pattern=f"^$|{_NATS}", description="as above")
    parking_nats_url: str = Field("", pattern=f"^$|{_NATS}", description="as above")
    settlement_nats_url: str = Field("", pattern=f"^$|{_NATS}", description="as above")

    org_address: str = Field("127.0.0.1:15051", description="host:port of the service's gRPC door")
    member_address: str = Field("127.0.0.1:15052", description="as above")
    points_address: str = Field("127.0.0.1:15053", description="as above")
    mall_address: str = Field("127.0.0.1:15054", description="as above")
    parking_address: str = Field("127.0.0.1:15055", description="as above")
    settlement_address: str = Field("127.0.0.1:15056", description="as above")
    gateway_host: str = Field("127.0.0.1", description="where the gateway listens")
    gateway_port: int = Field(8080, ge=1, le=65535)
    gateway_grpc_port: int = Field(0, ge=0, le=65535, description="where it answers gRPC calls; 0: nowhere")

    tls_port: int = Field(8443, ge=1, le=65535, description="where it listens for machines with client certificates")
    tls_certificate: str = Field("", description="PEM file with the gateway's certificate chain; empty: no such port")
    tls_key: str = Field("", description="PEM file with its private key")
    tls_client_ca: str = Field("", description="PEM file with the authority of the clients' certificates")

    trusted_proxies: str = Field(
        "",
        description="addresses and networks of the proxies in front of the gateway, separated by commas: "
        "of their requests the client is the one that they forward for",
    )
    cors_origins: str = Field("", description="web origins whose pages may call, https://…, separated by commas")

    database_prefix: str = Field("huitong_", pattern=r"^[a-z_][a-z0-9_]*$", description="before each database's name")
    stream: str = Field("huitong", pattern=r"^[a-zA-Z0-9_-]+$", description="JetStream stream and subject prefix")
    points_lanes: int = Field(2, ge=1, le=64, description="ledger lanes; fixed once the first wallet exists")
    drain_seconds: float = Field(10.0, gt=0, description="how long a stopping service waits for calls under way")
    wechat_url: str = Field(
        "https://api.weixin.qq.com", description="where mini-program logins are checked", pattern=r"^https?://[^/]+$"
    )
    webhook_timeout_seconds: float = Field(10.0, gt=0, le=60, description="how long a partner may take to answer")
    webhook_retry_seconds: float = Field(
        5.0, gt=0, le=3600, description="before the second try; later ones wait longer"
    )
    webhook_private_hosts: bool = Field(
        False, description="`demo` and `test`: webhooks may go to http and to addresses that are not public"
    )
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    otlp_endpoint: str = Field("", description="OpenTelemetry collector, host:port; empty means no tracing")

    @field_validator("access_key_previous")
    @classmethod
    def _is_no_short_key(cls, key: SecretStr) -> SecretStr:
        if 0 < len(key.get_secret_value()) < 32:
            raise ValueError("Value should have at least 32 characters, or none")
        return key

    @field_validator("trusted_proxies")
    @classmethod
    def _are_some(cls, proxies: str) -> str:
        # Whoever trusted everybody would believe each client that says where it comes from.
        try:
            is_right = not proxies or all(ip_network(each.strip()).prefixlen for each in proxies.split(","))
        except ValueError:
            is_right = False
        if not is_right:
            raise ValueError("Value should be addresses and networks, such as 10.0.0.5, 10.1.0.0/16; not all there are")
        return proxies

    @field_validator("tls_client_ca")
    @classmethod
    def _is_whole(cls, authority: str, info: ValidationInfo) -> str:
        if len({bool(authority), bool(info.data.get("tls_certificate")), bool(info.data.get("tls_key"))}) > 1:
            raise ValueError("HUITONG_TLS_CERTIFICATE, HUITONG_TLS_KEY and HUITONG_TLS_CLIENT_CA come together")
        return authority

    def address(self, service: str) -> str:
        """Where `service` answers, host:port."""
        return str(getattr(self, f"{service}_address"))

    def events_url(self, service: str) -> str:
        """NATS, as the service connects to it."""
        return getattr(self, f"{service}_nats_url") or self.nats_url

    def database_url(self, service: str) -> str:
        """The service's own database, as the service connects to it."""
        return self._database(getattr(self, f"{service}_postgres_url") or self.postgres_url, service)

    def owner_database_url(self, service: str) -> str:
        """The same database, as migrations connect to it: they own what is in it."""
        return self._database(self.postgres_url, service)

    def _database(self, server: str, service: str) -> str:
        return f"{server.rstrip('/')}/{self.database_prefix}{service}"

    def environment(self) -> dict[str, str]:
        """The same settings as environment variables, for a process that is to have them."""
        return {
            f"HUITONG_{name.upper()}": value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            for name, value in self
        }

    @property
    def may_send_inwards(self) -> bool:
        """Whether webhooks may go to our own network; never in production."""
        return self.webhook_private_hosts and self.mode != "production"

    @property
    def may_set_time(self) -> bool:
        """Whether business time can be told; never in production."""
        return self.mode != "production"


class SettingsError(Exception):
    """The settings are not usable; the message has one line for each problem."""


def load_settings(**overrides: object) -> Settings:
    """Read the environment. Raises SettingsError naming every variable that is missing or wrong."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        lines = []
        for problem in error.errors():
            name = "HUITONG_" + "_".join(str(part) for part in problem["loc"]).upper()
            lines.append(f"  {name}: {problem['msg']}")
        raise SettingsError("These settings are missing or wrong:\n" + "\n".join(lines)) from None


@cache
def settings() -> Settings:
    """The process's settings; ends the program with the list of problems when they are not usable."""
    try:
        return load_settings()
    except SettingsError as error:
        sys.exit(str(error))
