"""Four eyes over gRPC on a real database: what is asked for, who may agree, until when, and that it is done once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chassis import ids
from chassis.errors import AppError
from chassis.identity import Caller, CallerKind
from huitong.org.v1 import approvals_pb2 as pb
from huitong.org.v1 import (
    approvals_pb2_grpc,
    audit_pb2,
    audit_pb2_grpc,
    events_pb2,
    operators_pb2,
    org_pb2,
    org_pb2_grpc,
)
from tests.apps import GROUP, Apps, internal, system
from tests.people import MALL, People, grant

OTHER_GROUP = ids.derive("group", "other-group")


class Desk:
    """Two administrators, somebody of finance and an auditor."""

    def __init__(self, people: People) -> None:
        self.people, self.db = people, people.db
        self.approvals = people.apps.stub(approvals_pb2_grpc.ApprovalServiceStub, "org")
        self.credentials = people.apps.stub(org_pb2_grpc.CredentialServiceStub, "org")
        self.ann: Caller
        self.bob: Caller
        self.finance: Caller
        self.auditor: Caller

    async def start(self) -> Desk:
        self.ann, self.bob = await self.hire("GROUP_ADMIN"), await self.hire("GROUP_ADMIN")
        self.finance, self.auditor = await self.hire("FINANCE"), await self.hire("AUDITOR")
        return self

    async def hire(self, role: str, scope_id: str = "") -> Caller:
        return await self.people.hire(grant(role, scope_id))

    async def call(self, rpc: str, request: Any, who: Caller) -> Any:
        return await self.people.apps.call(getattr(self.approvals, rpc), request, who)

    async def decide(self, rpc: str, approval_id: str, who: Caller, reason: str = "") -> Any:
        request = getattr(pb, f"{rpc}Request")(request_id=ids.new().hex, approval_id=approval_id, reason=reason)
        return (await self.call(rpc, request, who)).approval

    async def get(self, approval_id: str, who: Caller | None = None) -> Any:
        return (
            await self.call("GetApproval", pb.GetApprovalRequest(approval_id=approval_id), who or self.ann)
        ).approval

    async def issue(self, who: Caller, approval_id: str = "", **changes: Any) -> Any:
        fields: dict[str, Any] = {"kind": org_pb2.CREDENTIAL_KIND_SYSTEM, "name": "ERP", "request_id": ids.new().hex}
        request = org_pb2.CreateCredentialRequest(approval_id=approval_id, **(fields | changes))
        return await self.people.apps.call(self.credentials.CreateCredential, request, who)

    async def ask(self, asked_by: Caller | None = None, **changes: Any) -> str:
        """Ask as another service would; answers the approval's id."""
        fields: dict[str, Any] = {
            "request_id": ids.new().hex,
            "action": "huitong.points.v1.PointsService/Adjust",
            "permission": "points.adjustments.decide",
            "amount": 500,
            "summary": "Give 500 points",
            "content": b"exactly this",
            "asked_by": (asked_by or self.ann).subject,
        }
        request = pb.RequestApprovalRequest(**(fields | changes))
        return (await self.call("RequestApproval", request, internal("points"))).approval.approval_id

    async def expire(self, approval_id: str) -> None:
        await self.db.pool.execute(
            "UPDATE approval SET expire_time = clock_timestamp() WHERE approval_id = $1",
            ids.from_edge("apr", approval_id, ""),
        )

    async def decisions(self) -> list[Any]:
        rows = await self.db.pool.fetch(
            "SELECT payload FROM outbox WHERE type LIKE '%.ApprovalDecided' ORDER BY xid::text::bigint, id"
        )
        return [events_pb2.ApprovalDecided.FromString(row["payload"]) for row in rows]


@pytest.fixture
async def desk(apps: Apps) -> Desk:
    return await Desk(await People(apps).start()).start()


async def refusal(call: Any) -> str:
    with pytest.raises(AppError) as refused:
        await call
    return refused.value.reason


async def test_an_operator_s_credential_needs_another_administrator(desk: Desk) -> None:
    asked = await desk.issue(desk.ann)
    assert not asked.HasField("credential") and not asked.secret
    approval = asked.approval
    assert (approval.state, approval.asked_by) == (pb.APPROVAL_STATE_PENDING, desk.ann.subject)
    assert "ERP" in approval.summary and approval.permission == "org.credentials.write"
    assert await refusal(desk.issue(desk.ann, approval.approval_id)) == "APPROVAL_PENDING"
    assert await refusal(desk.decide("Approve", approval.approval_id, desk.ann)) == "SECOND_PERSON_NEEDED"
    assert await refusal(desk.decide("Approve", approval.approval_id, desk.finance)) == "PERMISSION_DENIED"
    decided = await desk.decide("Approve", approval.approval_id, desk.bob, "known supplier")
    assert (decided.state, decided.decided_by, decided.reason) == (
        pb.APPROVAL_STATE_APPROVED, desk.bob.subject, "known supplier",
    )  # fmt: skip
    assert await refusal(desk.issue(desk.ann, approval.approval_id, name="another")) == "APPROVAL_FOR_OTHER_CONTENT"
    assert await refusal(desk.issue(desk.bob, approval.approval_id)) == "NOT_YOURS"
    request_id = ids.new().hex
    made = await desk.issue(desk.ann, approval.approval_id, request_id=request_id)
    assert made.secret and made.credential.name == "ERP"
    assert await desk.issue(desk.ann, approval.approval_id, request_id=request_id) == made, "a retry answers the same"
    assert await refusal(desk.issue(desk.bob, approval.approval_id, request_id=request_id)) == "NOT_YOURS"
    assert await refusal(desk.issue(desk.ann, approval.approval_id)) == "APPROVAL_DECIDED", "once only"
    assert (await desk.get(approval.approval_id)).state == pb.APPROVAL_STATE_USED


async def test_two_who_may_be_one_person_are_no_two_persons(desk: Desk) -> None:
    async def invite(by: Caller, login: str) -> Caller:
        request = operators_pb2.InviteOperatorRequest(
            request_id=ids.new().hex, login=login + ids.new().hex[-8:], name="N", grants=[grant("GROUP_ADMIN")]
        )
        made = await desk.people.call("InviteOperator", request, by)
        return Caller(CallerKind.OPERATOR, made.operator.operator_id, GROUP, "ops_1", {"": "*"})

    puppet = await invite(desk.ann, "puppet")
    puppets_puppet = await invite(puppet, "another")
    of_bob = await invite(desk.bob, "friend")
    approval_id = (await desk.issue(desk.ann)).approval.approval_id
    for who in (puppet, puppets_puppet):
        assert await refusal(desk.decide("Approve", approval_id, who)) == "SECOND_PERSON_NEEDED"
    # Who takes over somebody's account by a reset gains nothing either.
    reset = operators_pb2.ResetOperatorRequest(request_id=ids.new().hex, operator_id=desk.bob.subject)
    await desk.people.call("ResetOperator", reset, desk.ann)
    for who in (desk.bob, of_bob):
        assert await refusal(desk.decide("Approve", approval_id, who)) == "SECOND_PERSON_NEEDED"
    carl = await desk.hire("GROUP_ADMIN")
    assert (await desk.decide("Approve", approval_id, carl)).state == pb.APPROVAL_STATE_APPROVED
    # The other way round it is the same, and between two whom one person invited.
    of_puppet = (await desk.issue(puppet)).approval.approval_id
    second_puppet = await invite(desk.ann, "second")
    for who in (desk.ann, puppets_puppet, second_puppet):
        assert await refusal(desk.decide("Approve", of_puppet, who)) == "SECOND_PERSON_NEEDED"
    of_carl = (await desk.issue(carl)).approval.approval_id
    dora = await desk.hire("GROUP_ADMIN")  # by the group's system, as Carl: that is nobody's hand
    assert (await desk.decide("Approve", of_carl, dora)).state == pb.APPROVAL_STATE_APPROVED
    assert (await desk.decide("Approve", of_puppet, dora)).state == pb.APPROVAL_STATE_APPROVED


async def test_a_system_s_credential_is_made_at_once_and_has_no_use_for_approvals(desk: Desk) -> None:
    made = await desk.issue(system())
    assert made.secret and not made.HasField("approval")
    assert await refusal(desk.issue(system(), f"apr_{'0' * 32}")) == "INVALID_ARGUMENT"


async def test_who_knows_a_system_s_request_gets_no_secret_by_it(desk: Desk) -> None:
    request_id = ids.new().hex
    made = await desk.issue(system(), request_id=request_id)
    assert await refusal(desk.issue(desk.ann, request_id=request_id)) == "NOT_YOURS"
    assert await desk.issue(system(), request_id=request_id) == made
    invite = operators_pb2.InviteOperatorRequest(request_id=request_id, login=f"l{request_id[-9:]}", name="N")
    invited = await desk.people.call("InviteOperator", invite)
    assert await refusal(desk.people.call("InviteOperator", invite, desk.ann)) == "NOT_YOURS"
    assert await desk.people.call("InviteOperator", invite) == invited
    reset = operators_pb2.ResetOperatorRequest(request_id=request_id, operator_id=invited.operator.operator_id)
    again = await desk.people.call("ResetOperator", reset, desk.bob)
    assert await refusal(desk.people.call("ResetOperator", reset, desk.ann)) == "NOT_YOURS"
    assert await desk.people.call("ResetOperator", reset, desk.bob) == again


async def test_what_cannot_be_made_is_not_asked_for(desk: Desk) -> None:
    unfit: dict[str, Any] = {"kind": org_pb2.CREDENTIAL_KIND_VENDOR, "subject_id": MALL}
    assert await refusal(desk.issue(desk.ann, **unfit)) == "NOT_A_CAR_PARK"
    listed = await desk.call("ListApprovals", pb.ListApprovalsRequest(page_size=200), desk.ann)
    assert not [one for one in listed.approvals if one.asked_by == desk.ann.subject]


async def test_an_approval_used_by_many_at_once_makes_one_credential(desk: Desk) -> None:
    approval_id = (await desk.issue(desk.ann)).approval.approval_id
    await desk.decide("Approve", approval_id, desk.bob)
    answers = await asyncio.gather(*(desk.issue(desk.ann, approval_id) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(answer, org_pb2.CreateCredentialResponse) for answer in answers) == 1


async def test_people_who_decide_at_once_decide_once(desk: Desk) -> None:
    approval_id = await desk.ask(desk.finance)
    calls = [desk.decide(rpc, approval_id, who) for rpc in ("Approve", "Reject") for who in (desk.ann, desk.bob)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(answer, pb.Approval) for answer in answers) == 1
    refused = [answer.reason for answer in answers if isinstance(answer, AppError)]
    assert refused == ["APPROVAL_DECIDED"] * 3
    assert [one.approval.approval_id for one in await desk.decisions()].count(approval_id) == 1


async def test_who_asked_is_told_of_the_decision_with_the_exact_request(desk: Desk) -> None:
    first, second = await desk.ask(), await desk.ask(content=b"something else")
    await desk.decide("Approve", first, desk.finance)
    await desk.decide("Reject", second, desk.finance, "too much")
    told = {one.approval.approval_id: one for one in await desk.decisions()}
    assert (told[first].content, told[first].approval.state) == (b"exactly this", pb.APPROVAL_STATE_APPROVED)
    assert (told[second].content, told[second].approval.state) == (b"something else", pb.APPROVAL_STATE_REJECTED)
    assert told[second].approval.reason == "too much"


async def test_a_role_approves_up_to_its_limit(desk: Desk) -> None:
    for amount, who, answer in (
        (50_000, desk.finance, ""),
        (50_001, desk.finance, "APPROVAL_LIMIT_EXCEEDED"),
        (50_001, desk.bob, ""),
        (1_000_001, desk.bob, "APPROVAL_LIMIT_EXCEEDED"),
    ):
        approval_id = await desk.ask(amount=amount)
        if answer:
            assert await refusal(desk.decide("Approve", approval_id, who)) == answer
        else:
            assert (await desk.decide("Approve", approval_id, who)).state == pb.APPROVAL_STATE_APPROVED


async def test_a_person_approves_so_much_within_a_day_also_at_once(desk: Desk) -> None:
    carl = await desk.hire("FINANCE")
    asked = [await desk.ask(desk.bob, amount=50_000) for _ in range(7)]
    answers = await asyncio.gather(
        *(desk.decide("Approve", approval_id, carl) for approval_id in asked), return_exceptions=True
    )
    given = [one for one in answers if isinstance(one, pb.Approval)]
    assert sum(one.amount for one in given) == 200_000
    refused = [one for one in answers if isinstance(one, AppError)]
    assert {one.reason for one in refused} == {"APPROVAL_SPAN_EXCEEDED"}
    assert "24 hours, 0 are left" in refused[0].message
    # Each person has their own, what was refused to one is still to be decided, and an hour later nothing has changed.
    left = [approval_id for approval_id in asked if approval_id not in {one.approval_id for one in given}]
    assert (await desk.decide("Approve", left[0], desk.finance)).state == pb.APPROVAL_STATE_APPROVED
    assert await refusal(desk.decide("Approve", left[1], carl)) == "APPROVAL_SPAN_EXCEEDED"
    for hours, answer in ((23, "APPROVAL_SPAN_EXCEEDED"), (1, "")):
        await desk.db.pool.execute(
            "UPDATE approval SET decide_time = decide_time - make_interval(hours => $1) WHERE decided_by = $2",
            hours, carl.subject,
        )  # fmt: skip
        if answer:
            assert await refusal(desk.decide("Approve", left[1], carl)) == answer
        else:
            assert (await desk.decide("Approve", left[1], carl)).state == pb.APPROVAL_STATE_APPROVED
    # What has no limits is not counted.
    assert (await desk.decide("Approve", await desk.ask(permission="points.rules.approve"), carl)).amount == 500


async def test_who_asked_may_take_it_back_and_others_need_the_permission_to_refuse(desk: Desk) -> None:
    marketing = await desk.hire("MARKETING")
    approval_id = await desk.ask(marketing)
    other = await desk.hire("MARKETING")
    assert await refusal(desk.decide("Reject", approval_id, other)) == "PERMISSION_DENIED"
    assert (await desk.decide("Reject", approval_id, marketing)).state == pb.APPROVAL_STATE_REJECTED


async def test_a_grant_counts_as_it_is_now_and_where_it_is(desk: Desk) -> None:
    approval_id = await desk.ask()
    request = operators_pb2.SetOperatorGrantsRequest(
        request_id=ids.new().hex, operator_id=desk.finance.subject, grants=[grant("AUDITOR")]
    )
    await desk.people.call("SetOperatorGrants", request)
    assert await refusal(desk.decide("Approve", approval_id, desk.finance)) == "PERMISSION_DENIED"
    of_mall = await desk.hire("FINANCE", MALL)
    assert await refusal(desk.decide("Approve", approval_id, of_mall)) == "PERMISSION_DENIED"
    in_mall = await desk.ask(scope_id=MALL)
    assert (await desk.decide("Approve", in_mall, of_mall)).state == pb.APPROVAL_STATE_APPROVED


async def test_an_expired_approval_is_neither_decided_nor_used(desk: Desk) -> None:
    pending, approved = (await desk.issue(desk.ann)).approval, (await desk.issue(desk.ann)).approval
    days = (pending.expire_time.ToSeconds() - pending.ask_time.ToSeconds()) / 86400
    assert days == 3
    await desk.decide("Approve", approved.approval_id, desk.bob)
    for one in (pending, approved):
        await desk.expire(one.approval_id)
        assert (await desk.get(one.approval_id)).state == pb.APPROVAL_STATE_EXPIRED
        assert await refusal(desk.issue(desk.ann, one.approval_id)) == "APPROVAL_EXPIRED"
        for rpc in ("Approve", "Reject"):
            assert await refusal(desk.decide(rpc, one.approval_id, desk.bob)) == "APPROVAL_EXPIRED"
    listed = pb.ListApprovalsRequest(state=pb.APPROVAL_STATE_EXPIRED)
    assert {one.approval_id for one in (await desk.call("ListApprovals", listed, desk.ann)).approvals} >= {
        pending.approval_id, approved.approval_id,
    }  # fmt: skip


async def test_only_people_decide_and_only_services_ask_for_others(desk: Desk) -> None:
    approval_id = await desk.ask()
    for who in (system(), internal("points")):
        assert await refusal(desk.decide("Approve", approval_id, who)) == "PERMISSION_DENIED"
    request = pb.RequestApprovalRequest(
        request_id=ids.new().hex, action="a", permission="a.b.c", summary="s", content=b"c", asked_by=desk.ann.subject
    )
    assert await refusal(desk.call("RequestApproval", request, desk.ann)) == "PERMISSION_DENIED"


async def test_approvals_stay_in_their_group_and_are_listed_by_state(desk: Desk) -> None:
    made = [await desk.ask() for _ in range(3)]
    await desk.decide("Approve", made[0], desk.bob)
    seen, token = [], ""
    while True:
        request = pb.ListApprovalsRequest(page_size=1, page_token=token, state=pb.APPROVAL_STATE_PENDING)
        page = await desk.call("ListApprovals", request, desk.auditor)
        seen += [one.approval_id for one in page.approvals]
        token = page.next_page_token
        if not token:
            break
    assert [one for one in seen if one in made] == [made[2], made[1]]
    assert await refusal(desk.get(made[0], system(OTHER_GROUP))) == "APPROVAL_UNKNOWN"
    stranger = Caller(CallerKind.OPERATOR, desk.bob.subject, OTHER_GROUP, "ops_1", {"": "*"})
    assert await refusal(desk.decide("Approve", made[1], stranger)) == "APPROVAL_UNKNOWN"


async def test_asking_deciding_and_using_are_in_the_audit(desk: Desk) -> None:
    approval_id = (await desk.issue(desk.ann)).approval.approval_id
    await desk.decide("Approve", approval_id, desk.bob, "as agreed")
    await desk.issue(desk.ann, approval_id)
    audit = desk.people.apps.stub(audit_pb2_grpc.AuditServiceStub, "org")
    request = audit_pb2.ListAuditEntriesRequest(subject_id=approval_id)
    entries = (await desk.people.apps.call(audit.ListAuditEntries, request, system())).entries[::-1]
    assert [(entry.action, entry.actor, entry.reason) for entry in entries] == [
        ("RequestApproval", desk.ann.subject, ""),
        ("Approve", desk.bob.subject, "as agreed"),
        ("CreateCredential", desk.ann.subject, ""),
    ]
