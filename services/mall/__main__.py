"""Wiring of the mall."""

from __future__ import annotations

from chassis.crypto import Vault
from chassis.run import App, run_service
from huitong.common.v1 import personal_data_pb2_grpc
from huitong.mall.v1 import mall_pb2_grpc as grpc_
from services.mall import consumers, jobs
from services.mall.catalogue.api import CatalogueServicer
from services.mall.checkout.api import CheckoutServicer
from services.mall.checkout.steps import checkout_saga
from services.mall.codes import Codes
from services.mall.copies import Copies
from services.mall.coupons.api import CouponServicer
from services.mall.merging.jobs import follower
from services.mall.neighbours import Neighbours
from services.mall.orders.api import OrderServicer
from services.mall.orders.steps import order_saga
from services.mall.privacy.operations import personal_data
from services.mall.reports import MallReportServicer


def build(app: App) -> None:
    """What the mall serves, consumes and does regularly."""
    codes = Codes(Vault(app.settings.data_key.get_secret_value()))
    neighbours = Neighbours(app)
    copies = Copies(app.db, neighbours)
    orders = order_saga(app.db, neighbours, codes)
    checkouts = checkout_saga(app.db, neighbours)

    app.serve(grpc_.add_CatalogueServiceServicer_to_server, CatalogueServicer(app.db, copies))
    app.serve(grpc_.add_OrderServiceServicer_to_server, OrderServicer(app.db, copies, orders))
    app.serve(grpc_.add_CouponServiceServicer_to_server, CouponServicer(app.db, copies, codes))
    app.serve(grpc_.add_CheckoutServiceServicer_to_server, CheckoutServicer(app.db, copies, neighbours, checkouts))
    app.serve(grpc_.add_MallReportServiceServicer_to_server, MallReportServicer(app.db))
    app.serve(personal_data_pb2_grpc.add_PersonalDataServiceServicer_to_server, personal_data(app.db))

    app.consume("org", consumers.ORG)
    app.consume("member", consumers.MEMBER)
    app.job("mall-merges", follower(app.db), every_seconds=2)
    app.background("finish-sagas", jobs.finisher(orders, checkouts))


if __name__ == "__main__":
    run_service("mall")
