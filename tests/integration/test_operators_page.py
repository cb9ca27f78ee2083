"""docs/operators.md is true: a shell runs its commands against a gateway; its table of roles is the one in force."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

import uvicorn

from gateway.app import App, Parts, mount
from huitong.org.v1 import org_pb2, org_pb2_grpc
from services.org.operators.rules import PERMISSIONS, SCOPES
from tests.apps import Apps, internal
from tests.support import Sandbox

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/operators.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
# `huitong sign POST path file --as system`, with this group's key instead of the demo's.
SIGN = """#!{python}
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from gateway.auth.signing import sign_request
_, _, method, path, file, *_ = sys.argv
headers = sign_request(key_id={key_id!r}, secret={secret!r}, method=method, path=path, body=Path(file).read_bytes())
print("Authorization: " + headers["Authorization"])
"""
# The test needs no curl on the machine: this knows the options that the page uses, and refuses any other.
CURL = """#!{python}
import argparse
import sys
from pathlib import Path
import httpx
parser = argparse.ArgumentParser()
parser.add_argument("-s", action="store_true")
parser.add_argument("-H", action="append", default=[])
parser.add_argument("--data-binary")
parser.add_argument("url")
options = parser.parse_args()
headers = dict(each.split(": ", 1) for each in options.H)
body = options.data_binary
if body and body.startswith("@"):
    body = Path(body[1:]).read_bytes()
answer = httpx.request("GET" if body is None else "POST", options.url, headers=headers, content=body)
sys.stdout.write(answer.text)
"""


def test_the_table_of_roles_is_the_one_in_force() -> None:
    rows = re.findall(r"^\| ([A-Z_]+) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)
    listed = {role: (tuple(scopes.split(", ")), re.findall(r"`([^`]+)`", patterns)) for role, scopes, patterns in rows}
    assert listed == {role: (SCOPES[role], PERMISSIONS[role].split()) for role in PERMISSIONS}


async def test_the_page_s_commands_do_what_it_says(sandbox: Sandbox, tmp_path: Path) -> None:
    apps = Apps(sandbox)
    await apps.start("org")
    structure = apps.stub(org_pb2_grpc.StructureServiceStub, "org")
    request = org_pb2.CreateGroupRequest(request_id="create-page", code="page-group", name="Page")
    made = await apps.call(structure.CreateGroup, request, internal("suite"))
    parts, app = Parts.of(apps.settings), App()
    mount(app, parts)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        tools = tmp_path / "bin"
        tools.mkdir()
        key_id, secret = made.system_credential.key_id, made.secret
        sign = SIGN.format(python=sys.executable, root=str(ROOT), key_id=key_id, secret=secret)
        for name, text in (("huitong", sign), ("curl", CURL.format(python=sys.executable))):
            (tools / name).write_text(text)
            (tools / name).chmod(0o755)
        environment = {
            **os.environ,
            "PATH": f"{tools}:{os.environ['PATH']}",
            "URL": f"http://127.0.0.1:{port}",
            "GROUP": "page-group",
        }
        shell = await asyncio.create_subprocess_exec(
            "bash", "-euo", "pipefail", "-c", "\n".join(BLOCKS),
            cwd=tmp_path, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        output = (await shell.communicate())[0].decode()
        assert shell.returncode == 0, output
    finally:
        server.should_exit = True
        await serving
        await parts.upstream.close()
        await parts.gate.close()
        await apps.stop()
    # What the page says that comes back does, in this order.
    rest = output
    for promise in re.findall(r"^# (.+)$", "\n".join(BLOCKS), re.MULTILINE):
        assert promise in rest, f"{promise} is not in what is left of:\n{output}"
        rest = rest.partition(promise)[2]
