"""Pages of docs/ as tests: a shell runs their commands against services and a gateway of the test's own.

The machine needs neither curl nor openssl: stand-ins know the options that the pages use, and refuse any other. A real
openssl is taken when there is one; `openssl_program` says which.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn

from gateway.app import App, Parts, mount
from tests.apps import Apps

ROOT = Path(__file__).resolve().parents[1]
SHELL_SECONDS = 100

# `huitong sign POST path file --as system` with a key of the test's instead of the demo's, and `huitong id code`.
_HUITONG = """#!{python} -IS
import json
import os
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from gateway.auth.signing import sign_request
known = json.loads(os.environ["PAGE_KNOWN"])
if sys.argv[1] == "id":
    print(known[sys.argv[2]])
else:
    _, _, method, path, file, *_ = sys.argv
    headers = sign_request(
        key_id=known["key_id"], secret=known["secret"], method=method, path=path, body=Path(file).read_bytes()
    )
    print("Authorization: " + headers["Authorization"])
"""
_CURL = """#!{python} -IS
import argparse
import sys
import urllib.error
import urllib.request
from pathlib import Path
parser = argparse.ArgumentParser(allow_abbrev=False)
parser.add_argument("-s", action="store_true")
parser.add_argument("-H", action="append", default=[])
parser.add_argument("--data-binary")
parser.add_argument("url")
options = parser.parse_args()
body = options.data_binary
if body is not None:
    given = sys.stdin.buffer.read if body == "@-" else Path(body[1:]).read_bytes
    body = given() if body.startswith("@") else body.encode()
headers = dict(each.split(": ", 1) for each in options.H)
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    answer = opener.open(urllib.request.Request(options.url, data=body, headers=headers))
except urllib.error.HTTPError as refused:
    answer = refused
sys.stdout.buffer.write(answer.read())
"""
_OPENSSL = """#!{python} -IS
import argparse
import base64
import hashlib
import hmac
import secrets
import sys
from pathlib import Path
parser = argparse.ArgumentParser(allow_abbrev=False)
commands = parser.add_subparsers(dest="command", required=True)
rand = commands.add_parser("rand", allow_abbrev=False)
rand.add_argument("-hex", type=int, required=True)
coder = commands.add_parser("base64", allow_abbrev=False)
coder.add_argument("-d", action="store_true")
coder.add_argument("-A", action="store_true", required=True)
request = commands.add_parser("req", allow_abbrev=False)
for name in ("-keyout", "-out", "-newkey", "-days", "-subj"):
    request.add_argument(name, required=True)
request.add_argument("-x509", action="store_true", required=True)
request.add_argument("-nodes", action="store_true", required=True)
digest = commands.add_parser("dgst", allow_abbrev=False)
digest.add_argument("-sha256", action="store_true", required=True)
digest.add_argument("-hmac")
digest.add_argument("-mac", choices=["HMAC"])
digest.add_argument("-macopt")
digest.add_argument("-r", action="store_true")
digest.add_argument("-binary", action="store_true")
digest.add_argument("file", nargs="?")
options = parser.parse_args()
if options.command == "rand":
    print(secrets.token_hex(options.hex))
elif options.command == "req":
    # What looks like a certificate: nobody reads it here, its hash is all that counts.
    for file, kind in ((options.keyout, "PRIVATE KEY"), (options.out, "CERTIFICATE")):
        lines = base64.encodebytes(secrets.token_bytes(500)).decode()
        Path(file).write_text(f"-----BEGIN {kind}-----\\n{lines}-----END {kind}-----\\n")
elif options.command == "base64":
    data = sys.stdin.buffer.read()
    sys.stdout.buffer.write(base64.b64decode(data) if options.d else base64.b64encode(data))
else:
    data = Path(options.file).read_bytes() if options.file else sys.stdin.buffer.read()
    key = options.hmac.encode() if options.hmac is not None else None
    if options.mac:
        kind, _, digits = options.macopt.partition(":")
        assert kind == "hexkey"
        key = bytes.fromhex(digits)
    result = hashlib.sha256(data) if key is None else hmac.new(key, data, hashlib.sha256)
    if options.binary:
        sys.stdout.buffer.write(result.digest())
    else:
        assert options.r
        print(result.hexdigest(), "*" + (options.file or "stdin"))
"""


def shell_blocks(page: str) -> str:
    """What the page lets its reader type."""
    return "\n".join(re.findall(r"```sh\n(.*?)```", page, re.DOTALL))


def put_tools(folder: Path, *, with_huitong: bool = True) -> Path:
    """Write the stand-ins into a folder for PATH; `huitong` may be the real one, beside the test's own Python."""
    folder.mkdir(exist_ok=True)
    tools = {"curl": _CURL}
    if with_huitong:
        tools["huitong"] = _HUITONG
    else:
        (folder / "huitong").symlink_to(Path(sys.executable).parent / "huitong")
    if not shutil.which("openssl"):
        tools["openssl"] = _OPENSSL
    for name, text in tools.items():
        _write_tool(folder / name, text)
    return folder


def _write_tool(path: Path, text: str) -> None:
    path.write_text(text.replace("{python}", sys.executable).replace("{root!r}", repr(str(ROOT))))
    path.chmod(0o755)


def openssl_programs(folder: Path) -> list[str]:
    """The stand-in, and the real one when the machine has it: they must agree."""
    _write_tool(folder / "openssl-stand-in", _OPENSSL)
    real = shutil.which("openssl")
    return [str(folder / "openssl-stand-in"), *([real] if real else [])]


async def run_shell(
    commands: str,
    folder: Path,
    environment: Mapping[str, str],
    *,
    is_demo: bool = False,
    most_seconds: float = SHELL_SECONDS,
) -> str:
    """Everything that `commands` print, for the demo with the real `huitong`. Fails when one of them does."""
    tools = put_tools(folder / "bin", with_huitong=not is_demo)
    shell = await asyncio.create_subprocess_exec(
        "bash", "-euo", "pipefail", "-c", commands,
        cwd=folder, env={**os.environ, **environment, "PATH": f"{tools}:{os.environ['PATH']}"},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    reading = asyncio.create_task(shell.communicate())
    done, _ = await asyncio.wait([reading], timeout=most_seconds)
    if not done:
        # With all that it has started: one of the page's loops waits for what does not come.
        os.killpg(shell.pid, signal.SIGKILL)
    output = (await reading)[0].decode()
    assert shell.returncode == 0, output
    return output


def check_promises(commands: str, output: str) -> None:
    """What the page says that comes back (its comments at the start of a line) does, in this order."""
    rest = output
    for promise in re.findall(r"^# (.+)$", commands, re.MULTILINE):
        assert promise in rest, f"{promise} is not in what is left of:\n{output}"
        rest = rest.partition(promise)[2]


@asynccontextmanager
async def gateway_before(apps: Apps) -> AsyncIterator[str]:
    """The address of a gateway in front of services that run in this process."""
    parts, app = Parts.of(apps.settings), App()
    mount(app, parts)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started:
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
        await parts.upstream.close()
        await parts.gate.close()
