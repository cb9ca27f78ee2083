"""A contract made for the gateway's tests: compiled at run time, so that nothing of it ships."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpc_tools import protoc

import huitong.common.v1.access_pb2  # the options must be known before they are read
import huitong.common.v1.types_pb2  # noqa: F401
from tools.protos import include_paths, write_validate_descriptors

SOURCE = """
syntax = "proto3";
// A small shop.
package huitong.scratch.v1;
import "buf/validate/validate.proto";
import "google/api/annotations.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
import "huitong/common/v1/access.proto";
import "huitong/common/v1/types.proto";

// Sales and what the gateway has to be able to carry.
service ScratchService {
  // Records one sale.
  // Errors: STORE_UNKNOWN, RECEIPT_CHANGED.
  rpc RecordSale(RecordSaleRequest) returns (RecordSaleResponse) {
    option (google.api.http) = {post: "/v1/scratch/sales" body: "*"};
    option (huitong.common.v1.access) = {
      audiences: [AUDIENCE_TERMINAL, AUDIENCE_SYSTEM] permission: "scratch.sales.record"
      bindings: {audience: AUDIENCE_TERMINAL field: "store_id"}
    };
  }
  // Records many sales.
  rpc RecordSales(RecordSalesRequest) returns (RecordSalesResponse) {
    option (google.api.http) = {post: "/v1/scratch/sales:batch" body: "*"};
    option (huitong.common.v1.access) = {
      audiences: [AUDIENCE_TERMINAL, AUDIENCE_SYSTEM] permission: "scratch.sales.record"
      bindings: {audience: AUDIENCE_TERMINAL field: "sales.store_id"}
    };
    option (huitong.common.v1.door) = {
      ndjson_field: "sales" ndjson_result_field: "results" max_body_bytes: 16777216
    };
  }
  // A member's balance.
  rpc GetBalance(GetBalanceRequest) returns (GetBalanceResponse) {
    option (google.api.http) = {
      get: "/v1/scratch/members/{member_id}/balance"
      additional_bindings {get: "/v1/scratch/balance"}
    };
    option (huitong.common.v1.access) = {
      audiences: [AUDIENCE_MEMBER, AUDIENCE_SYSTEM] permission: "scratch.balance.get"
      bindings: {audience: AUDIENCE_MEMBER field: "member_id"}
    };
  }
  // Finds sales.
  rpc ListSales(ListSalesRequest) returns (ListSalesResponse) {
    option (google.api.http) = {get: "/v1/scratch/sales"};
    option (huitong.common.v1.access) = {audiences: [AUDIENCE_SYSTEM] permission: "scratch.sales.list"};
  }
  // Changes one thing.
  rpc UpdateKinds(UpdateKindsRequest) returns (Kinds) {
    option (google.api.http) = {put: "/v1/scratch/kinds/{name}" body: "kinds"};
    option (huitong.common.v1.access) = {audiences: [AUDIENCE_SYSTEM] permission: "scratch.kinds.update"};
  }
  // Cancels one sale.
  rpc CancelSale(CancelSaleRequest) returns (RecordSaleResponse) {
    option (google.api.http) = {post: "/v1/scratch/sales/{sale_id}:cancel" body: "*"};
    option (huitong.common.v1.access) = {
      audiences: [AUDIENCE_VENDOR, AUDIENCE_SYSTEM] permission: "scratch.sales.cancel"
    };
    option (huitong.common.v1.door) = {calls_per_minute: 3};
  }
  // Gives something away.
  rpc GiveAway(GiveAwayRequest) returns (RecordSaleResponse) {
    option (google.api.http) = {post: "/v1/scratch/members/{member_id}/gifts" body: "*"};
    option (huitong.common.v1.access) = {
      audiences: [AUDIENCE_MEMBER, AUDIENCE_SYSTEM] permission: "scratch.gifts.give" proof: PROOF_GIFTING
      bindings: {audience: AUDIENCE_MEMBER field: "member_id"}
    };
  }
  // Anyone may look in.
  rpc Login(LoginRequest) returns (LoginResponse) {
    option (google.api.http) = {post: "/v1/scratch/login" body: "*"};
    option (huitong.common.v1.access) = {audiences: AUDIENCE_PUBLIC permission: "scratch.login"};
  }
  // For the suite only.
  rpc Inside(LoginRequest) returns (LoginResponse) {
    option (google.api.http) = {post: "/v1/scratch/inside" body: "*"};
    option (huitong.common.v1.access) = {audiences: AUDIENCE_INTERNAL permission: "scratch.inside"};
  }
}

message GiveAwayRequest {
  string request_id = 1 [(buf.validate.field).required = true, (buf.validate.field).string.max_len = 64];
  string member_id = 2;
  int64 points = 3;
}

enum Channel {
  CHANNEL_UNSPECIFIED = 0;
  // At the till.
  CHANNEL_STORE = 1;
  CHANNEL_ONLINE = 2;
}

message Line {
  string sku = 1 [(buf.validate.field).string.max_len = 64];
  string category = 2;
  int64 quantity = 3;
  int64 amount_minor = 4 [(buf.validate.field).int64.gte = 0];
  int64 discount_minor = 5;
}

message RecordSaleRequest {
  // Chosen by the caller; the same request sent again carries the same one.
  string request_id = 1 [(buf.validate.field).required = true, (buf.validate.field).string.max_len = 64];
  string store_id = 2;
  string receipt_no = 3 [(buf.validate.field).string.min_len = 1];
  google.protobuf.Timestamp sale_time = 4;
  Channel channel = 5;
  huitong.common.v1.Money paid = 6;
  repeated Line lines = 7 [(buf.validate.field).repeated.max_items = 500];
  string member_code = 8;
}

message RecordSaleResponse {
  string sale_id = 1;
  int64 points = 2;
  int64 balance_points = 3;
  string note = 4;
}

message RecordSalesRequest {
  repeated RecordSaleRequest sales = 1 [(buf.validate.field).repeated.max_items = 1000];
  string device = 2;
}

message SaleResult {
  RecordSaleResponse sale = 1;
  huitong.common.v1.Problem problem = 2;
}

message RecordSalesResponse { repeated SaleResult results = 1; }
message GetBalanceRequest { string member_id = 1; }
message GetBalanceResponse { string member_id = 1; int64 points = 2; string caller = 3; }

message Page { int32 size = 1; string token = 2; }

message ListSalesRequest {
  repeated string store_ids = 1;
  Page page = 2;
  bool open = 3;
  Channel channel = 4;
  google.protobuf.Timestamp since = 5;
  double at_least = 6;
}

message ListSalesResponse { string seen = 1; }
message CancelSaleRequest { string sale_id = 1; string request_id = 2; string park_id = 3; }
message LoginRequest { string phone = 1; string group_id = 2; }
message LoginResponse { string token = 1; }

message UpdateKindsRequest {
  string name = 1;
  Kinds kinds = 2;
  bool dry_run = 3;
}

// One field of every kind.
message Kinds {
  int32 i32 = 1;
  uint32 u32 = 2;
  int64 i64 = 3;
  uint64 u64 = 4;
  sint64 s64 = 5;
  fixed32 x32 = 6;
  double d = 7;
  float f = 8;
  bool b = 9;
  string s = 10;
  bytes raw = 11;
  Channel e = 12;
  optional int64 maybe = 13;
  optional string maybe_s = 14;
  google.protobuf.Timestamp t = 15;
  google.protobuf.Duration dur = 16;
  google.protobuf.Struct any = 17;
  google.protobuf.StringValue ws = 18;
  google.protobuf.Int64Value wi = 19;
  repeated int64 is = 20;
  repeated string ss = 21;
  repeated Channel es = 22;
  repeated google.protobuf.Timestamp ts = 23;
  repeated Line lines = 24;
  map<string, string> labels = 25;
  map<int32, Line> line_by_no = 26;
  map<bool, Channel> by_flag = 27;
  oneof choice {
    string left = 28;
    Line right = 29;
  }
  Kinds self = 30;
  string from = 31;
}
"""
FILE = "huitong/scratch/v1/scratch.proto"


@cache
def files() -> descriptor_pb2.FileDescriptorSet:
    """The scratch contract with its comments."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / FILE
        source.parent.mkdir(parents=True)
        source.write_text(SOURCE)
        validate = write_validate_descriptors(Path(folder) / "validate.binpb")
        out = Path(folder) / "out.binpb"
        arguments = [f"--descriptor_set_in={validate}", *include_paths(), f"-I{folder}", "--include_source_info"]
        assert protoc.main(["protoc", *arguments, f"--descriptor_set_out={out}", FILE]) == 0
        return descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())


@cache
def pool() -> descriptor_pool.DescriptorPool:
    """The default pool with the scratch file in it."""
    import google.api.annotations_pb2  # noqa: F401
    from google.protobuf import duration_pb2, struct_pb2, timestamp_pb2, wrappers_pb2  # noqa: F401

    default = descriptor_pool.Default()
    for file in files().file:
        plain = descriptor_pb2.FileDescriptorProto.FromString(file.SerializeToString())
        plain.ClearField("source_code_info")
        default.AddSerializedFile(plain.SerializeToString())
    return default


def message(name: str) -> Any:
    """A message class of the scratch contract."""
    return message_factory.GetMessageClass(pool().FindMessageTypeByName(f"huitong.scratch.v1.{name}"))


def sale(**changes: Any) -> dict[str, Any]:
    """A good sale of ten lines as its JSON object."""
    lines = [
        {
            "sku": f"sku-{no}",
            "category": "GROCERY",
            "quantity": 1 + no % 3,
            "amount_minor": 1000 + no,
            "discount_minor": 0,
        }
        for no in range(10)
    ]
    body: dict[str, Any] = {
        "request_id": "r-000001",
        "store_id": "sto_" + "1" * 32,
        "receipt_no": "R-1",
        "sale_time": "2026-01-31T09:30:00+08:00",
        "channel": "CHANNEL_STORE",
        "paid": {"amount_minor": sum(line["amount_minor"] for line in lines), "currency_code": "CNY"},
        "lines": lines,
        "member_code": "123456",
    }
    return body | changes
