"""The recorded footer of a Parquet object: digests of row groups cover neither names of columns nor places of pages."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from jammi_dagster.contract.fields import Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Footer:
    """The bytes of a Parquet object after its last row group: their place, and their SHA-256 (hex).

    Recorded only for an object that has page checksums: with both, a reader verifies all that it reads.
    """

    offset: int
    length: int
    digest: str

    @classmethod
    def from_dict(cls, value: object) -> Footer:
        """Read a footer of a sidecar. Raise `InvalidField`."""
        fields = Fields(value, "manifest", "jammi_dagster.footer")
        offset, length = fields.take_natural("offset"), fields.take_natural("length")
        return cls(offset=offset, length=length, digest=fields.take_hex64("digest"))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of the sidecar."""
        return {"offset": self.offset, "length": self.length, "digest": self.digest}

    def difference(self, size: int, data: bytes) -> str | None:
        """Compare the size of an object, and its bytes from `offset` on, with the record; None if they are equal."""
        recorded = self.offset + self.length
        if size != recorded:
            return f"its size is {size} bytes, not {recorded}"
        if hashlib.sha256(data).hexdigest() != self.digest:
            return "its footer has another digest"
        return None
