"""Generate `gen/` from `protos/`: messages, stubs and their types. `make protos` leaves no diff.

With `--release` it writes `protos/released.binpb` instead: the contract that later changes are compared with.

`buf/validate/validate.proto` is not shipped as a file by any package we use; the `protovalidate` wheel carries its
descriptor, so that one is handed to protoc as a descriptor set (and its Python module is generated from it).
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import google.api
import grpc_tools
from google.protobuf import descriptor_pb2, duration_pb2, empty_pb2, field_mask_pb2, timestamp_pb2
from google.protobuf.unknown_fields import UnknownFieldSet
from grpc_tools import protoc
from protovalidate._gen.buf.validate import validate_pb

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
VALIDATE = "buf/validate/validate.proto"
# Numbers of google.api.http, of huitong.common.v1.access, and of its audiences. What is generated here cannot be needed
# to read them.
HTTP, ACCESS, AUDIENCES = 72295728, 50101, 1


def include_paths() -> list[str]:
    """Folders of .proto files: ours, google.api's and the well-known types."""
    google_api = Path(next(iter(google.api.__path__))).parent.parent
    well_known = Path(grpc_tools.__file__).parent / "_proto"
    return [f"-I{PROTOS}", f"-I{google_api}", f"-I{well_known}"]


def write_validate_descriptors(path: Path) -> Path:
    """Write the FileDescriptorSet of `buf.validate` and what it imports to `path`."""
    files = descriptor_pb2.FileDescriptorSet()
    for module in (descriptor_pb2, duration_pb2, field_mask_pb2, timestamp_pb2):
        module.DESCRIPTOR.CopyToProto(files.file.add())
    files.file.add().MergeFromString(validate_pb._DESC.proto.to_binary())
    path.write_bytes(files.SerializeToString(deterministic=True))
    return path


def proto_files() -> list[str]:
    """Our .proto files, relative to `protos/`, sorted."""
    return sorted(str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto"))


def run_protoc(*arguments: str) -> None:
    """Run protoc; what it has to say about our files goes to stderr and ends the program."""
    if protoc.main(["protoc", *arguments]) != 0:
        sys.exit("protoc found the errors above")


def write_image(path: Path) -> Path:
    """Write our files with all that they import and their comments to `path`: what buf lints and compares."""
    with tempfile.TemporaryDirectory() as folder:
        descriptors = write_validate_descriptors(Path(folder) / "validate.binpb")
        run_protoc(
            f"--descriptor_set_in={descriptors}",
            *include_paths(),
            "--include_imports",
            "--include_source_info",
            f"--descriptor_set_out={path}",
            *proto_files(),
        )
    return path


def _fields(wire: bytes) -> dict[int, bytes]:
    found = UnknownFieldSet(empty_pb2.Empty.FromString(wire))
    return {found[index].field_number: found[index].data for index in range(len(found))}


def without_access_rule(files: descriptor_pb2.FileDescriptorSet) -> list[str]:
    """The RPCs that have an HTTP route and do not say who may call them."""
    found = []
    for file in files.file:
        for service in file.service:
            for method in service.method:
                options = _fields(method.options.SerializeToString())
                if HTTP in options and AUDIENCES not in _fields(options.get(ACCESS, b"")):
                    found.append(f"{file.package}.{service.name}.{method.name}")
    return found


def generate(target: Path) -> None:
    """Write the generated package tree into `target`, which is emptied first.

    Ends the program when an RPC has a way in from outside and no access rule.
    """
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    scripts = Path(sys.executable).parent
    with tempfile.TemporaryDirectory() as folder:
        descriptors = write_validate_descriptors(Path(folder) / "validate.binpb")
        run_protoc(f"--descriptor_set_in={descriptors}", f"--python_out={target}", f"--pyi_out={target}", VALIDATE)
        run_protoc(
            f"--descriptor_set_in={descriptors}",
            *include_paths(),
            f"--plugin=protoc-gen-mypy_grpc={scripts / 'protoc-gen-mypy_grpc'}",
            f"--python_out={target}",
            f"--pyi_out={target}",
            f"--grpc_python_out={target}",
            f"--mypy_grpc_out={target}",
            *proto_files(),
        )
        # Comments survive only in a descriptor set with source info: the gateway's API page is made from it.
        run_protoc(
            f"--descriptor_set_in={descriptors}",
            *include_paths(),
            "--include_source_info",
            f"--descriptor_set_out={target / 'huitong' / 'descriptors.binpb'}",
            *proto_files(),
        )
    written = descriptor_pb2.FileDescriptorSet.FromString((target / "huitong" / "descriptors.binpb").read_bytes())
    nobody_knows_for_whom = without_access_rule(written)
    if nobody_knows_for_whom:
        sys.exit(f"no access rule, but an HTTP route: {', '.join(nobody_knows_for_whom)}")
    for path in target.rglob("*_pb2_grpc.py*"):
        # Files without a service get an empty stub module; nothing imports those.
        if "def add_" not in path.with_suffix(".py").read_text() if path.suffix == ".py" else False:
            path.unlink()
            path.with_suffix(".pyi").unlink(missing_ok=True)


if __name__ == "__main__":
    if "--release" in sys.argv:
        write_image(PROTOS / "released.binpb")
    else:
        generate(ROOT / "gen")
