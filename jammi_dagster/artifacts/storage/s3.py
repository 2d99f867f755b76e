"""Requests to S3 that fsspec's common interface does not have: exclusive writes, batched deletes, open uploads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import fsspec

_TAKEN = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")
_ABSENT = ("NoSuchUpload",)


def is_s3(fs: fsspec.AbstractFileSystem) -> bool:
    """Recognize a file system that speaks S3's protocol."""
    return hasattr(fs, "call_s3")


def is_taken(error: BaseException) -> bool:
    """Recognize the refusal of an exclusive write where there is an object."""
    return isinstance(error, FileExistsError) or _code(error) in _TAKEN or "PreconditionFailed" in str(error)


def lacks_create(error: BaseException) -> bool:
    """Recognize the refusal of a server, or a client, that knows no exclusive writes."""
    return isinstance(error, NotImplementedError | TypeError) or _code(error) == "NotImplemented"


def delete_many(fs: Any, paths: list[str]) -> None:
    """Remove the objects in one request. Raises `OSError` where one could not be removed."""
    keys = [fs.split_path(path)[:2] for path in paths]
    for path in paths:
        fs.invalidate_cache(fs._parent(path))
    wanted = {"Objects": [{"Key": key} for _, key in keys], "Quiet": True}
    answer = fs.call_s3("delete_objects", Bucket=keys[0][0], Delete=wanted)
    refused = [f"{error.get('Key')} ({error.get('Code')})" for error in answer.get("Errors", [])]
    if refused:
        raise OSError(f"not removed: {', '.join(refused[:3])} ({len(refused)} in all)")


def abort_uploads(fs: Any, folder: str, *, before: float, dry_run: bool) -> list[str]:
    """Abort multipart uploads below the folder that began before that time; give their paths."""
    bucket, prefix, _ = fs.split_path(folder)
    aborted: list[str] = []
    page: dict[str, str] = {}
    while True:
        answer = fs.call_s3("list_multipart_uploads", Bucket=bucket, Prefix=f"{prefix}/", **page)
        for upload in answer.get("Uploads", []):
            if upload["Initiated"].timestamp() < before:
                if not dry_run:
                    _abort(fs, bucket, upload)
                aborted.append(f"{bucket}/{upload['Key']}")
        if not answer.get("IsTruncated"):
            return aborted
        page = {"KeyMarker": answer["NextKeyMarker"], "UploadIdMarker": answer["NextUploadIdMarker"]}


def _abort(fs: Any, bucket: str, upload: dict[str, Any]) -> None:
    try:
        fs.call_s3("abort_multipart_upload", Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    except Exception as error:  # another pass, or the writer itself, was quicker
        if not isinstance(error, FileNotFoundError) and _code(error) not in _ABSENT:
            raise


def _code(error: BaseException) -> str:
    """Give the error's code in S3's protocol, which s3fs keeps in the cause of what it raises."""
    for one in (error, error.__cause__):
        response = getattr(one, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code", ""))
    return ""
