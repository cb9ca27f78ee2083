"""Points of members that become one, and two again.

The absorbed member's wallets stay: their history is there, sales that name it are still recorded there and holds finish
there. But whatever is in them belongs to the survivor and is moved over: at the merge, and whenever something has come
again. A return of a sale that was recorded there fetches back what the sale's lot has left, or what the survivor has.
So a sale, its lot and its returns are always in one wallet, whatever is merged or undone in between.

Each movement is two calls of the ledger, as a transfer's; the only way is forward. Everything is found again after a
crash: what is under way is a row, and ids are made of the merge and the wallet's version.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import structlog

from chassis import ids, rpc
from chassis.db import Database, Tx
from chassis.errors import AppError, Internal
from chassis.events import Fact
from chassis.jobs import Rows
from huitong.member.v1 import events_pb2 as member_events
from huitong.points.v1 import events_pb2, points_pb2
from services.points import store
from services.points.errors import PointsOutOfBounds
from services.points.ledger.ledger import Item, Kind, Ledger, Outcome, Status
from services.points.lookup import Lookup
from services.points.merging import queries
from services.points.merging.queries import MERGED, MERGING, UNMERGED, UNMERGING, Row
from services.points.queries import find_txn, has_room
from services.points.wallets.currencies import open_wallet

log = structlog.get_logger()

LOTS_AT_ONCE = 200
CHUNK = 200
# What was fetched back for a return waits so long for it.
_PATIENCE = timedelta(minutes=1)


class Pair(NamedTuple):
    """Two wallets of one currency: the absorbed member's and the survivor's."""

    absorbed_wallet_id: UUID
    survivor_wallet_id: UUID


async def on_merged(tx: Tx, facts: Sequence[Fact[member_events.MemberMerged]]) -> None:
    """Members became one; the job moves what they have."""
    for fact in facts:
        await queries.add_merge(tx, group_id=fact.group_id, **_parts(fact.payload))
    await store.count_change(tx, [fact.group_id for fact in facts])


async def on_unmerged(tx: Tx, facts: Sequence[Fact[member_events.MemberUnmerged]]) -> None:
    """They are two again; the job moves back what is left."""
    for fact in facts:
        await queries.begin_unmerge(tx, **_parts(fact.payload))
    await store.count_change(tx, [fact.group_id for fact in facts])


def _parts(event: Any) -> dict[str, UUID]:
    return {
        "merge_id": ids.from_edge("mrg", event.merge_id, "merge_id"),
        "survivor_id": ids.from_edge("mbr", event.survivor_id, "survivor_id"),
        "absorbed_id": ids.from_edge("mbr", event.absorbed_id, "absorbed_id"),
    }


class Merges:
    """Moves points between the wallets of merged members. Again changes nothing."""

    def __init__(self, database: Database, lookup: Lookup, ledger: Ledger) -> None:
        self._db, self._lookup, self._ledger = database, lookup, ledger

    async def run(self, now: datetime) -> None:
        """Do all that is left of every merge."""
        run = Rows("points-merges")
        waiting = await self._finish_moves(run)
        for merge in await queries.list_open(self._db.pool):
            if merge["merge_id"] in waiting:
                continue  # what is between the two is neither's to count with
            with run.row(merge_id=merge["merge_id"]):
                try:
                    if merge["state"] == UNMERGING:
                        await self._unmerge(merge, now)
                    else:
                        await self._merge(merge, now)
                except AppError as error:  # the next run goes on with it
                    log.warning("merge_waits", merge_id=str(merge["merge_id"]), reason=error.reason)
        run.end()

    # ---- merging

    async def _merge(self, merge: Row, now: datetime) -> None:
        if merge["state"] == MERGING:
            for member_id in (merge["survivor_id"], merge["absorbed_id"]):
                await self._lookup.require_member(merge["group_id"], member_id)
            await self._tell_where_it_leads(merge)
        await self.sweep(merge, now)
        if merge["state"] == MERGING:
            await self._followed(merge, before=MERGING, after=MERGED)

    async def _tell_where_it_leads(self, merge: Row) -> None:
        """Again, for a member that this service had not heard of when the merge came."""
        async with self._db.transaction(rpc.internal_caller("points", merge["group_id"])) as tx:
            if await queries.set_state(tx, merge["merge_id"], before=MERGING, after=MERGING):
                await queries.add_merge(
                    tx, **{key: merge[key] for key in ("group_id", "merge_id", "survivor_id", "absorbed_id")}
                )

    async def sweep(self, merge: Row, now: datetime) -> None:
        """Move over whatever the absorbed member has and nothing holds. Raises PointsOutOfBounds."""
        for pair in await self._pairs(merge):
            if await queries.is_fetching(self._db.pool, pair.absorbed_wallet_id, now - _PATIENCE):
                continue
            while await self._move_next(merge, pair.absorbed_wallet_id, pair.survivor_wallet_id, {"mode": "all"}):
                pass

    async def _sweep_if_room(self, merge: Row) -> None:
        """For who does not wait for it: what the survivor has no room for stays where it is until the job moves it."""
        try:
            await self.sweep(merge, await self._db.now())
        except PointsOutOfBounds as error:
            log.warning("merge_waits", merge_id=str(merge["merge_id"]), reason=error.reason)

    async def _pairs(self, merge: Row) -> list[Pair]:
        pairs = []
        for row in await queries.list_wallets(self._db.pool, merge["absorbed_id"]):
            survivor_wallet_id = merge["survivor_id"]
            if row["currency_id"] is not None:
                survivor_wallet_id = ids.derive("wallet", merge["survivor_id"], row["currency_id"])
                await open_wallet(
                    self._db,
                    survivor_wallet_id,
                    group_id=merge["group_id"],
                    currency_id=row["currency_id"],
                    owner_id=merge["survivor_id"],
                    lane_count=len(self._ledger.lanes),
                )
            pairs.append(Pair(row["wallet_id"], survivor_wallet_id))
        return pairs

    # ---- undoing

    async def _unmerge(self, merge: Row, now: datetime) -> None:
        """Give back what is left, wait for holds of it, then settle who spent whose points."""
        pairs = await self._pairs(merge)
        for pair in pairs:
            await self._give_back(merge, pair)
        if await queries.get_charges(self._db.pool, merge["merge_id"]) is None:
            for pair in pairs:
                if await self._is_held(merge, pair):
                    return  # they end within minutes; the next run looks again
            charges = [await self._charge_of(merge, pair) for pair in pairs]
            await queries.save_charges(self._db.pool, merge["merge_id"], json.dumps(charges))
        charged = uncharged = 0
        for charge in await self._charges(merge["merge_id"]):
            if not charge["points"]:
                continue
            outcome = await self._move(
                merge,
                UUID(charge["from_wallet_id"]),
                UUID(charge["to_wallet_id"]),
                {"mode": "up_to"},
                txn_id=ids.derive("merge-charge", merge["merge_id"], UUID(charge["from_wallet_id"])),
                points=charge["points"],
            )
            charged += outcome.points
            uncharged += charge["points"] - outcome.points
        await self._followed(merge, before=UNMERGING, after=UNMERGED, charged=charged, uncharged=uncharged)

    async def _give_back(self, merge: Row, pair: Pair) -> None:
        """What is left of the absorbed member's lots and debts."""
        while True:
            moved = await queries.list_lots_moved(self._db.pool, merge["merge_id"], *pair)
            lots = [
                {
                    "lot_id": row["lot_id"].hex,
                    "expire_time": row["expire_time"].isoformat(),
                    "points": row["points"],
                }
                for row in moved
                if row["points"] > 0
            ]
            debts = await queries.list_debts_arrived(self._db.pool, merge["merge_id"], *pair)
            ask = {"mode": "lots", "debts": [str(row["txn_id"]) for row in debts if row["left_points"]]}
            chunks = [lots[start : start + LOTS_AT_ONCE] for start in range(0, len(lots), LOTS_AT_ONCE)] or [[]]
            # A chunk may have nothing left while the next one has.
            results = [
                await self._move_next(merge, pair.survivor_wallet_id, pair.absorbed_wallet_id, {**ask, "lots": chunk})
                for chunk in chunks
            ]
            if not any(results):
                return

    async def _is_held(self, merge: Row, pair: Pair) -> bool:
        moved = await queries.list_lots_moved(self._db.pool, merge["merge_id"], *pair)
        own = {lot_id for lot_id, points in _by_lot(moved).items() if points > 0}
        holds = await queries.list_holds(self._db.pool, pair.survivor_wallet_id)
        return any(row["lot_id"] in own or self._is_named(merge, row["detail"]) for row in holds)

    @staticmethod
    def _is_named(merge: Row, detail: bytes | None) -> bool:
        """Whether a spending was asked for under the absorbed member's own id."""
        spender = points_pb2.Spending.FromString(detail or b"").member_id
        return spender == ids.to_edge("mbr", merge["absorbed_id"])

    async def _charges(self, merge_id: UUID) -> list[dict[str, Any]]:
        charges: list[dict[str, Any]] = json.loads(await queries.get_charges(self._db.pool, merge_id) or "[]")
        return charges

    async def _charge_of(self, merge: Row, pair: Pair) -> dict[str, Any]:
        """Who owes whom: spent of the absorbed member's lots by the survivor, against what the survivor has given.

        And the versions of both wallets, up to which what came back of redemptions is accounted for.
        """
        moved = await queries.list_lots_moved(self._db.pool, merge["merge_id"], *pair)
        # All that is left has gone back: what is missing of a lot was spent, what is too much was the survivor's.
        missing = _by_lot(moved)
        own = {lot_id for lot_id, points in missing.items() if points > 0}
        owed_points = 0
        taken: Counter[UUID] = Counter()
        absorbed_version, _ = await queries.list_spent(self._db.pool, pair.absorbed_wallet_id, merge["merge_time"])
        version, spent = await queries.list_spent(self._db.pool, pair.survivor_wallet_id, merge["merge_time"])
        for row in spent:
            is_named = row["detail"] is not None and self._is_named(merge, row["detail"])
            if row["lot_id"] in own and not is_named:
                taken[row["lot_id"]] += row["points"]
            elif row["lot_id"] not in own and is_named:
                owed_points -= row["points"]
        # Of a lot that both have parts of (one had given it to the other) no more than is missing was the absorbed's.
        owed_points += sum(min(points, missing[lot_id]) for lot_id, points in taken.items())
        # Debts that the survivor's purchases repaid, and points of its own that went into returns of the absorbed's.
        owed_points -= await queries.net_debt_moved(self._db.pool, merge["merge_id"], *pair)
        owed_points += sum(points for points in missing.values() if points < 0)
        giver, taker = pair.survivor_wallet_id, pair.absorbed_wallet_id
        if owed_points < 0:
            giver, taker = taker, giver
        return {
            "from_wallet_id": str(giver),
            "to_wallet_id": str(taker),
            "points": abs(owed_points),
            "versions": {str(pair.survivor_wallet_id): version, str(pair.absorbed_wallet_id): absorbed_version},
        }

    # ---- what names a member of a merge

    async def before_return(self, item: Item) -> None:
        """Get ready what a claw-back takes; what the survivor owes counts when the member's debts are limited."""
        limit_points = item.limit_points
        owed_points = await self.fetch_back(
            wallet_id=item.wallet_id,
            lot_id=item.ref_id or item.txn_id,
            expire_time=item.expire_time,
            points=item.points,
            own_only=limit_points is not None and limit_points < 0,
            for_txn_id=item.txn_id,
        )
        if limit_points is not None and limit_points > 0:
            item.limit_points = max(limit_points - owed_points, 0)

    async def fetch_back(
        self,
        *,
        wallet_id: UUID,
        lot_id: UUID,
        expire_time: datetime | None,
        points: int,
        own_only: bool,
        for_txn_id: UUID,
    ) -> int:
        """Before something is taken back in an absorbed member's wallet: get it from the survivor, of that lot first.

        Answers what the survivor owes, which counts as this wallet's. Nothing happens to a wallet that is not absorbed.
        """
        wallet = await queries.find_wallet(self._db.pool, wallet_id)
        owner_id = wallet_id if wallet is None else wallet["owner_id"] or wallet_id
        merge = await queries.find_merge_of(self._db.pool, owner_id, or_undoing=True)
        if wallet is None or merge is None:
            return 0
        survivor_wallet_id = merge["survivor_id"]
        if wallet["currency_id"] is not None:
            survivor_wallet_id = ids.derive("wallet", merge["survivor_id"], wallet["currency_id"])
        is_undoing = merge["state"] == UNMERGING
        if not is_undoing:
            # What has come since the last sweep goes first, so that all of it is in one place.
            await self._sweep_if_room(merge)
        own_only = own_only or is_undoing
        if points > 0:
            ask = {"mode": "up_to", "own_lot_id": str(lot_id), "own_only": own_only, "for_txn_id": str(for_txn_id)}
            txn_id = ids.derive("merge-fetch", wallet_id, for_txn_id)
            await self._move(
                merge, survivor_wallet_id, wallet_id, ask, txn_id=txn_id, points=points, expire_time=expire_time
            )
        survivor = await queries.find_wallet(self._db.pool, survivor_wallet_id)
        return survivor["debt_points"] if survivor is not None and not is_undoing else 0

    async def are_one(self, member_id: UUID, wallet_id: UUID) -> bool:
        """Whether the wallet is this member's, or one's with whom it is or was merged."""
        wallet = await queries.find_wallet(self._db.pool, wallet_id)
        if wallet is None:
            return False
        owner_id = wallet["owner_id"] or wallet_id
        return owner_id == member_id or await queries.is_linked(self._db.pool, member_id, owner_id) is not None

    async def available_of(self, member_id: UUID) -> int:
        """What a member can spend of the group's points, with what those have whom it has absorbed."""
        for absorbed_id in await queries.list_absorbed(self._db.pool, member_id):
            await self.settle(absorbed_id)
        return (await queries.available_of(self._db.pool, [member_id])).get(member_id, 0)

    async def absorbed_by(self, survivor_id: UUID) -> list[UUID]:
        """Members that are absorbed by this one now."""
        return await queries.list_absorbed(self._db.pool, survivor_id)

    async def may_read(self, survivor_id: UUID, absorbed_id: UUID) -> bool:
        """Whether one member's history is the other's."""
        return absorbed_id in await queries.list_absorbed(self._db.pool, survivor_id)

    async def wallet_of_sale(self, member_id: UUID, sale_id: UUID) -> UUID | None:
        """The absorbed member whose sale it is, of those whom this one has absorbed."""
        for absorbed_id in await queries.list_absorbed(self._db.pool, member_id):
            if await find_txn(self._db.pool, absorbed_id, sale_id) is not None:
                return absorbed_id
        return None

    async def settle(self, absorbed_id: UUID) -> UUID | None:
        """Move over what an absorbed member has got, now and not by the job. Answers the survivor, if there is one."""
        merge = await queries.find_merge_of(self._db.pool, absorbed_id)
        if merge is None:
            return None
        await self._sweep_if_room(merge)
        survivor_id: UUID = merge["survivor_id"]
        return survivor_id

    async def available_after(self, absorbed_ids: Iterable[UUID]) -> dict[UUID, int]:
        """Move over what these members have got; what each one's survivor can spend then."""
        survivors = {one: survivor for one in set(absorbed_ids) if (survivor := await self.settle(one)) is not None}
        available = await queries.available_of(self._db.pool, survivors.values())
        return {one: available[survivor] for one, survivor in survivors.items()}

    async def give_over(self, wallet_id: UUID, member_id: UUID, points: int, *, after_txn_id: UUID) -> None:
        """What came back to the wallet that it was spent from is `member_id`'s by now, if the merge is undone."""
        wallet = await queries.find_wallet(self._db.pool, wallet_id)
        if wallet is None or (owner_id := wallet["owner_id"] or wallet_id) == member_id:
            return
        merge_id = await queries.is_linked(self._db.pool, member_id, owner_id)
        if merge_id is None:
            return
        for one in (owner_id, member_id):
            if await queries.find_merge_of(self._db.pool, one) is not None:
                return
        for charge in await self._charges(merge_id):
            if charge["versions"].get(str(wallet_id), 0) >= await queries.version_of(
                self._db.pool, wallet_id, after_txn_id
            ):
                return  # asked once more: what came back before they were apart was shared out then
        to_wallet_id = member_id
        if wallet["currency_id"] is not None:
            to_wallet_id = ids.derive("wallet", member_id, wallet["currency_id"])
        merge = {"merge_id": merge_id, "group_id": wallet["group_id"]}
        txn_id = ids.derive("merge-after", after_txn_id)
        await self._move(merge, wallet_id, to_wallet_id, {"mode": "up_to"}, txn_id=txn_id, points=points)

    # ---- movements

    async def _move_next(self, merge: Row, wallet_id: UUID, to_wallet_id: UUID, ask: dict[str, Any]) -> bool:
        """One movement, named by the wallet's version; False when nothing is left to move."""
        wallet = await queries.find_wallet(self._db.pool, wallet_id)
        if wallet is None:
            return False
        txn_id = ids.derive("merge", merge["merge_id"], wallet_id, wallet["version"])
        most_points = wallet["available_points"] + wallet["pending_points"]
        outcome = await self._move(merge, wallet_id, to_wallet_id, ask, txn_id=txn_id, most_points=most_points)
        return outcome.status is not Status.NOTHING

    async def _move(
        self,
        merge: Row,
        wallet_id: UUID,
        to_wallet_id: UUID,
        ask: dict[str, Any],
        *,
        txn_id: UUID,
        points: int = 0,
        most_points: int = 0,
        expire_time: datetime | None = None,
    ) -> Outcome:
        """Out of one wallet and into the other.

        That needs room for `points`, or, where the ask says how many, for `most_points`. Raises PointsOutOfBounds,
        Unavailable (unknown outcome: the job goes on).
        """
        merge_id: UUID = merge["merge_id"]
        if not await has_room(self._db.pool, to_wallet_id, points or most_points) and not await queries.get_move(
            self._db.pool, wallet_id, txn_id
        ):
            raise PointsOutOfBounds
        ends = await self._ends(merge_id, wallet_id, to_wallet_id)
        outcome = await self._ledger.apply_one(
            Item(
                kind=Kind.MERGE_OUT,
                wallet_id=wallet_id,
                group_id=merge["group_id"],
                txn_id=txn_id,
                request_hash=merge_id.bytes,
                points=points,
                occur_time=await self._db.now(),
                ref_id=to_wallet_id,
                expire_time=expire_time,
                expected=LOTS_AT_ONCE,
                detail=ends,
                payload=ends,
                explanation=json.dumps({**ask, "merge_id": str(merge_id)}).encode(),
            )
        )
        if outcome.status is Status.NOTHING:
            return outcome
        if outcome.status not in (Status.APPLIED, Status.REPLAY):
            raise Internal
        await self._arrive(await queries.get_move(self._db.pool, wallet_id, txn_id))
        return outcome

    async def _ends(self, merge_id: UUID, wallet_id: UUID, to_wallet_id: UUID) -> bytes:
        members = []
        for one in (wallet_id, to_wallet_id):
            wallet = await queries.find_wallet(self._db.pool, one)
            members.append(ids.to_edge("mbr", (wallet["owner_id"] if wallet is not None else None) or one))
        return events_pb2.MergeEnds(
            merge_id=ids.to_edge("mrg", merge_id), member_id=members[0], to_member_id=members[1]
        ).SerializeToString(deterministic=True)

    async def _finish_moves(self, run: Rows) -> set[UUID]:
        """Answers the merges of which something is still under way."""
        waiting: set[UUID] = set()
        after: tuple[UUID, UUID] | None = None
        while rows := await queries.list_moves_under_way(self._db.pool, after=after, limit=CHUNK):
            for row in rows:
                with run.row(txn_id=row["txn_id"]):
                    try:
                        await self._arrive(row)
                        continue
                    except PointsOutOfBounds as error:
                        log.warning("merge_move_waits", txn_id=str(row["txn_id"]), reason=error.reason)
                waiting.add(row["merge_id"])
            after = (rows[-1]["wallet_id"], rows[-1]["txn_id"])
        return waiting

    async def _arrive(self, row: Row) -> None:
        """Put what was taken into the other wallet; again changes nothing. Raises PointsOutOfBounds."""
        if row["has_arrived"]:
            return
        ends = await self._ends(row["merge_id"], row["wallet_id"], row["to_wallet_id"])
        merchant_id = row["debt_merchant_id"]
        move = {
            "lots": json.loads(row["lots"]),
            "debt_points": row["debt_points"],
            "debt_merchant_id": str(merchant_id) if merchant_id else None,
        }
        outcome = await self._ledger.apply_one(
            Item(
                kind=Kind.MERGE_IN,
                wallet_id=row["to_wallet_id"],
                group_id=row["group_id"],
                txn_id=ids.derive("merge-in", row["txn_id"]),
                request_hash=row["txn_id"].bytes,
                points=row["points"],
                occur_time=row["record_time"],
                ref_id=row["txn_id"],
                detail=ends,
                payload=ends,
                explanation=json.dumps(move).encode(),
            )
        )
        if outcome.status not in (Status.APPLIED, Status.REPLAY):
            raise Internal
        await queries.mark_move_arrived(self._db.pool, row["wallet_id"], row["txn_id"])

    async def _followed(self, merge: Row, *, before: int, after: int, charged: int = 0, uncharged: int = 0) -> None:
        """Tell member that this service has done its part."""
        edge = ids.to_edge("mrg", merge["merge_id"])
        async with self._db.transaction(rpc.internal_caller("points", merge["group_id"])) as tx:
            if await queries.set_state(tx, merge["merge_id"], before=before, after=after):
                event = events_pb2.MergeFollowed(
                    merge_id=edge,
                    is_unmerge=after == UNMERGED,
                    charged_points=charged,
                    uncharged_points=uncharged,
                )
                tx.emit(event, key=edge)


def _by_lot(moved: Iterable[Row]) -> dict[UUID, int]:
    """Net points of each lot, whichever expiry renewals have given it."""
    points: dict[UUID, int] = {}
    for row in moved:
        points[row["lot_id"]] = points.get(row["lot_id"], 0) + row["points"]
    return points
