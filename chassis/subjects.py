"""The subjects of NATS: which there are, who may use which.

A service publishes its own events, fetches the packs of those that it listens to, and receives answers in an inbox that
nobody else can read. The servers enforce it by a user for each service, with `permissions` of its own.
"""

from __future__ import annotations

from importlib import import_module


def packs_of(stream: str, producer: str, lane: str = "*") -> str:
    """Where the packs of a producer's lane are published; of all its lanes unless told."""
    return f"{stream}.{producer}.{lane}"


def durable(service: str, producer: str) -> str:
    """The JetStream consumer by which a service follows a producer."""
    return f"{service}-{producer}"


def inbox(service: str) -> str:
    """What the subjects of a service's inbox begin with."""
    return f"_INBOX_{service}"


def listens_to(service: str) -> tuple[str, ...]:
    """The producers that a service says it listens to, in its package: others are closed to it."""
    found: tuple[str, ...] = import_module(f"services.{service}").LISTENS_TO
    return found


def permissions(service: str, stream: str) -> dict[str, dict[str, list[str]]]:
    """What the user of a service may publish and subscribe to, as a NATS server's settings say it.

    `stream` may be `*`. A consumer is made by a subject that names what it filters, so that no other filter is taken.
    """
    api = "$JS.API"
    publish = [packs_of(stream, service), f"{api}.STREAM.CREATE.{stream}"]
    for producer in listens_to(service):
        name = f"{stream}.{durable(service, producer)}"
        publish += [
            f"{api}.CONSUMER.INFO.{name}",
            f"{api}.CONSUMER.CREATE.{name}.{packs_of(stream, producer)}",
            f"{api}.CONSUMER.MSG.NEXT.{name}",
            f"$JS.ACK.{name}.>",
        ]
    return {"publish": {"allow": publish}, "subscribe": {"allow": [f"{inbox(service)}.>"]}}
