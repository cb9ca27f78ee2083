"""RPCs about rules: versions, drafts, quotes and simulations."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis import ids, rpc
from chassis.db import Database, Tx
from chassis.errors import InvalidArgument
from chassis.pages import decode_token, encode_token, page_size
from huitong.org.v1.approvals_pb2 import ApprovalDecision
from huitong.points.v1 import points_pb2, points_pb2_grpc, rules_pb2, rules_pb2_grpc
from services.points.convert import from_date
from services.points.earning.member_facts import MemberFacts
from services.points.errors import RuleSetUnknown
from services.points.lookup import Lookup
from services.points.rule_sets import operations as rule_sets
from services.points.rule_sets import simulation
from services.points.rule_sets.second_persons import APPROVE, WITHDRAW, Ask, SecondPersons

_NEWEST = 2**62


class RuleServicer(points_pb2_grpc.RuleServiceServicer):
    """Rules of earning and offsetting."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def PublishRuleSet(
        self, request: points_pb2.PublishRuleSetRequest, context: Any
    ) -> points_pb2.PublishRuleSetResponse:
        """The first version."""

        async def publish(tx: Tx) -> points_pb2.PublishRuleSetResponse:
            published = await rule_sets.publish_first_rule_set(tx, request.rule_set)
            warnings = rule_sets.warnings_of(published, tx.now)
            return points_pb2.PublishRuleSetResponse(rule_set=published, warnings=warnings)

        return await self._db.run_once(request, points_pb2.PublishRuleSetResponse, publish)

    async def GetRuleSet(self, request: points_pb2.GetRuleSetRequest, context: Any) -> points_pb2.GetRuleSetResponse:
        """The rule set in force on a date."""
        async with self._db.reading(rpc.caller()) as tx:
            day = tx.now.date()
            if request.HasField("business_date"):
                try:
                    day = from_date(request.business_date)
                except ValueError:
                    raise InvalidArgument([("business_date", "does not exist")]) from None
            found = await rule_sets.find_rule_set(tx, day)
        if found is None:
            raise RuleSetUnknown(business_date=day)
        return points_pb2.GetRuleSetResponse(rule_set=found)


APPROVE_DRAFT = "huitong.points.v1.RuleDraftService/ApproveRuleDraft"
DRAFT_DAYS, MOST_CONTENT = 30, 60_000


class RuleDraftServicer(rules_pb2_grpc.RuleDraftServiceServicer):
    """Drafts, and how they come into force."""

    def __init__(self, database: Database, second: SecondPersons) -> None:
        self._db, self._second = database, second

    async def CreateRuleDraft(
        self, request: rules_pb2.CreateRuleDraftRequest, context: Any
    ) -> rules_pb2.CreateRuleDraftResponse:
        """A new draft."""

        async def create(tx: Tx) -> rules_pb2.CreateRuleDraftResponse:
            draft = await rule_sets.create_draft(
                tx, request_id=request.request_id, rule_set=request.rule_set, note=request.note
            )
            return rules_pb2.CreateRuleDraftResponse(draft=draft)

        response = await self._db.run_once(request, rules_pb2.CreateRuleDraftResponse, create)
        await self._second.asked(_ask_for(response.draft))
        return response

    async def GetRuleDraft(
        self, request: rules_pb2.GetRuleDraftRequest, context: Any
    ) -> rules_pb2.GetRuleDraftResponse:
        """One draft."""
        async with self._db.reading(rpc.caller()) as tx:
            draft = await rule_sets.get_draft(tx, _draft_id(request.draft_id))
        return rules_pb2.GetRuleDraftResponse(draft=draft)

    async def ListRuleDrafts(
        self, request: rules_pb2.ListRuleDraftsRequest, context: Any
    ) -> rules_pb2.ListRuleDraftsResponse:
        """All drafts, newest first."""
        limit = page_size(request.page_size)
        async with self._db.reading(rpc.caller()) as tx:
            drafts = await rule_sets.list_drafts(tx, before=_draft_token(request.page_token), limit=limit + 1)
        response = rules_pb2.ListRuleDraftsResponse(drafts=drafts[:limit])
        if len(drafts) > limit:
            last = drafts[limit - 1]
            response.next_page_token = encode_token(last.create_time.ToJsonString(), last.draft_id)
        return response

    async def ApproveRuleDraft(
        self, request: rules_pb2.ApproveRuleDraftRequest, context: Any
    ) -> rules_pb2.ApproveRuleDraftResponse:
        """Publish a draft."""

        async def approve(tx: Tx) -> rules_pb2.ApproveRuleDraftResponse:
            draft = await rule_sets.approve_draft(tx, _draft_id(request.draft_id), self._decides(tx, APPROVE))
            return rules_pb2.ApproveRuleDraftResponse(draft=draft)

        return await self._db.run_once(request, rules_pb2.ApproveRuleDraftResponse, approve)

    async def DiscardRuleDraft(
        self, request: rules_pb2.DiscardRuleDraftRequest, context: Any
    ) -> rules_pb2.DiscardRuleDraftResponse:
        """Give a draft up."""

        async def discard(tx: Tx) -> rules_pb2.DiscardRuleDraftResponse:
            draft = await rule_sets.discard_draft(tx, _draft_id(request.draft_id), self._decides(tx, WITHDRAW))
            return rules_pb2.DiscardRuleDraftResponse(draft=draft)

        return await self._db.run_once(request, rules_pb2.DiscardRuleDraftResponse, discard)

    async def RollBackRules(
        self, request: rules_pb2.RollBackRulesRequest, context: Any
    ) -> rules_pb2.RollBackRulesResponse:
        """An older version as a draft."""

        async def roll_back(tx: Tx) -> rules_pb2.RollBackRulesResponse:
            draft = await rule_sets.roll_back(
                tx, request_id=request.request_id, version=request.version, note=request.note
            )
            return rules_pb2.RollBackRulesResponse(draft=draft)

        response = await self._db.run_once(request, rules_pb2.RollBackRulesResponse, roll_back)
        await self._second.asked(_ask_for(response.draft))
        return response

    def _decides(self, tx: Tx, decision: ApprovalDecision) -> Callable[[rules_pb2.RuleDraft], Awaitable[str]]:
        async def decide(draft: rules_pb2.RuleDraft) -> str:
            return await self._second.decide(tx, _ask_for(draft), decision)

        return decide

    async def ListRuleSets(
        self, request: rules_pb2.ListRuleSetsRequest, context: Any
    ) -> rules_pb2.ListRuleSetsResponse:
        """All versions, newest first."""
        limit = page_size(request.page_size)
        before = _version_token(request.page_token)
        async with self._db.reading(rpc.caller()) as tx:
            found = await rule_sets.list_versions(tx, before=before, limit=limit + 1)
        response = rules_pb2.ListRuleSetsResponse(rule_sets=found[:limit])
        if len(found) > limit:
            response.next_page_token = encode_token(found[limit - 1].version)
        return response


class RuleSimulationServicer(rules_pb2_grpc.RuleSimulationServiceServicer):
    """What rules would do."""

    def __init__(self, database: Database, lookup: Lookup, facts: MemberFacts) -> None:
        self._db, self._lookup, self._facts = database, lookup, facts

    async def QuoteSale(self, request: rules_pb2.QuoteSaleRequest, context: Any) -> rules_pb2.QuoteSaleResponse:
        """One sale."""
        return await simulation.quote_sale(self._db, self._lookup, self._facts, rpc.caller().group_id, request)

    async def StartRuleSimulation(
        self, request: rules_pb2.StartRuleSimulationRequest, context: Any
    ) -> rules_pb2.StartRuleSimulationResponse:
        """A span of sales; a job computes them."""
        first, last = simulation.span_of(request)

        async def start(tx: Tx) -> rules_pb2.StartRuleSimulationResponse:
            started = await simulation.start_simulation(
                tx,
                request_id=request.request_id,
                draft_id=_draft_id(request.draft_id),
                first_date=first,
                last_date=last,
            )
            return rules_pb2.StartRuleSimulationResponse(simulation=started)

        return await self._db.run_once(request, rules_pb2.StartRuleSimulationResponse, start)

    async def GetRuleSimulation(
        self, request: rules_pb2.GetRuleSimulationRequest, context: Any
    ) -> rules_pb2.GetRuleSimulationResponse:
        """How far it is."""
        simulation_id = ids.from_edge("rsm", request.simulation_id, "simulation_id")
        async with self._db.reading(rpc.caller()) as tx:
            found = await simulation.get_simulation(tx, simulation_id)
        return rules_pb2.GetRuleSimulationResponse(simulation=found)


async def carry_out_draft(tx: Tx, content: bytes, is_approved: bool, reason: str) -> None:
    """What was decided about a draft at org's door, by the transaction's caller."""
    draft_id = _draft_id(rules_pb2.RuleDraft.FromString(content).draft_id)

    async def caller(draft: rules_pb2.RuleDraft) -> str:
        return tx.caller.subject

    await (rule_sets.approve_draft if is_approved else rule_sets.discard_draft)(tx, draft_id, caller)


def _ask_for(draft: rules_pb2.RuleDraft) -> Ask:
    exactly = rules_pb2.RuleDraft(
        draft_id=draft.draft_id, rule_set=draft.rule_set, note=draft.note, author=draft.author
    )
    summary = f"Publish rules: {draft.note or draft.draft_id}"
    if exactly.ByteSize() > MOST_CONTENT:
        digest = hashlib.sha256(draft.rule_set.SerializeToString(deterministic=True)).hexdigest()
        exactly.ClearField("rule_set")  # a draft never changes, so its id and the hash say as much
        summary += f" (SHA-256 of the rule set {digest})"
    return Ask(
        key=draft.draft_id,
        action=APPROVE_DRAFT,
        permission="points.rules.approve",
        content=exactly,
        summary=summary,
        asked_by=draft.author,
        valid_hours=DRAFT_DAYS * 24,
    )


def _draft_id(text: str) -> UUID:
    return ids.from_edge("rdr", text, "draft_id")


def _draft_token(token: str) -> tuple[datetime, UUID] | None:
    if not token:
        return None
    create_time, draft_id = decode_token(token, 2)
    try:
        return datetime.fromisoformat(create_time), _draft_id(draft_id)
    except (ValueError, InvalidArgument):
        raise InvalidArgument([("page_token", "is not a token that this list gave")]) from None


def _version_token(token: str) -> int:
    try:
        return int(decode_token(token, 1)[0]) if token else _NEWEST
    except ValueError:
        raise InvalidArgument([("page_token", "is not a token that this list gave")]) from None
