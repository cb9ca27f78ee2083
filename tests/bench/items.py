"""Movements for the lanes, made at random as each scenario wants them."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

from chassis import ids
from services.points.ledger.ledger import Item, Kind
from tests.bench.stage import GROUP, GROWN_WALLETS, MERCHANTS, WALLETS, named

RICH = 200


class Items:
    """Members, merchants, and what happens between them."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)
        self.wallets = [named("wallet", number) for number in range(1, WALLETS + 1)]
        self.merchants = [named("merchant", number) for number in range(1, MERCHANTS + 1)]
        self.random = random.Random(2017)
        self.now = datetime.now(UTC)
        self.expire_time = self.now + timedelta(days=390)
        weights = [1 / rank for rank in range(1, WALLETS + 1)]
        self.zipf = list(itertools.accumulate(weights))
        self.sent: list[Item] = []

    def item(self, wallet_id: UUID | None = None, merchant_id: UUID | None = None) -> Item:
        """One sale, its content as large as a real one's."""
        number = next(self.numbers)
        merchant_id = merchant_id or self.merchants[number % MERCHANTS]
        item = Item(
            kind=Kind.EARN,
            wallet_id=wallet_id or self.wallets[self.random.randrange(WALLETS)],
            group_id=GROUP,
            txn_id=UUID(int=self.random.getrandbits(128)),
            request_hash=b"0123456789abcdef",
            points=1 + number % 50,
            occur_time=self.now,
            merchant_id=merchant_id,
            store_id=merchant_id,
            expire_time=self.expire_time,
            amount_minor=100 * (1 + number % 50),
            reference="receipt",
            detail=b"d" * 260,
            explanation=b"e" * 80,
            payload=b"p" * 300,
        )
        if len(self.sent) < 10_000:
            self.sent.append(item)
        return item

    def grown_item(self) -> Item:
        """Any of a million."""
        return self.item(named("wallet", 1 + self.random.randrange(GROWN_WALLETS)))

    def zipf_item(self) -> Item:
        """A few members buy most."""
        return self.item(self.random.choices(self.wallets, cum_weights=self.zipf)[0])

    def hot_member_item(self) -> Item:
        """One member buys everything."""
        return self.item(self.wallets[0])

    def hot_merchant_item(self) -> Item:
        """One merchant sells everything."""
        return self.item(merchant_id=self.merchants[0])

    def mixed_item(self) -> Item:
        """One in five spends a point of a member who has some."""
        if self.random.random() >= 0.2:
            return self.item(self.wallets[self.random.randrange(RICH)])
        rich = self.wallets[self.random.randrange(RICH)]
        return Item(
            kind=Kind.REDEEM,
            wallet_id=rich,
            group_id=GROUP,
            txn_id=ids.derive("bench-redeem", next(self.numbers)),
            request_hash=b"0123456789abcdef",
            points=1,
            occur_time=self.now,
            merchant_id=self.merchants[0],
            detail=b"spending",
            payload=b"",
        )

    def replayed_item(self) -> Item:
        """One in ten has been there before."""
        return self.random.choice(self.sent) if self.random.random() < 0.1 else self.item()
