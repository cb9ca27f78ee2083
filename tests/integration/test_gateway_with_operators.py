"""The gateway in front of the real org: operators call with their sessions, within their grants, until they end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from chassis import ids
from gateway.app import App, Parts, fetch_from_org, fetch_places, fetch_session, mount
from gateway.auth.callers import Callers
from gateway.auth.credentials import Credentials
from gateway.auth.places import Places
from gateway.auth.sessions import Sessions
from gateway.auth.signing import sign_request
from huitong.org.v1 import operators_pb2 as pb
from huitong.org.v1 import org_pb2, org_pb2_grpc
from tests.apps import Apps, system
from tests.people import M1, M2, MALL, PARK, S1, S2, People, Person, grant, totp
from tests.support import Sandbox


@dataclass
class Outside:
    """People and machines in front of a gateway whose caches follow `now`, in seconds."""

    people: People
    now: float = 0.0
    client: httpx.AsyncClient = field(default_factory=httpx.AsyncClient)

    async def call(self, token: str, method: str, path: str, **fields: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        if method == "GET":
            return await self.client.get(path, headers=headers)
        body = {"request_id": ids.new().hex} | fields
        return await self.client.request(method, path, json=body, headers=headers)

    async def reason(self, token: str, method: str, path: str, **fields: Any) -> str:
        answer = await self.call(token, method, path, **fields)
        return "" if answer.status_code == 200 else answer.json()["reason"]

    async def person(self, *grants: pb.Grant) -> tuple[Person, str]:
        person = await self.people.enrol(*grants)
        return person, await self.people.log_in(person)

    async def signed(self, key: Any, method: str, path: str, **fields: Any) -> httpx.Response:
        bare, _, query = path.partition("?")
        body = b"" if method == "GET" else orjson.dumps({"request_id": ids.new().hex} | fields)
        headers = sign_request(
            key_id=key.credential.key_id, secret=key.secret, method=method, path=bare, query=query, body=body
        )
        return await self.client.request(
            method, path, content=body, headers=headers | {"content-type": "application/json"}
        )

    async def key(self, kind: str, **fields: Any) -> Any:
        credentials = self.people.apps.stub(org_pb2_grpc.CredentialServiceStub, "org")
        request = org_pb2.CreateCredentialRequest(request_id=ids.new().hex, kind=f"CREDENTIAL_KIND_{kind}", **fields)
        return await self.people.apps.call(credentials.CreateCredential, request, system())


@pytest_asyncio.fixture
async def outside(sandbox: Sandbox) -> AsyncIterator[Outside]:
    apps = Apps(sandbox)
    people = await People(apps).start()
    found, app = Outside(people), App()
    parts = Parts.of(apps.settings)
    callers = Callers(
        Credentials(fetch_from_org(parts.upstream, parts.inside), clock=lambda: found.now),
        parts.callers._member_tokens,
        Sessions(fetch_session(parts.upstream, parts.inside), clock=lambda: found.now),
    )
    places = Places(fetch_places(parts.upstream, parts.inside), clock=lambda: found.now)
    mount(app, replace(parts, callers=callers, places=places))
    found.client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://gateway")
    try:
        yield found
    finally:
        await found.client.aclose()
        await parts.upstream.close()
        await parts.gate.close()
        await apps.stop()


async def test_a_person_comes_in_by_http_alone(outside: Outside) -> None:
    with capture_logs() as logs:
        invited = await outside.people.invite(grant("GROUP_ADMIN"))
        post = outside.client.post
        begun = (await post("/v1/operator-enrolment:begin", json={"invitation": invited.invitation})).json()
        fields = {"invitation": invited.invitation, "password": "correct horse battery"}
        code = totp(begun["totp_secret"])
        done = await post("/v1/operator-enrolment:complete", json=fields | {"totp_code": code})
        assert done.json() == {"login": invited.operator.login}
        # The code of the enrolment is used up; the app shows the next one.
        login = {"group_code": "test-group", "login": invited.operator.login, "password": "correct horse battery"}
        used = await post("/v1/operator-sessions", json=login | {"totp_code": code})
        assert (used.status_code, used.json()["reason"]) == (401, "LOGIN_REFUSED")
        opened = (
            await post("/v1/operator-sessions", json=login | {"totp_code": totp(begun["totp_secret"], step=1)})
        ).json()
        token = opened["session_token"]
        assert await outside.reason(token, "GET", "/v1/operators") == ""
        sessions = await outside.call(token, "GET", f"/v1/operators/{opened['operator']['operator_id']}/sessions")
        assert len(sessions.json()["sessions"]) == 1
        assert (await post("/v1/operator-sessions:end", json={"session_token": token})).status_code == 200
    assert logs
    for secret in (invited.invitation, begun["totp_secret"], "correct horse battery", token):
        assert secret not in repr(logs)


async def test_a_grant_opens_what_its_role_and_scope_say_and_nothing_else(outside: Outside) -> None:
    _, admin = await outside.person(grant("GROUP_ADMIN"))
    _, owner = await outside.person(grant("MERCHANT_OWNER", M1))
    _, clerk = await outside.person(grant("MERCHANT_CLERK", S1))
    _, unit = await outside.person(grant("UNIT_OPERATOR", MALL))
    _, park = await outside.person(grant("UNIT_OPERATOR", PARK))
    _, auditor = await outside.person(grant("AUDITOR"))
    _, nobody = await outside.person()
    stores, merchants = f"/v1/stores?merchant_id={M1}", f"/v1/merchants?business_unit_id={MALL}"
    expected = [
        ("GET", stores, {}, {"admin": "", "owner": "", "auditor": "", "clerk": "NOT_YOURS", "unit": ""}),
        ("GET", f"/v1/stores?merchant_id={M2}", {}, {"owner": "NOT_YOURS", "admin": ""}),
        ("GET", "/v1/stores", {}, {"owner": "NOT_YOURS", "admin": "", "auditor": ""}),
        ("GET", f"/v1/stores/{S1}", {}, {"clerk": "", "owner": "", "unit": "", "park": "NOT_YOURS", "admin": ""}),
        ("GET", f"/v1/stores/{S2}", {}, {"clerk": "NOT_YOURS", "owner": "NOT_YOURS", "unit": "", "auditor": ""}),
        ("GET", f"/v1/stores/sto_{'0' * 32}", {}, {"owner": "NOT_YOURS", "unit": "NOT_YOURS",
            "admin": "STORE_UNKNOWN"}),
        ("GET", merchants, {}, {"unit": "", "owner": "NOT_YOURS", "admin": ""}),
        ("GET", f"/v1/merchants?business_unit_id={PARK}", {}, {"unit": "NOT_YOURS"}),
        ("GET", "/v1/business-units", {}, {"unit": "", "owner": "", "clerk": "", "admin": ""}),
        ("GET", "/v1/operators", {}, {"auditor": "", "admin": "", "unit": "PERMISSION_DENIED"}),
        ("PATCH", f"/v1/stores/{S1}", {"floor": "L2"}, {"admin": "", "clerk": "PERMISSION_DENIED",
            "auditor": "PERMISSION_DENIED", "owner": "PERMISSION_DENIED", "unit": "", "park": "NOT_YOURS"}),
        ("POST", "/v1/merchants", {"code": "M9", "name": "N", "business_unit_id": MALL},
            {"owner": "PERMISSION_DENIED", "auditor": "PERMISSION_DENIED", "unit": ""}),
        ("POST", "/v1/merchants", {"code": "M8", "name": "N", "business_unit_id": PARK}, {"unit": "NOT_YOURS"}),
        ("POST", "/v1/operators", {"login": "new.one", "name": "N"}, {"auditor": "PERMISSION_DENIED", "unit":
            "PERMISSION_DENIED", "owner": "PERMISSION_DENIED"}),
    ]  # fmt: skip
    tokens = {
        "admin": admin, "owner": owner, "clerk": clerk, "unit": unit, "park": park, "auditor": auditor,
        "nobody": nobody,
    }  # fmt: skip
    for method, path, fields, answers in expected:
        for name, reason in ({"nobody": "PERMISSION_DENIED"} | answers).items():
            assert await outside.reason(tokens[name], method, path, **fields) == reason, (name, method, path)


@pytest.mark.parametrize("how", ["logout", "sessions", "reset", "disable", "grants"])
async def test_what_is_taken_away_is_gone_within_a_minute(outside: Outside, how: str) -> None:
    person, token = await outside.person(grant("AUDITOR"))
    assert await outside.reason(token, "GET", "/v1/operators") == ""
    fields: dict[str, Any] = {"request_id": ids.new().hex, "operator_id": person.operator_id}
    if how == "logout":
        await outside.people.open("LogOut", pb.LogOutRequest(session_token=token))
    elif how == "sessions":
        await outside.people.call("EndOperatorSessions", pb.EndOperatorSessionsRequest(**fields))
    elif how == "reset":
        await outside.people.call("ResetOperator", pb.ResetOperatorRequest(**fields))
    elif how == "disable":
        await outside.people.call("DisableOperator", pb.DisableOperatorRequest(**fields))
    else:
        grants = [grant("MERCHANT_OWNER", M1)]
        await outside.people.call("SetOperatorGrants", pb.SetOperatorGrantsRequest(**fields, grants=grants))
    outside.now = 29.0
    assert await outside.reason(token, "GET", "/v1/operators") == "", "kept for a while, and not asked for each time"
    outside.now = 31.0
    expected = "PERMISSION_DENIED" if how == "grants" else "SESSION_ENDED"
    assert await outside.reason(token, "GET", "/v1/operators") == expected
    if how == "grants":
        assert await outside.reason(token, "GET", f"/v1/stores?merchant_id={M1}") == ""


async def test_while_org_is_gone_a_session_is_known_for_sixty_seconds_in_all(outside: Outside) -> None:
    _, token = await outside.person(grant("AUDITOR"))
    assert await outside.reason(token, "GET", "/v1/operators") == ""
    await outside.people.apps.stop("org")
    for now, known in ((59.0, True), (61.0, False)):
        outside.now = now
        # member does not run: a session that is known gets as far as to it, and both answer 503. What tells is the log.
        with capture_logs() as logs:
            assert (await outside.call(token, "GET", "/v1/tier-ladder")).status_code == 503
        assert [entry["caller"] for entry in logs if entry["event"] == "request"] == ["operator" if known else ""]


async def test_a_revoked_key_stops_within_a_minute(outside: Outside) -> None:
    credentials = outside.people.apps.stub(org_pb2_grpc.CredentialServiceStub, "org")
    request = org_pb2.CreateCredentialRequest(request_id=ids.new().hex, kind=org_pb2.CREDENTIAL_KIND_SYSTEM)
    key = await outside.people.apps.call(credentials.CreateCredential, request, system())
    assert (await outside.signed(key, "GET", "/v1/business-units")).status_code == 200
    revoke = org_pb2.RevokeCredentialRequest(request_id=ids.new().hex, key_id=key.credential.key_id)
    await outside.people.apps.call(credentials.RevokeCredential, revoke, system())
    outside.now = 31.0
    refused = await outside.signed(key, "GET", "/v1/business-units")
    assert (refused.status_code, refused.json()["reason"]) == (401, "KEY_UNKNOWN_OR_REVOKED")


async def test_both_secrets_of_a_rotation_open_the_door_until_the_overlap_ends(outside: Outside) -> None:
    credentials = outside.people.apps.stub(org_pb2_grpc.CredentialServiceStub, "org")
    request = org_pb2.CreateCredentialRequest(request_id=ids.new().hex, kind=org_pb2.CREDENTIAL_KIND_SYSTEM)
    old = await outside.people.apps.call(credentials.CreateCredential, request, system())
    rotate = org_pb2.RotateCredentialRequest(
        request_id=ids.new().hex, key_id=old.credential.key_id, overlap_seconds=3600
    )
    new = await outside.people.apps.call(credentials.RotateCredential, rotate, system())
    for key in (old, new):
        assert (await outside.signed(key, "GET", "/v1/business-units")).status_code == 200
    await outside.people.db.pool.execute(
        "UPDATE credential_secret SET end_time = clock_timestamp() WHERE end_time IS NOT NULL"
    )
    outside.now = 31.0
    statuses = [(await outside.signed(key, "GET", "/v1/business-units")).status_code for key in (old, new)]
    assert statuses == [401, 200]


BAD_TOKENS = [
    "hts_",
    "hts_" + "A" * 42,
    "hts_" + "A" * 44,
    "hts_" + "é" * 43,
    "hts_" + "A" * 43,
    "hts_" + "A" * 42 + ".",
]


@pytest.mark.parametrize("change", ["", *BAD_TOKENS])
async def test_other_tokens_are_refused(outside: Outside, change: str) -> None:
    _, token = await outside.person(grant("GROUP_ADMIN"))
    token = change or token[:-1] + ("A" if token[-1] != "A" else "B")
    headers = {b"authorization": b"Bearer " + token.encode()}
    answer = await outside.client.get("/v1/operators", headers=headers)
    assert (answer.status_code, answer.json()["reason"]) == (401, "SESSION_ENDED")


async def test_an_operator_is_nobody_where_operators_are_not_meant(outside: Outside) -> None:
    _, token = await outside.person(grant("GROUP_ADMIN"))
    for method, path in (("POST", f"/v1/credentials/key_{'0' * 32}:rotate"), ("GET", "/v1/simulator/messages")):
        assert await outside.reason(token, method, path) == "PERMISSION_DENIED"
    # A door of the public's does not mind who else comes.
    answer = await outside.client.post(
        "/v1/operator-sessions:end",
        content=orjson.dumps({"session_token": "hts_x"}),
        headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
    )
    assert answer.status_code == 200


async def test_the_access_log_names_the_operator_and_no_token(outside: Outside) -> None:
    person, token = await outside.person(grant("AUDITOR"))
    with capture_logs() as logs:
        await outside.call(token, "GET", "/v1/operators")
    (entry,) = [each for each in logs if each["event"] == "request"]
    assert (entry["caller"], entry["subject"], entry["route"]) == ("operator", person.operator_id, "/v1/operators")
    assert token not in repr(logs)


async def test_marketing_drafts_rules_and_finance_approves_them(outside: Outside) -> None:
    await outside.people.apps.start("points")
    _, marketing = await outside.person(grant("MARKETING"))
    _, other = await outside.person(grant("MARKETING"))
    _, finance = await outside.person(grant("FINANCE"))
    _, shop = await outside.person(grant("MERCHANT_OWNER", M1))
    rule_set = {
        "effective_date": {"year": 2015, "month": 1, "day": 1},
        "base_points": 1,
        "base_step_minor": 100,
        "rules": [{"rule_id": "base", "kind": "RULE_KIND_BASE", "name": "Base"}],
        "expiry_months": 12,
    }
    assert await outside.reason(shop, "POST", "/v1/rule-drafts", rule_set=rule_set) == "PERMISSION_DENIED"
    drafted = (await outside.call(marketing, "POST", "/v1/rule-drafts", rule_set=rule_set)).json()["draft"]
    approve = f"/v1/rule-drafts/{drafted['draft_id']}:approve"
    # Another of marketing is a second person, but may not approve; who drafted may neither.
    for token in (marketing, other):
        assert await outside.reason(token, "POST", approve) == "PERMISSION_DENIED"
    published = (await outside.call(finance, "POST", approve)).json()["draft"]
    assert published["state"] == "RULE_DRAFT_STATE_PUBLISHED" and published["rule_set"]["version"] == 1
    assert published["author"] != published["decided_by"]
    _, admin = await outside.person(grant("GROUP_ADMIN"))
    own = (await outside.call(admin, "POST", "/v1/rule-drafts", rule_set=rule_set)).json()["draft"]
    assert await outside.reason(admin, "POST", f"/v1/rule-drafts/{own['draft_id']}:approve") == "SECOND_PERSON_REQUIRED"
