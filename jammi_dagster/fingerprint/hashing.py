"""The one door to hashing in this layer: every digest is of framed parts under a domain of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Union


@dataclass(frozen=True, slots=True)
class ModuleRef:
    """A first-party module within a form. Its name is known once every reached module is (`modules.file_names`)."""

    path: str


@dataclass(frozen=True, slots=True)
class UnorderedParts:
    """Parts of a form whose order has no meaning, as of a set."""

    parts: tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class HeldText:
    """A text or bytes that a live value holds, with its plain encoding (see `live.slots`)."""

    value: str | bytes = field(repr=False)
    encoded: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class PlainData:
    """The form of a collection of plain data, with all texts in it, and its encodings by those that are hidden."""

    form: Form
    texts: frozenset[str]
    encodings: dict[frozenset[str], tuple[bytes, list[str]]] = field(default_factory=dict)


# A description of a value that has exactly one encoding.
Form = Union[bytes, str, ModuleRef, UnorderedParts, HeldText, PlainData, "tuple[Form, ...]"]


def digest(domain: str, *parts: bytes) -> str:
    """Hash parts under a domain: equal parts of two domains have different digests."""
    return sha256(framed([utf8(f"jammi.code.{domain}"), *parts])).hexdigest()


def utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def encode(form: Form, names: Mapping[str, str]) -> bytes:
    """Encode a form as bytes; `names` has the name of each module's path.

    >>> encode(("a", b"b"), {}) != encode(("ab", b""), {})
    True
    """
    if isinstance(form, bytes):
        return b"b" + form
    if isinstance(form, str):
        return b"s" + utf8(form)
    if isinstance(form, HeldText):
        return b"b" + form.encoded
    if isinstance(form, ModuleRef):
        return b"m" + utf8(names[form.path])
    if isinstance(form, UnorderedParts):
        return b"u" + framed(sorted(encode(part, names) for part in form.parts))
    if isinstance(form, PlainData):
        return encode(form.form, names)
    return joined_parts(encode(part, names) for part in form)


def joined_parts(parts: Iterable[bytes]) -> bytes:
    """Encode a tuple by the encodings of its parts."""
    return b"t" + framed(parts)


def framed(parts: Iterable[bytes]) -> bytes:
    """Join parts, each led by its length, so that no two lists of parts give the same bytes."""
    return b"".join([len(part).to_bytes(8, "little") + part for part in parts])
