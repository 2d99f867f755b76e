"""Secrets, from the environment or a file."""

import abc
import os
from pathlib import Path


class SecretResolver(abc.ABC):
    @abc.abstractmethod
    def resolve(self, key: str) -> str: ...


class LocalSecretResolver(SecretResolver):
    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def resolve(self, key: str) -> str:
        return os.environ[f"{self.prefix}__{key}".upper()]


class FileSecretResolver(SecretResolver):
    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    def resolve(self, key: str) -> str:
        return (self.folder / key).read_text()
