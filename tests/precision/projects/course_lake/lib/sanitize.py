"""Names that Dagster and file systems accept."""

import hashlib
import re
import unicodedata


def sanitize_mapping_key(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", text)


def slug(text: str, *, longest: int = 40) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:longest]


def content_version(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def obfuscate(user: str, salt: str = "courses") -> str:
    return hashlib.blake2b(f"{salt}:{user}".encode(), digest_size=8).hexdigest()
