"""docs/operators.md is true: a shell runs its commands against a gateway; its table of roles is the one in force."""

from __future__ import annotations

import json
import re
from pathlib import Path

from huitong.org.v1 import org_pb2, org_pb2_grpc
from services.org.operators.rules import GROUP_ONLY, PERMISSIONS, SCOPES
from tests.apps import Apps, internal
from tests.pages import ROOT, check_promises, gateway_before, run_shell, shell_blocks

PAGE = (ROOT / "docs/operators.md").read_text()


def test_the_table_of_roles_is_the_one_in_force() -> None:
    rows = re.findall(r"^\| ([A-Z_]+) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)
    listed = {role: (tuple(scopes.split(", ")), re.findall(r"`([^`]+)`", patterns)) for role, scopes, patterns in rows}
    assert listed == {role: (SCOPES[role], PERMISSIONS[role].split()) for role in PERMISSIONS}


def test_what_is_the_group_s_is_listed_with_its_reasons() -> None:
    assert dict(re.findall(r"^\| `([^`]+)` \| (.+?) \|$", PAGE, re.MULTILINE)) == GROUP_ONLY


async def test_the_page_s_commands_do_what_it_says(apps: Apps, tmp_path: Path) -> None:
    await apps.start("org")
    structure = apps.stub(org_pb2_grpc.StructureServiceStub, "org")
    request = org_pb2.CreateGroupRequest(request_id="create-page", code="page-group", name="Page")
    made = await apps.call(structure.CreateGroup, request, internal("suite"))
    known = {"key_id": made.system_credential.key_id, "secret": made.secret}
    async with gateway_before(apps) as url:
        environment = {"URL": url, "GROUP": "page-group", "PAGE_KNOWN": json.dumps(known)}
        output = await run_shell(shell_blocks(PAGE), tmp_path, environment)
    check_promises(shell_blocks(PAGE), output)
