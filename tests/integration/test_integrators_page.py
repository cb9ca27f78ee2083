"""docs/integrators.md is true: a shell runs its commands against a gateway and the services behind it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx

from huitong.org.v1 import org_pb2, org_pb2_grpc
from suite.invariants import check
from tests.apps import Apps, internal
from tests.integration.test_gateway_with_org import Outside
from tests.pages import ROOT, check_promises, gateway_before, run_shell, shell_blocks

PAGE = (ROOT / "docs/integrators.md").read_text()
COMMANDS = shell_blocks(PAGE).replace("source .venv/bin/activate\n", "")  # the test's own Python is there already
START = {"year": 2015, "month": 1, "day": 1}


async def a_mall(office: Outside) -> dict[str, str]:
    """A mall with a shop and a car park, ladder, rules and tariff: what the page finds in the demo."""
    ids: dict[str, str] = {}
    zone = {"time_zone": "Asia/Shanghai", "currency_code": "CNY"}
    for code, kind in (("mall", "MALL"), ("car-park", "PARKING")):
        unit = await office.done("POST", "/v1/business-units", code=code, name=code, kind=f"UNIT_KIND_{kind}", **zone)
        ids[code] = unit["business_unit"]["business_unit_id"]
    for code in ("m", "parking"):
        made = await office.done("POST", "/v1/merchants", code=code, name=code, business_unit_id=ids["mall"])
        ids[code] = made["merchant"]["merchant_id"]
    store = await office.done("POST", "/v1/stores", code="s367", name="Grocer", merchant_id=ids["m"])
    ids["s367"] = store["store"]["store_id"]
    await office.done("POST", "/v1/tier-ladder", tiers=[{"code": "BASIC", "name": "B", "earn_multiplier_bps": 10000}])
    rules: dict[str, Any] = {"rules": [{"rule_id": "base", "kind": "RULE_KIND_BASE", "name": "Base"}]}
    rules |= {"effective_date": START, "base_points": 1, "base_step_minor": 100, "expiry_months": 12}
    await office.done("POST", "/v1/rule-sets", rule_set=rules)
    tariff = {"free_minutes": 30, "hour_minor": 800, "day_cap_minor": 6000, "exit_grace_minutes": 15}
    await office.done(
        "POST", f"/v1/car-parks/{ids['car-park']}/tariffs",
        merchant_id=ids["parking"], tariff=tariff, effective_time="2015-01-01T00:00:00+08:00",
    )  # fmt: skip
    return ids


async def test_the_page_s_commands_do_what_it_says(apps: Apps, tmp_path: Path) -> None:
    # As with HUITONG_WEBHOOK_PRIVATE_HOSTS=1: the page's receiver is on this machine.
    apps.settings = apps.settings.model_copy(update={"webhook_private_hosts": True})
    await apps.start("org", "member", "points", "parking")
    structure = apps.stub(org_pb2_grpc.StructureServiceStub, "org")
    request = org_pb2.CreateGroupRequest(request_id="create-page", code="page-group", name="Page")
    made = await apps.call(structure.CreateGroup, request, internal("suite"))
    key_id, secret = made.system_credential.key_id, made.secret
    async with gateway_before(apps) as url:
        async with httpx.AsyncClient(base_url=url) as client:
            known = await a_mall(Outside(client, key_id, secret))
        known |= {"key_id": key_id, "secret": secret}
        environment = {"URL": url, "PAGE_KNOWN": json.dumps(known), "RECEIVER_PORT": str(apps.sandbox.free_port())}
        output = await run_shell(COMMANDS, tmp_path, environment)
    check_promises(COMMANDS, output)
    await apps.drain()
    wrong = [one for one in await check(apps.settings, tuple(apps.running)) if one.violation_count]
    assert wrong == []
