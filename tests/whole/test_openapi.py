"""Schemathesis over every operation of the published contract, at the doors of the whole suite.

HUITONG_TEST_CONTRACT_EXAMPLES says how many requests of each kind are generated for an operation; `make nightly` asks
for many, and for every boundary value of every schema, methods and headers that are not there among them.

Of Schemathesis' checks these are left out:
- positive_data_acceptance: a schema does not say that an id leads to something, that one field excludes another or that
  a day is past. What is refused gives a reason that its operation declares (reason_is_declared), and the document's own
  examples are valid (tests/contract/test_openapi_document.py).
- use_after_free, ensure_resource_availability, object_level_authorization: they follow links from one operation to
  another, which the document has none of. Whose things are whose is in test_other_peoples_things.py.
- max_response_time: the machine is anybody's; a request that hangs fails by its timeout.
"""

from __future__ import annotations

import copy
import itertools
import json
import os
import random
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import httpx
import orjson
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from jsonschema_rs import Draft202012Validator
from schemathesis.checks import CheckContext, not_a_server_error
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    ignored_auth,
    missing_required_header,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from chassis.identity import CallerKind
from tests.whole.inside import internal_words
from tests.whole.suite import DOCUMENT, RULES, TIERS, WholeSuite, operations

pytestmark = pytest.mark.timeout(600)

Case = schemathesis.Case[Any]
DEEP = "HUITONG_TEST_CONTRACT_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("HUITONG_TEST_CONTRACT_EXAMPLES", "10"))
# A request that takes longer hangs.
SECONDS = 20


def _configuration() -> schemathesis.Config:
    config = schemathesis.Config(seed=1)
    project = config.projects.default
    # Whoever has no key is refused before anything is read; other tests look at that.
    project.generation.update(with_security_parameters=False)
    project.phases.coverage.enabled = DEEP
    project.phases.stateful.enabled = False
    return config


SCHEMA = schemathesis.openapi.from_dict(copy.deepcopy(DOCUMENT), config=_configuration())
NDJSON = "application/x-ndjson"
# What the first request of an operation, its example, says besides or instead, where the business refuses it as it is.
SAID: dict[str, dict[str, Any]] = {
    "AdjustmentService_RequestAdjustment": {"currency_id": ""},
    "AttributeService_DefineAttribute": {
        "definition": {"key": "size", "type": "ATTRIBUTE_TYPE_TEXT", "label": "Shoe size", "label_zh": "鞋码"}
    },
    "CatalogueService_CreateItem": {"code": "another", "benefit_code": ""},
    "CouponService_CreateTemplate": {"valid_until_time": "2036-01-31T09:30:00+08:00"},
    "CredentialService_CreateCredential": {
        "kind": "CREDENTIAL_KIND_SYSTEM", "subject_id": "", "approval_id": "", "permissions": [], "partner_code": "",
    },
    "FamilyPoolService_CreateFamilyPool": {"name": "Another"},
    "OperatorService_InviteOperator": {"login": "invited", "grants": [{"role": "ROLE_AUDITOR"}]},
    "RetentionService_RenewPoints": {
        "expiring_before": "2100-01-01T00:00:00Z", "expire_time": "2101-01-01T00:00:00Z",
    },
    "RuleDraftService_CreateRuleDraft": {"rule_set": RULES},
    "SegmentService_ChangeSegment": {"add_member_ids": [], "remove_member_ids": []},
    "StructureService_ImportStructure": {"csv": "kind,code,name,parent_code\nmerchant,FILED,Filed,MALL\n"},
    "TierProgramService_SetTierMatches": {"matches": [{"level": "PLATINUM", "tier_code": "BASIC", "months": 12}]},
    "TierService_SetTierLadder": {"tiers": TIERS, "effective_date": None, "policy": None},
}  # fmt: skip
# What ends something for good, or for a while, is asked for of what the other operations can do without.
ENDING = {
    "PrivacyService_RequestErasure",
    "RiskService_CloseMember",
    "RiskService_FreezeMember",
    "StructureService_UpdateBusinessUnit",
    "StructureService_UpdateMerchant",
    "StructureService_UpdateStore",
}
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"}


@schemathesis.serializer(NDJSON)
def _lines(context: Any, value: Any) -> bytes:
    # The standard library's, since generated whole numbers may be of any size.
    return value if isinstance(value, bytes) else json.dumps(value, default=str).encode(errors="replace") + b"\n"


@pytest.fixture(scope="module")
def suite(whole: WholeSuite) -> WholeSuite:
    """The group that the contract's examples name."""
    return whole


@pytest.fixture(scope="module")
def session(suite: WholeSuite) -> Iterator[requests.Session]:
    """One connection for all."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


class Signed(requests.auth.AuthBase):
    """Signs what is sent, as it is sent."""

    def __init__(self, suite: WholeSuite, kind: CallerKind) -> None:
        self._suite, self._kind = suite, kind

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        path, _, query = request.path_url.partition("?")
        body: Any = request.body or b""
        content = body.encode() if isinstance(body, str) else body
        request.headers.update(self._suite.sign(self._kind, request.method or "", path, query, content))
        return request


_turns: dict[str, Iterator[int]] = {}


@SCHEMA.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_what_comes_back_is_what_the_contract_says(case: Case, suite: WholeSuite, session: requests.Session) -> None:
    definition = case.operation.definition.raw
    turn = next(_turns.setdefault(definition["operationId"], itertools.count()))
    audiences = definition["x-audiences"]
    kind = CallerKind(audiences[turn % len(audiences)])
    if turn // len(audiences) % 2 == 0:
        _put_real_ids(case, suite, random.Random(turn))
    if turn == 0 and isinstance(case.body, dict):
        case.body |= SAID.get(definition["operationId"], {})
    case.call_and_validate(
        base_url=suite.url,
        session=session,
        auth=Signed(suite, kind),
        timeout=SECONDS,
        checks=[
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_headers_conformance,
            response_schema_conformance,
            bad_data_is_refused,
            missing_required_header,
            unsupported_method,
            allow_header_conformance,
            who_calls_is_asked_for,
            lines_conform,
            reason_is_declared,
            nothing_internal_is_told,
        ],
    )


def _put_real_ids(case: Case, suite: WholeSuite, chance: random.Random) -> None:
    """Half of all requests name things that are there, else nearly every answer were that they are not.

    A path or a query that is to be wrong stays so; of a body bad_data_is_refused looks at what was sent.
    """
    ids = suite.ids | (suite.spare if case.operation.definition.raw["operationId"] in ENDING else {})
    places = {
        ParameterLocation.PATH: case.path_parameters,
        ParameterLocation.QUERY: case.query,
        ParameterLocation.BODY: case.body,
    }
    for place, holder in places.items():
        if isinstance(holder, dict) and (place is ParameterLocation.BODY or not _is_wrong(case, place)):
            for name in sorted(holder.keys() & ids.keys()):
                if chance.random() < 0.9:
                    holder[name] = ids[name]


def _is_wrong(case: Case, place: ParameterLocation) -> bool:
    """Whether it was generated so that the document does not let it in."""
    return case.meta is not None and case.meta.is_negative_at(place)


_asking: set[str] = set()
_done: set[str] = set()
# What is never done by the requests here, and why. That it asks who calls is seen nevertheless, by
# test_who_shows_nothing_of_who_calls_is_let_in_by_public_doors_alone and tests/contract/test_access_matrix.py.
NEVER_DONE = {
    "what it is about is made by other requests first, as in tests/whole/test_audit.py and the services' own": """
        AdjustmentService_ApproveAdjustment AdjustmentService_RejectAdjustment ApprovalService_Approve
        ApprovalService_GetApproval ApprovalService_Reject BenefitService_CheckBenefit BenefitService_ReturnBenefit
        BenefitService_SetTierBenefits CheckoutService_GetCheckout CheckoutService_VoidCheckout
        ContractService_SetContract ConversionService_ConvertPoints ConversionService_DecideConversionRate
        ConversionService_ProposeConversionRate ConversionService_QuoteConversion CouponService_IssueCoupon
        CouponService_ReverseWriteOff CouponService_WriteOffCoupon CurrencyService_CloseCurrency
        FamilyPoolService_JoinFamilyPool FamilyPoolService_LeaveFamilyPool FamilyPoolService_SetPoolMember
        MemberMergeService_GetMemberMerge MemberMergeService_MergeMembers MemberMergeService_UnmergeMembers
        OperatorService_DisableOperator OperatorService_EndOperatorSessions OperatorService_GetOperator
        OperatorService_ListOperatorSessions OperatorService_ResetOperator OperatorService_SetOperatorGrants
        OrderService_CancelOrder OrderService_GetOrder OrderService_UseVoucher ParkingService_PayFee
        ParkingService_QuoteFee PrivacyService_GetErasure PrivacyService_WithdrawErasure
        ReferralService_GetReferralProgram RiskService_LiftDenial RiskService_UnfreezeMember
        RuleDraftService_DiscardRuleDraft RuleSimulationService_GetRuleSimulation RuleSimulationService_QuoteSale
        SaleCaseService_DecideSaleCase SaleCaseService_RejectSale StoredValueService_RefundTopUp
        StoredValueService_TopUp TierProgramService_CancelTierLadder TierProgramService_CancelTierRecalculation
        TierProgramService_GetTierRecalculation TierProgramService_GrantTierMatch TierProgramService_ReverseGrowth
        TillPaymentService_RefundTillPayment""",
    "it takes a code, a token or a signature that nobody can make up": """
        BenefitService_UseBenefit CheckoutService_CommitCheckout MiniProgramService_LogInByMiniProgram
        OperatorSessionService_BeginEnrolment OperatorSessionService_CompleteEnrolment OperatorSessionService_LogIn
        PaymentNoticeService_ReceiveMallNotice PaymentNoticeService_SetNoticeSource ProofService_ChangePhone
        ProofService_CompleteProof ProofService_StartPhoneChange ProofService_StartProof
        ReferralService_UseReferralCode SessionService_CompleteLogin SessionService_RefreshSession
        TillPaymentService_PayAtTill""",
    "the business refuses it as things are: no points to spend, a pool that the member is in already, a key that was "
    "revoked, a ladder without growth, fields of two kinds of things at once": """
        CredentialService_SetCredentialCertificates CurrencyService_CreateCurrency
        FamilyPoolService_ContributeToPool FamilyPoolService_CreateFamilyPool MemberService_IdentifyMember
        OrderService_PlaceOrder ReferralService_SetReferralProgram RetentionService_RenewPoints
        RuleService_PublishRuleSet
        TierProgramService_RecordGrowth WalletService_QuoteOffset WalletService_TransferPoints""",
    "webhooks go to addresses outside, as in tests/integration/org/test_webhook_endpoints.py": """
        WebhookService_CreateWebhookEndpoint WebhookService_DeleteWebhookEndpoint
        WebhookService_DisableWebhookEndpoint WebhookService_EnableWebhookEndpoint
        WebhookService_ListWebhookDeliveries WebhookService_ReplayWebhook WebhookService_RotateWebhookSecret
        WebhookService_SendTestEvent WebhookService_UpdateWebhookEndpoint""",
}


def who_calls_is_asked_for(context: CheckContext, response: schemathesis.Response, case: Case) -> None:
    """What was done is refused without the key that it was done by, and with another: tried once for an operation."""
    if response.status_code == 200 and case.operation.label not in _asking:
        ignored_auth(context, response, case)
        _asking.add(case.operation.label)
        _done.add(case.operation.definition.raw["operationId"])


def bad_data_is_refused(context: CheckContext, response: schemathesis.Response, case: Case) -> None:
    """What does not fit the document is refused, in a bulk answer by its line. A null is no value, and fits."""
    wrong = {place for place in ParameterLocation if _is_wrong(case, place)}
    is_right = (
        not wrong
        or (wrong == {ParameterLocation.BODY} and _fits(case))
        or (wrong == {ParameterLocation.PATH} and _text_fits(case, ParameterLocation.PATH))
        or (wrong == {ParameterLocation.QUERY} and _text_fits(case, ParameterLocation.QUERY))
    )
    if not (is_right or _has_refused_lines(response)):
        negative_data_rejection(context, response, case)


def _has_refused_lines(response: schemathesis.Response) -> bool:
    """Whether this is a bulk answer with a problem in it."""
    if response.status_code != 200:
        return False
    if response.headers.get("content-type", [""])[0] == NDJSON:
        return any("error" in orjson.loads(line) for line in response.content.splitlines())
    results = orjson.loads(response.content).get("results", ())
    return any(isinstance(one, dict) and "problem" in one for one in results)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(one) for name, one in value.items() if one is not None}
    return [_without_nulls(one) for one in value] if isinstance(value, list) else value


def _fits(case: Case) -> bool:
    """Whether the body as it was sent does."""
    content = case.operation.definition.raw["requestBody"]["content"]
    if not isinstance(case.body, dict) or case.media_type not in content:
        return False
    schema = {**content[case.media_type]["schema"], "components": DOCUMENT["components"]}
    return bool(Draft202012Validator(schema).is_valid(_without_nulls(case.body)))


def _validator(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": DOCUMENT["components"]})


def _text_fits(case: Case, place: ParameterLocation) -> bool:
    """Paths and queries are text: what was generated as a wrong kind of value may read as the right one."""
    schemas = {
        each["name"]: each["schema"]
        for each in case.operation.definition.raw.get("parameters", ())
        if each["in"] == place.value
    }
    holder: Any = case.path_parameters if place is ParameterLocation.PATH else case.query
    for name, value in (holder or {}).items():
        text: Any = unquote(str(value))
        if name in schemas and schemas[name].get("type") == "integer" and re.fullmatch(r"-?\d{1,18}", text):
            text = int(text)
        if name not in schemas or not _validator(schemas[name]).is_valid(text):
            return False
    return True


def lines_conform(context: CheckContext, response: schemathesis.Response, case: Case) -> None:
    """Each line of a bulk answer fits the schema of a line."""
    if response.headers.get("content-type", [""])[0] != NDJSON:
        return
    schema = case.operation.definition.raw["responses"]["200"]["content"][NDJSON]["schema"]
    validator = Draft202012Validator({**schema, "components": DOCUMENT["components"]})
    for line in response.content.splitlines():
        validator.validate(orjson.loads(line))


def reason_is_declared(context: CheckContext, response: schemathesis.Response, case: Case) -> None:
    """A refusal's reason is one that its operation, or the answer with this status, names."""
    if response.status_code == 200:
        return
    problem = orjson.loads(response.content)
    general = DOCUMENT["components"]["responses"].get(f"E{response.status_code}", {}).get("x-reasons", [])
    # A method that the path does not take belongs to no operation.
    declared = {*general, *case.operation.definition.raw["x-errors"], "METHOD_NOT_ALLOWED"}
    assert problem["reason"] in declared, f"{problem['reason']} is not declared: {problem}"
    assert problem["status"] == response.status_code


def nothing_internal_is_told(context: CheckContext, response: schemathesis.Response, case: Case) -> None:
    """No refusal quotes a stack, a statement, a file or an address of ours."""
    # What was done may say again what callers called things, and "SELECT 1" is a name. A refusal names the field that
    # is wrong, and a caller's field may be called like an address of ours.
    body: Any = response.request.body or b""
    sent = (response.request.path_url.encode(), body.encode() if isinstance(body, str) else body)
    told = set(internal_words(response.content)) - {word for part in sent for word in internal_words(part)}
    assert response.status_code < 400 or not told


each_path = pytest.mark.parametrize("path", DOCUMENT["paths"])
each_operation = pytest.mark.parametrize(
    ("path", "verb"),
    [(path, verb) for path, entries in DOCUMENT["paths"].items() for verb in entries],
    ids=lambda part: part.upper() if part.isalpha() else part,
)


def _filled(path: str) -> str:
    return re.sub(r"{\w+}", "x", path)


@each_path
def test_a_path_takes_its_own_methods_alone(suite: WholeSuite, session: requests.Session, path: str) -> None:
    own = {verb.upper() for verb in DOCUMENT["paths"][path]}
    for method in sorted(METHODS - own):
        answer = session.request(method, suite.url + _filled(path), timeout=SECONDS)
        assert (answer.status_code, answer.headers.get("allow")) == (405, ", ".join(sorted(own))), method
        assert method == "HEAD" or answer.json()["reason"] == "METHOD_NOT_ALLOWED"


@each_operation
def test_who_shows_nothing_of_who_calls_is_let_in_by_public_doors_alone(
    suite: WholeSuite, session: requests.Session, path: str, verb: str
) -> None:
    is_public = "public" in DOCUMENT["paths"][path][verb]["x-audiences"]
    for shown in (None, "", "Bearer", "Bearer ", "Basic YTpi"):
        headers = {"content-type": "application/json"} | ({} if shown is None else {"authorization": shown})
        answer = session.request(verb, suite.url + _filled(path), data=b"{}", headers=headers, timeout=SECONDS)
        if not is_public:
            assert (answer.status_code, answer.json()["reason"]) == (401, "UNAUTHENTICATED"), shown
            assert answer.headers["www-authenticate"]


def _required_headers(entry: dict[str, Any]) -> dict[str, str]:
    parameters = [each for each in entry.get("parameters", ()) if each["in"] == "header" and each["required"]]
    return {each["name"]: str(each["example"]) for each in parameters}


def test_a_header_that_an_operation_needs_is_asked_for(suite: WholeSuite, session: requests.Session) -> None:
    needing = {
        (path, verb): _required_headers(entry)
        for path, entries in DOCUMENT["paths"].items()
        for verb, entry in entries.items()
        if _required_headers(entry)
    }
    assert needing
    for (path, verb), given in needing.items():
        body = orjson.dumps({"id": "notice"})
        for missing in given:
            headers = {name: value for name, value in given.items() if name != missing}
            headers["content-type"] = "application/json"
            answer = session.request(verb, suite.url + _filled(path), data=body, headers=headers, timeout=SECONDS)
            assert (answer.status_code, answer.json()["reason"]) == (400, "INVALID_ARGUMENT"), missing


def test_what_was_never_done_is_known_and_for_a_reason(suite: WholeSuite) -> None:
    """Whether who calls is asked for (who_calls_is_asked_for) is seen where something is done."""
    if len(_turns) < len(operations()):
        pytest.skip("only a part of the operations was called here")
    never = {entry["operationId"] for entry in operations()} - _done
    known = {name for names in NEVER_DONE.values() for name in names.split()}
    assert sorted(never - known) == []
    assert known <= {entry["operationId"] for entry in operations()}


def test_the_gateway_publishes_this_document(suite: WholeSuite) -> None:
    assert httpx.get(f"{suite.url}/openapi.json", trust_env=False).json() == orjson.loads(orjson.dumps(DOCUMENT))
