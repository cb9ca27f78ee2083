"""Terms of many merchants in one call, in real services."""

from __future__ import annotations

from typing import Any

import pytest

from chassis import ids
from huitong.common.v1 import types_pb2
from huitong.settlement.v1 import settlement_pb2 as pb
from services.settlement.copies import Copies
from tests.apps import Apps
from tests.integration.settlement.test_settlement_of_all_services import Suite

pytestmark = pytest.mark.timeout(120)


async def test_a_batch_of_contracts_asks_org_once_for_all_merchants_that_are_not_there(
    apps: Apps, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = await Suite(apps).start()
    asked: list[str] = []
    list_of = Copies._list

    async def noted(copies: Copies, method: Any, request: Any) -> list[Any]:
        asked.append(type(request).__name__)
        return await list_of(copies, method, request)

    monkeypatch.setattr(Copies, "_list", noted)
    terms = {"issue_price_centi": 310, "redeem_price_centi": 270}
    merchants = [*(ids.to_edge("mch", ids.new()) for _ in range(20)), suite.merchant["M1"]]
    lines = [
        pb.SetContractRequest(
            request_id=f"line-of-{number:03}",
            contract=pb.Contract(
                merchant_id=merchant_id,
                effective_date=types_pb2.BusinessDate(year=2017, month=3, day=1),
                **terms,  # type: ignore[arg-type]
            ),
        )
        for number, merchant_id in enumerate(merchants)
    ]
    answer = await suite.call(suite.contracts.SetContracts, pb.SetContractsRequest(contracts=lines))
    told = [each.problem.reason for each in answer.results]
    assert told == ["MERCHANT_UNKNOWN"] * 20 + [""]
    assert asked == ["ListBusinessUnitsRequest", "ListMerchantsRequest"]
