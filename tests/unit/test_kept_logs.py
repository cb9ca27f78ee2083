"""What the tests of the whole suite find in its logs."""

from __future__ import annotations

import asyncio
import logging

import pytest
import structlog

from tests.whole.logged import faults, kept_logs

log = structlog.get_logger("services.test")


def broken(text: str) -> None:
    try:
        raise RuntimeError(text)
    except RuntimeError as error:
        log.warning("given_up", exc_info=error)


FAULTS = [
    # what is unexpected, at any level
    lambda: log.error("saga_failed"),
    lambda: broken("password"),
    lambda: logging.getLogger("grpc._cython.cygrpc").error("Unexpected [%s] raised by servicer method", "KeyError"),
    lambda: asyncio.get_running_loop().call_exception_handler({"message": "Task exception was never retrieved"}),
    # statements and their values
    lambda: log.info("slow", statement="SELECT phone FROM member WHERE phone_index = $1"),
    lambda: log.debug("slow", error="[SQL: INSERT INTO member VALUES ($1)] [parameters: ('x',)]"),
    # secrets by their form, and those that are known
    lambda: log.info("request", authorization="Bearer eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJodWl0b25nIn0.x"),
    lambda: log.info("request", token="hts_" + "a" * 43),
    lambda: log.info("opened", url="postgresql://huitong:secret@127.0.0.1:5432"),
    lambda: log.info("key_made", secret="a secret of this run"),
]


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_should_not_be_logged_is_found(fault) -> None:
    with kept_logs() as lines:
        log.info("request", method="POST", route="/v1/sales", status=200)
        log.warning("valkey_gone", error="ConnectionError")
        fault()
    assert len(lines) == 3
    assert len(faults(lines, ["a secret of this run"])) == 1


def test_a_cancellation_that_a_service_s_end_cut_off_is_no_fault() -> None:
    lost = "Future exception was never retrieved\nfuture: <Future finished exception=ConnectionError('%s')>"
    with kept_logs() as lines:
        logging.getLogger("asyncio").error(lost, "unexpected connection_lost() call")
        logging.getLogger("asyncio").error(lost, "something else")
    assert len(lines) == 2 and len(faults(lines[:1])) == 0 and len(faults(lines[1:])) == 1


def test_a_stopped_keeper_keeps_nothing() -> None:
    with kept_logs() as lines:
        pass
    log.error("later")
    logging.getLogger().error("later")
    assert lines == []
