"""Faults at every request to S3."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any
from unittest import mock

from faults_kit import EFFECT, ENDS, KILLED, Interrupted, Kind, Operation, Seams

_ASKING = {
    "GetObject": (Kind.ABSENT,),
    "HeadObject": (Kind.ABSENT,),
    "ListObjectsV2": (Kind.ABSENT, Kind.HALF),
}


@contextlib.contextmanager
def on_s3(seams: Seams) -> Iterator[None]:
    """Stand before S3 too; an interrupt reaches the thread that waits for the request, which takes effect."""
    import fsspec.asyn
    from aiobotocore.client import AioBaseClient

    real_call, real_sync = AioBaseClient._make_api_call, fsspec.asyn.sync
    to_interrupt = list[Operation]()

    async def call(client: Any, name: str, params: Any) -> Any:
        operation = Operation("s3", name, _kinds_of(name))
        kind = seams.meet(operation)
        if kind is Kind.BEFORE:
            raise _refused(name)
        if kind is Kind.ABSENT:
            return _nothing_there(name)
        answer = await real_call(client, name, params)
        if kind is Kind.KILL_AFTER:
            os._exit(KILLED)
        if kind is Kind.INTERRUPT:
            to_interrupt.append(operation)
        return _answered(kind, name, answer)

    def sync(*args: Any, **options: Any) -> Any:
        answer = real_sync(*args, **options)
        if to_interrupt:
            to_interrupt.clear()
            raise Interrupted
        return answer

    with (
        mock.patch.object(AioBaseClient, "_make_api_call", call),
        mock.patch.object(fsspec.asyn, "sync", sync),
    ):
        yield


def _kinds_of(name: str) -> tuple[Kind, ...]:
    if name.startswith(("Get", "Head", "List")):
        return (*ENDS, Kind.REPEATED, *_ASKING.get(name, ()))
    return (*EFFECT, Kind.REPEATED)


def _answered(kind: Kind | None, name: str, answer: Any) -> Any:
    if kind is Kind.AFTER:
        raise _refused(name)
    if kind is Kind.REPEATED:
        from botocore.exceptions import HTTPClientError

        raise HTTPClientError(error="the answer was lost")
    if kind is Kind.HALF:
        listed = answer.get("Contents", [])
        folders = [one["Key"].rpartition("/")[0] for one in listed]
        most = folders.index(folders[len(folders) // 2]) if folders else 0  # no folder in part
        return {**answer, "Contents": listed[:most]}
    return answer


def _refused(name: str) -> Exception:
    return _client_error("InternalError", 500, name)


def _nothing_there(name: str) -> Any:
    if name == "ListObjectsV2":
        return {"KeyCount": 0, "IsTruncated": False, "ResponseMetadata": {"HTTPStatusCode": 200}}
    raise _client_error("404" if name == "HeadObject" else "NoSuchKey", 404, name)


def _client_error(code: str, status: int, name: str) -> Exception:
    from botocore.exceptions import ClientError

    answer: Any = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    error: Exception = ClientError(answer, name)
    return error
