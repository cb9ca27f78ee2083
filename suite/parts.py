"""What a suite consists of beside its servers, in the order in which it starts."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from suite.errors import PortsGiven
from suite.home import Home
from suite.processes import choose_port
from suite.servers import HOST

# A wave starts when the one before it is ready: what most others ask things of comes first.
WAVES: tuple[tuple[str, ...], ...] = (("org",), ("member", "points"), ("mall", "parking", "settlement"), ("gateway",))
USUAL_PORTS = {
    "org": 15051,
    "member": 15052,
    "points": 15053,
    "mall": 15054,
    "parking": 15055,
    "settlement": 15056,
    "gateway": 8080,
    "wechat-simulator": 9090,
}
WECHAT = "wechat-simulator"
_WITH_USERS = ("HUITONG_POSTGRES_URL", "HUITONG_NATS_URL")
SERVICES = tuple(name for wave in WAVES for name in wave if name != "gateway")


@dataclass(frozen=True)
class Part:
    """A process of ours: what starts it, where it listens, how it is asked whether it is ready."""

    name: str
    command: tuple[str, ...]
    wave: int
    host: str
    port: int
    readiness: Literal["grpc", "http"]

    @property
    def is_gateway(self) -> bool:
        """Whether this is the door of the suite."""
        return self.name == "gateway"

    @property
    def address(self) -> str:
        """host:port."""
        return f"{self.host}:{self.port}"


def suite_parts(
    home: Home, *, usual_ports: bool = True, environment: Mapping[str, str] | None = None, simulated: bool = False
) -> list[Part]:
    """The six services and the gateway: where the environment says, where they were last time, or where there is room.

    `simulated` adds what stands in for others' platforms, unless the environment says where those are.
    Raises: NoFreePort, PortsGiven.
    """
    given = os.environ if environment is None else environment
    parts: list[Part] = []
    if simulated and not given.get("HUITONG_WECHAT_URL"):
        parts.append(_wechat_part(_port(home, WECHAT, parts, usual_ports=usual_ports)))
    for wave, names in enumerate(WAVES):
        for name in names:
            gateway = name == "gateway"
            host, port = _given(name, given)
            if port is None:
                port = _port(home, name, parts, usual_ports=usual_ports)
            module = name if gateway else f"services.{name}"
            command = (sys.executable, "-m", module)
            parts.append(Part(name, command, wave, host, port, "http" if gateway else "grpc"))
    return parts


def _wechat_part(port: int) -> Part:
    command = (sys.executable, "-m", "suite.simulators.wechat", "--port", str(port))
    return Part(WECHAT, command, 0, HOST, port, "http")


def _given(name: str, given: Mapping[str, str]) -> tuple[str, int | None]:
    """Where the environment says that a part listens; no port when it does not say. Raises PortsGiven."""
    if name == "gateway":
        variable, host, port = "HUITONG_GATEWAY_PORT", given.get("HUITONG_GATEWAY_HOST") or HOST, ""
        value = port = given.get(variable, "")
    else:
        variable = f"HUITONG_{name.upper()}_ADDRESS"
        value = given.get(variable, "")
        host, _, port = value.rpartition(":")
    if not value:
        return host or HOST, None
    if not host or not port.isdigit() or not 0 < int(port) < 65_536:
        raise PortsGiven(variable=variable, value=value, form="1–65535" if name == "gateway" else "host:port")
    return host, int(port)


def _port(home: Home, name: str, parts: list[Part], *, usual_ports: bool) -> int:
    kept = home.ports().get(name)
    preferred = [*([kept] if kept else []), *([USUAL_PORTS[name]] if usual_ports else [])]
    taken = {part.port for part in parts} | {port for other, port in home.ports().items() if other != name}
    port = choose_port(name, preferred=preferred, avoid=taken, scatter=not usual_ports)
    home.keep_port(name, port)
    return port


def own_variable(variable: str, service: str) -> str:
    """The setting in which a service finds a server as a user of its own: HUITONG_POINTS_POSTGRES_URL."""
    return variable.replace("HUITONG_", f"HUITONG_{service.upper()}_", 1)


def told(part: str, settings: Mapping[str, str]) -> dict[str, str]:
    """The settings that one part's process gets: no server's user but its own, and none where it is no service."""
    chosen = dict(settings)
    for variable in _WITH_USERS:
        own = {service: chosen.pop(own_variable(variable, service), "") for service in SERVICES}
        if part not in own:
            chosen[variable] = _without_user(settings[variable])
        elif own[part]:
            chosen[variable] = own[part]
    return chosen


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def addresses(parts: list[Part]) -> dict[str, str]:
    """The settings that tell every process where every other one is."""
    found = {f"HUITONG_{part.name.upper()}_ADDRESS": part.address for part in parts if part.readiness == "grpc"}
    for part in parts:
        if part.is_gateway:
            found |= {"HUITONG_GATEWAY_HOST": part.host, "HUITONG_GATEWAY_PORT": str(part.port)}
        elif part.name == WECHAT:
            found["HUITONG_WECHAT_URL"] = f"http://{part.address}"
    return found
