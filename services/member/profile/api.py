"""ProfileService: proto → plain values → operation → proto."""

from __future__ import annotations

from datetime import date

from grpc.aio import ServicerContext as Context

from chassis.crypto import Vault
from chassis.db import Database, Tx
from chassis.errors import InvalidArgument
from chassis.rpc import caller
from huitong.common.v1 import types_pb2
from huitong.member.v1 import profile_pb2 as pb
from huitong.member.v1 import profile_pb2_grpc
from services.member import convert
from services.member.profile import operations, rules
from services.member.profile.operations import Shown
from services.member.profile.rules import Profile
from services.member.requests import keyed
from services.member.rules import is_plain


class ProfileServicer(profile_pb2_grpc.ProfileServiceServicer):
    """Profiles."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db, self._vault = db, vault

    async def GetProfile(self, request: pb.GetProfileRequest, context: Context) -> pb.GetProfileResponse:
        """See the proto."""
        shown = await self._shown(request.member_id)
        return pb.GetProfileResponse(profile=_message(shown.profile), completeness=_completeness(shown))

    async def UpdateProfile(self, request: pb.UpdateProfileRequest, context: Context) -> pb.UpdateProfileResponse:
        """See the proto."""
        member_id = convert.member_id_of(request.member_id)
        names = set(request.update_mask.paths)
        if not names or not names <= set(rules.FIELDS):
            raise InvalidArgument([("update_mask", f"must name one or more of {', '.join(rules.FIELDS)}")])
        wanted = _profile(request.profile)

        async def operation(tx: Tx) -> pb.UpdateProfileResponse:
            if wanted.birthday is not None and wanted.birthday > tx.now.date():
                raise InvalidArgument([("profile.birthday", "lies in the future")])
            await operations.update_profile(tx, self._vault, member_id, wanted, names)
            return pb.UpdateProfileResponse()

        # Neither the request, nor its plain hash, nor the answer may be kept: they tell a person's data.
        claim = pb.UpdateProfileRequest(
            request_id=request.request_id,
            member_id=request.member_id,
            profile=pb.Profile(name=keyed(self._vault, request)),
            update_mask=request.update_mask,
        )
        await self._db.run_once(claim, pb.UpdateProfileResponse, operation)
        shown = await self._shown(request.member_id)
        return pb.UpdateProfileResponse(profile=_message(shown.profile), completeness=_completeness(shown))

    async def _shown(self, member_id: str) -> Shown:
        async with self._db.reading(caller()) as tx:
            return await operations.get_profile(tx, self._vault, convert.member_id_of(member_id))


def _profile(message: pb.Profile) -> Profile:
    if not is_plain(message.name):
        raise InvalidArgument([("profile.name", "has control characters")])
    day = None
    if message.HasField("birthday"):
        try:
            day = date(message.birthday.year, message.birthday.month, message.birthday.day)
        except ValueError:
            raise InvalidArgument([("profile.birthday", "is not a day")]) from None
    return Profile(message.name.strip(), message.gender, day, message.email)


def _message(profile: Profile) -> pb.Profile:
    day = profile.birthday
    return pb.Profile(
        name=profile.name,
        gender=profile.gender,  # type: ignore[arg-type]
        birthday=types_pb2.BusinessDate(year=day.year, month=day.month, day=day.day) if day else None,
        email=profile.email,
    )


def _completeness(shown: Shown) -> pb.Completeness:
    return pb.Completeness(
        percent=rules.percent_complete(shown.profile),
        missing_fields=rules.missing_fields(shown.profile),
        birthday_changes_left=shown.birthday_changes_left,
    )
