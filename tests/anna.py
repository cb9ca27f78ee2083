"""Anna, who has something in every service, and all services that she has it in."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import ids
from chassis.errors import AppError
from chassis.rpc import internal_caller
from huitong.common.v1 import types_pb2
from huitong.mall.v1 import mall_pb2, mall_pb2_grpc
from huitong.member.v1 import (
    attributes_pb2,
    attributes_pb2_grpc,
    consents_pb2,
    consents_pb2_grpc,
    imports_pb2,
    imports_pb2_grpc,
    member_pb2,
    member_pb2_grpc,
    merging_pb2_grpc,
    privacy_pb2,
    privacy_pb2_grpc,
    profile_pb2,
    profile_pb2_grpc,
)
from huitong.org.v1 import org_pb2, org_pb2_grpc
from huitong.parking.v1 import parking_pb2, parking_pb2_grpc
from huitong.points.v1 import points_pb2, points_pb2_grpc
from huitong.settlement.v1 import settlement_pb2, settlement_pb2_grpc
from services.points.rule_sets.operations import publish_rule_set
from tests.apps import GROUP, Apps, internal, member, public, system, vendor

SERVICES = ("org", "member", "points", "mall", "parking", "settlement")
CSV = """kind,code,name,parent_code,unit_kind,time_zone,currency_code,category,floor
unit,MALL,Mall,,mall,Asia/Shanghai,CNY,,
unit,PARK,Car park,,parking,Asia/Shanghai,CNY,,
merchant,M1,Grocer,MALL,,,,supermarket,
merchant,P1,Parking,PARK,,,,parking,
store,S1,Grocer 1,M1,,,,,L1
"""
PHONE, NAME, EMAIL, PLATE, EVIDENCE = "+8613800007531", "林安娜", "anna.lin@example.com", "沪A75316", "form 7531-A"
ALLERGY = "peanuts, badly"
OTHER_PHONE, OTHER_NAME, OTHER_PLATE, OTHER_EVIDENCE = "+8613800008642", "林小安", "沪B86427", "form 8642-B"
WAITING, POSTPONED = privacy_pb2.ERASURE_STATE_WAITING, privacy_pb2.ERASURE_STATE_POSTPONED
RUNNING, DONE = privacy_pb2.ERASURE_STATE_RUNNING, privacy_pb2.ERASURE_STATE_DONE
NOW = datetime.now(UTC).replace(microsecond=0)


def stamp(time: datetime) -> Timestamp:
    value = Timestamp()
    value.FromDatetime(time)
    return value


def day(time: datetime) -> types_pb2.BusinessDate:
    return types_pb2.BusinessDate(year=time.year, month=time.month, day=time.day)


def rid() -> str:
    return ids.new().hex


class World:
    """All services, and Anna, who has something in each."""

    def __init__(self, apps: Apps) -> None:
        self.apps = apps
        self.connect()

    def connect(self) -> None:
        """Stubs; again after a restart."""
        stub = self.apps.stub
        self.org = stub(org_pb2_grpc.StructureServiceStub, "org")
        self.members = stub(member_pb2_grpc.MemberServiceStub, "member")
        self.sessions = stub(member_pb2_grpc.SessionServiceStub, "member")
        self.profiles = stub(profile_pb2_grpc.ProfileServiceStub, "member")
        self.consents = stub(consents_pb2_grpc.ConsentServiceStub, "member")
        self.merges = stub(merging_pb2_grpc.MemberMergeServiceStub, "member")
        self.privacy = stub(privacy_pb2_grpc.PrivacyServiceStub, "member")
        self.sales = stub(points_pb2_grpc.SalesServiceStub, "points")
        self.wallets = stub(points_pb2_grpc.WalletServiceStub, "points")
        self.parking = stub(parking_pb2_grpc.ParkingServiceStub, "parking")
        self.vehicles = stub(parking_pb2_grpc.VehicleServiceStub, "parking")

    async def call(self, method: Any, request: Any, caller: Any = None) -> Any:
        return await self.apps.call(method, request, caller or system(), timeout_s=20)

    async def refused(self, method: Any, request: Any, caller: Any = None) -> str:
        with pytest.raises(AppError) as caught:
            await self.call(method, request, caller)
        return caught.value.reason

    async def start(self) -> World:
        self.running = await self.apps.start(*SERVICES)
        create = org_pb2.CreateGroupRequest(request_id="create-group", code="test-group", name="Test")
        await self.call(self.org.CreateGroup, create, internal("suite"))
        load = org_pb2.ImportStructureRequest(request_id="import-csv", csv=CSV)
        assert not (await self.call(self.org.ImportStructure, load)).errors
        self.merchant = {code: ids.to_edge("mch", ids.derive(GROUP, "merchant", code)) for code in ("M1", "P1")}
        self.car_park = ids.to_edge("unt", ids.derive(GROUP, "unit", "PARK"))
        self.mall = ids.to_edge("unt", ids.derive(GROUP, "unit", "MALL"))
        self.store = ids.to_edge("sto", ids.derive(GROUP, "store", "S1"))
        for effective, pending_days in ((NOW - timedelta(days=900), 0), (NOW - timedelta(days=2), 30)):
            rule_set = points_pb2.RuleSet(
                effective_date=day(effective),
                base_points=1,
                base_step_minor=100,
                rules=[points_pb2.EarningRule(rule_id="base", kind=points_pb2.RULE_KIND_BASE, name="Base")],
                expiry_months=24,
                pending_days=pending_days,
                offset=points_pb2.OffsetRule(offset_points=100, offset_minor=300, max_share_bps=1500),
            )
            # As drafts that a second person has approved are published.
            async with self.running["points"].db.transaction(internal_caller("points", GROUP)) as tx:
                await publish_rule_set(tx, rule_set)
        contracts = self.apps.stub(settlement_pb2_grpc.ContractServiceStub, "settlement")
        for code in self.merchant:
            contract = settlement_pb2.Contract(
                merchant_id=self.merchant[code],
                effective_date=day(NOW - timedelta(days=900)),
                issue_price_centi=310,
                redeem_price_centi=270,
            )
            request = settlement_pb2.SetContractRequest(request_id=f"contract-{code}", contract=contract)
            await self.call(contracts.SetContract, request)
        tariff = parking_pb2.SetTariffRequest(
            request_id="tariff-1",
            car_park_id=self.car_park,
            merchant_id=self.merchant["P1"],
            tariff=parking_pb2.Tariff(free_minutes=30, hour_minor=800, day_cap_minor=6000, exit_grace_minutes=15),
            effective_time=stamp(NOW - timedelta(days=900)),
        )
        await self.call(self.parking.SetTariff, tariff)
        await self.park(NOW - timedelta(hours=30), 20)  # while the plate is nobody's
        await self.join()
        return self

    async def join(self) -> None:
        """By a login, by a till and by an import: one member."""
        login = {"group_code": "test-group", "phone": PHONE}
        await self.call(self.sessions.StartLogin, member_pb2.StartLoginRequest(**login), public())
        simulator = self.apps.stub(member_pb2_grpc.SimulatorServiceStub, "member")
        sent = await self.call(simulator.ListSentMessages, member_pb2.ListSentMessagesRequest(phone=PHONE))
        complete = member_pb2.CompleteLoginRequest(**login, one_time_code=sent.messages[0].one_time_code)
        opened = await self.call(self.sessions.CompleteLogin, complete, public())
        self.anna, self.card_no = opened.member.member_id, opened.member.card_no
        self.refresh_token = opened.tokens.refresh_token
        assert not (await self.join_by_phone("join-at-the-till")).is_new
        imports = self.apps.stub(imports_pb2_grpc.MemberImportServiceStub, "member")
        create = imports_pb2.CreateMemberImportRequest(
            request_id="hotel-guests",
            business_unit_id=self.mall,
            scheme=imports_pb2.NUMBER_SCHEME_HOTEL_GUEST,
            name="guests.csv",
        )
        made = (await self.call(imports.CreateMemberImport, create)).member_import
        row = imports_pb2.MemberRow(request_id="guest-0001", number="G-7531", phone=PHONE)
        rows = imports_pb2.ImportMembersRequest(request_id=rid(), import_id=made.import_id, rows=[row])
        (imported,) = (await self.call(imports.ImportMembers, rows)).results
        assert imported.member_id == self.anna
        await self.apps.drain()

    async def join_by_phone(self, request_id: str) -> Any:
        return await self.call(
            self.members.JoinMember, member_pb2.JoinMemberRequest(request_id=request_id, phone=PHONE)
        )

    async def sell(self, receipt_no: str, yuan: int, time: datetime) -> Any:
        request = points_pb2.RecordSaleRequest(
            request_id=f"receipt-{receipt_no}",
            store_id=self.store,
            receipt_no=receipt_no,
            sale_time=stamp(time),
            member_id=self.anna,
            total=types_pb2.Money(amount_minor=yuan * 100, currency_code="CNY"),
            lines=[points_pb2.SaleLine(line_no=1, amount_minor=yuan * 100)],
        )
        return await self.call(self.sales.RecordSale, request)

    async def enter(self, entry: datetime) -> None:
        request = parking_pb2.RecordEntryRequest(
            request_id=rid(), car_park_id=self.car_park, plate_no=PLATE, entry_time=stamp(entry)
        )
        await self.call(self.parking.RecordEntry, request, vendor(self.car_park))

    async def leave(self, time: datetime) -> None:
        request = parking_pb2.RecordExitRequest(
            request_id=rid(), car_park_id=self.car_park, plate_no=PLATE, exit_time=stamp(time), gate_paid_minor=0
        )
        assert (await self.call(self.parking.RecordExit, request, vendor(self.car_park))).may_leave

    async def park(self, entry: datetime, minutes: int, *, pays: bool = False) -> None:
        await self.enter(entry)
        leaving = entry + timedelta(minutes=minutes)
        if pays:
            request = parking_pb2.PayFeeRequest(
                request_id=rid(),
                member_id=self.anna,
                car_park_id=self.car_park,
                plate_no=PLATE,
                pay_time=stamp(leaving),
                use_points=True,
            )
            await self.call(self.parking.PayFee, request, member(self.anna))
        await self.leave(leaving)

    async def live(self) -> None:
        """Something in every service."""
        text = consents_pb2.ConsentText(
            purpose=consents_pb2.CONSENT_PURPOSE_MARKETING_SMS, version="2026-11", url="https://example.com/sms"
        )
        await self.call(self.consents.SaveConsentText, consents_pb2.SaveConsentTextRequest(request_id=rid(), text=text))
        await self.call(self.profiles.UpdateProfile, self.profile("full-profile"), member(self.anna))
        await self.call(self.consents.SetConsent, self.consent("agree-0001"), member(self.anna))
        await self.sell("R-1", 1000, NOW - timedelta(days=5))
        await self.sell("R-2", 200, NOW - timedelta(hours=26))
        bind = parking_pb2.BindPlateRequest(request_id="bind-anna", member_id=self.anna, plate_no=PLATE)
        await self.call(self.vehicles.BindPlate, bind, member(self.anna))
        await self.park(NOW - timedelta(hours=20), 100, pays=True)
        catalogue, orders, coupons = (
            getattr(mall_pb2_grpc, f"{name}ServiceStub")(self.apps.channel("mall"))
            for name in ("Catalogue", "Order", "Coupon")
        )
        create = mall_pb2.CreateItemRequest(
            request_id=rid(), code="TEA", name="Tea", merchant_id=self.merchant["M1"], price_points=300, stock=5
        )
        item = (await self.call(catalogue.CreateItem, create)).item
        order = mall_pb2.PlaceOrderRequest(request_id=rid(), member_id=self.anna, item_id=item.item_id)
        assert (await self.call(orders.PlaceOrder, order, member(self.anna))).order.voucher.code
        template = mall_pb2.CreateTemplateRequest(
            request_id=rid(),
            code="TEN",
            name="Ten off",
            amount_off_minor=1000,
            valid_from_time=Timestamp(seconds=1_500_000_000),
            valid_until_time=Timestamp(seconds=4_000_000_000),
        )
        made = (await self.call(coupons.CreateTemplate, template)).template
        issue = mall_pb2.IssueCouponRequest(request_id=rid(), template_id=made.template_id, member_id=self.anna)
        await self.call(coupons.IssueCoupon, issue)
        await self.apps.drain()

    def profile(self, request_id: str, birthday: str = "1990-05-04", *fields: str) -> profile_pb2.UpdateProfileRequest:
        year, month, number = map(int, birthday.split("-"))
        told = profile_pb2.Profile(
            name=NAME,
            gender=profile_pb2.GENDER_FEMALE,
            birthday=types_pb2.BusinessDate(year=year, month=month, day=number),
            email=EMAIL,
        )
        mask = FieldMask(paths=list(fields) or ["name", "gender", "birthday", "email"])
        return profile_pb2.UpdateProfileRequest(
            request_id=request_id, member_id=self.anna, profile=told, update_mask=mask
        )

    def consent(self, request_id: str, *, is_given: bool = True, version: str = "2026-11") -> Any:
        return consents_pb2.SetConsentRequest(
            request_id=request_id,
            member_id=self.anna,
            purpose=consents_pb2.CONSENT_PURPOSE_MARKETING_SMS,
            version=version,
            is_given=is_given,
            channel=consents_pb2.CONSENT_CHANNEL_STORE,
            evidence=EVIDENCE,
        )

    async def export(self) -> dict[str, set[str]]:
        """Sections of each service, read in pages of two, as Anna."""
        found: dict[str, set[str]] = {}
        token = ""
        while True:
            request = privacy_pb2.ExportMemberDataRequest(member_id=self.anna, page_size=2, page_token=token)
            page = await self.call(self.privacy.ExportMemberData, request, member(self.anna))
            for record in page.records:
                assert isinstance(json.loads(record.json), dict)
                found.setdefault(record.service, set()).add(record.section)
            token = page.next_page_token
            if not token:
                return found

    async def records(self, member_id: str) -> list[tuple[str, str, str, str]]:
        """Service, section, whose, and the record itself."""
        found, token = [], ""
        while True:
            request = privacy_pb2.ExportMemberDataRequest(member_id=member_id, page_size=5, page_token=token)
            page = await self.call(self.privacy.ExportMemberData, request)
            found += [(one.service, one.section, one.member_id, one.json) for one in page.records]
            token = page.next_page_token
            if not token:
                return found

    async def ask(self, caller: Any = None) -> Any:
        request = privacy_pb2.RequestErasureRequest(request_id=rid(), member_id=self.anna)
        return (await self.call(self.privacy.RequestErasure, request, caller)).erasure

    async def erasure(self, state: int, *reasons: str) -> Any:
        """The erasure, once it is in that state for those reasons. What waits for its next try is hurried."""
        seen: Any = None
        clock = asyncio.get_running_loop().time
        give_up = clock() + 45
        while True:
            assert clock() < give_up, f"is still {seen}"
            request = privacy_pb2.GetErasureRequest(member_id=self.anna)
            seen = (await self.call(self.privacy.GetErasure, request)).erasure
            if seen.state == state and sorted(each.problem.reason for each in seen.blockers) == sorted(reasons):
                return seen
            await self.running["member"].db.pool.execute("UPDATE erasure SET next_attempt_time = now()")
            for app in self.apps.running.values():
                for job in app.jobs:
                    if job.name == "erasures" or "merges" in job.name:
                        job.wake()
            await asyncio.sleep(0.05)

    async def note(self) -> None:
        """What the group notes of her."""
        stub = self.apps.stub(attributes_pb2_grpc.AttributeServiceStub, "member")
        definition = attributes_pb2.AttributeDefinition(
            key="allergy", type=attributes_pb2.ATTRIBUTE_TYPE_TEXT, label="Allergy"
        )
        define = attributes_pb2.DefineAttributeRequest(request_id=rid(), definition=definition)
        await self.call(stub.DefineAttribute, define)
        value = attributes_pb2.AttributeValue(text_value=ALLERGY)
        item = attributes_pb2.AttributeItem(member_id=self.anna, key="allergy", value=value)
        changed = await self.call(
            stub.SetMemberAttributes, attributes_pb2.SetMemberAttributesRequest(request_id=rid(), items=[item])
        )
        assert changed.results[0].is_changed
        tag = attributes_pb2.TagItem(member_id=self.anna, tag="VIP")
        await self.call(stub.AddTags, attributes_pb2.AddTagsRequest(request_id=rid(), items=[tag]))

    async def find(self, needles: Iterable[bytes], services: Iterable[str] = SERVICES) -> set[str]:
        """Tables of all services that hold one of these, as it is, in hex, or in base64."""
        forms = [form for raw in needles for form in (raw, raw.hex().encode(), base64.b64encode(raw).rstrip(b"=")[:-1])]
        found = set()
        for service in services:
            pool = self.running[service].db.pool
            for (table,) in await pool.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
                for row in await pool.fetch(f'SELECT * FROM "{table}"'):
                    content = b"\n".join(v if isinstance(v, bytes) else str(v).encode() for v in row.values())
                    if any(form in content for form in forms):
                        found.add(f"{service}.{table}")
        return found
