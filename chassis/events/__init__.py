"""Facts from one service to the others: outbox → packs → JetStream → consumers, each event applied exactly once.

A service's transaction writes events into its outbox (`Tx.emit`). The relay numbers them in packs without gaps and
publishes those. A consumer applies a pack and moves its watermark in one transaction; what it has seen it skips, what
it has missed it asks the producer for. NATS may therefore lose or repeat anything.
"""

from chassis.events.consumer import Consumer, Fact, Handler
from chassis.events.process import RelayProcess
from chassis.events.relay import EventSource, JoinedSources, OutboxSource, Relay

__all__ = ["Consumer", "EventSource", "Fact", "Handler", "JoinedSources", "OutboxSource", "Relay", "RelayProcess"]
