"""Servers for tests: started once per run by the first test that needs them, shared by all xdist workers.

Fixtures: `local_servers` (the shared servers), `sandbox` (a test module's own databases, stream and Valkey database),
`own_servers` (servers of a single test, to be killed).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler.loadfile import LoadFileScheduling

from services.org.operators import passwords
from suite.errors import SuiteError
from suite.local import LocalServers, erase
from tests.apps import Apps
from tests.support import RUN, Sandbox

# Files whose tests share a session's fixture: one worker starts it.
SHARING = {
    "tests/e2e/test_bad_input.py": "a suite after its first day",
    "tests/e2e/test_tour.py": "a suite after its first day",
    "tests/integration/schemas/test_migrated_schemas.py": "migrated databases",
    "tests/integration/schemas/test_roles.py": "migrated databases",
    "tests/whole/test_openapi.py": "a whole suite",
    "tests/whole/test_other_peoples_things.py": "a whole suite",
    "tests/whole/test_random_bytes.py": "a whole suite",
}
# How long an example takes says how busy the machine is, and nothing of the product.
settings.register_profile("huitong", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("huitong")
LONGEST_FIRST = ("chaos", "e2e", "whole", "integration")
_owner: int | None = None


def _folder_prefix() -> str:
    return f"huitong-test-{os.getuid()}-"


def _sweep() -> None:
    """Stop and remove what runs that were killed have left."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_folder_prefix()}*"):
        with contextlib.suppress(OSError, SuiteError):
            descriptor = os.open(folder / "owner.lock", os.O_RDWR)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                erase(folder / "home")
                shutil.rmtree(folder)
            finally:
                os.close(descriptor)


def pytest_configure(config: pytest.Config) -> None:
    """The first process of a run owns its folder; the workers find it in their environment."""
    global _owner
    if hasattr(config, "workerinput"):
        return
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=_folder_prefix()))
    _owner = os.open(folder / "owner.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(_owner, fcntl.LOCK_EX)
    os.environ[RUN] = str(folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends after the last worker, crashed ones included: nothing is left behind."""
    if _owner is not None:
        folder = Path(os.environ[RUN])
        erase(folder / "home")
        shutil.rmtree(folder, ignore_errors=True)


class _Scheduling(LoadFileScheduling):
    """A file's tests run in one worker, and so do those of files that share something that takes long to start."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return SHARING.get(file, file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """Ours for --dist loadfile, what was asked for otherwise."""
    if config.getoption("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False  # in our order, not by how many tests a file has
    return _Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest first: no worker is left alone with one of them in the end."""
    folders = [Path(__file__).parent / name for name in LONGEST_FIRST]
    items.sort(key=lambda item: next((n for n, each in enumerate(folders) if each in item.path.parents), len(folders)))


@contextlib.contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Services in the tests' process hash passwords quickly: each hash of the real kind takes a fifth of a second.

    Processes of their own (tests/e2e) hash as always, and so do the tests that ask for `real_passwords`.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "STANDARD", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        yield


@pytest.fixture
def real_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parameters of real services."""
    monkeypatch.setattr(passwords, "STANDARD", PasswordHasher())


@pytest.fixture(scope="session")
def local_servers() -> LocalServers:
    """The run's PostgreSQL, NATS and Valkey. Shared: never stop them; see `own_servers`."""
    folder = Path(os.environ[RUN])
    with _exclusive(folder / "start.lock"):
        servers = LocalServers(folder / "home", usual_ports=False, durable=False, stream="*", environment={})
        servers.start()
        servers.detach()
    return servers


@contextlib.contextmanager
def open_sandbox(servers: LocalServers) -> Iterator[Sandbox]:
    """Fresh databases (created on demand), stream and Valkey database; removed at the end."""
    counter = Path(os.environ[RUN]) / "sandboxes"
    with _exclusive(counter.with_suffix(".lock")):
        number = int(counter.read_text()) + 1 if counter.exists() else 1
        counter.write_text(str(number))
    corner = Sandbox(servers, valkey_database=1 + number % 255)
    yield corner
    corner.clear_from_anywhere()


@pytest.fixture(scope="module")
def sandbox(local_servers: LocalServers) -> Iterator[Sandbox]:
    """One test module's."""
    with open_sandbox(local_servers) as corner:
        yield corner


@pytest.fixture(scope="package")
def package_sandbox(local_servers: LocalServers) -> Iterator[Sandbox]:
    """One package's, for what several modules share; see `SHARING`."""
    with open_sandbox(local_servers) as corner:
        yield corner


@pytest.fixture
def own_servers(tmp_path: Path) -> Iterator[LocalServers]:
    """Servers of this test alone, with fsync on, on free ports: it may kill and restart them."""
    with LocalServers(tmp_path / "own", usual_ports=False, stream="*", environment={}) as servers:
        yield servers
    erase(tmp_path / "own")


@pytest.fixture
async def apps(sandbox: Sandbox) -> AsyncIterator[Apps]:
    """Starts services in this process: `await apps.start("org", "member")`. They stop when the test ends."""
    running = Apps(sandbox)
    yield running
    await running.stop()
