"""The floor: the chain in plain pyarrow and Parquet, with the simplest skip that is right.

Imports nothing but pyarrow.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from benchmarks.pipelines import count_bodies, load


def run(pipeline: str, storage: str, reads: list[str]) -> dict[str, Any]:
    """Run, in a fresh process, each step unless the digest of its code and its input is the recorded one.

    A step reads its input from Parquet and writes its output to Parquet; `reads` are the files of the first one.
    """
    ran = count_bodies()
    folder = Path(storage)
    folder.mkdir(parents=True, exist_ok=True)
    upstream, version = None, "".join(digest(Path(file)) for file in reads)
    for module in load(Path(pipeline)):
        assert module.__file__ is not None, "a generated module has a file"
        table, record = folder / f"{module.__name__}.parquet", folder / f"{module.__name__}.json"
        inputs = {"code": digest(Path(module.__file__)), "input": version}
        known = json.loads(record.read_text()) if record.exists() else {}
        if known.get("inputs") != inputs or not table.exists():
            made = getattr(module, module.__name__)
            pq.write_table(made() if upstream is None else made(pq.read_table(upstream)), table)
            known = {"inputs": inputs, "digest": digest(table)}
            record.write_text(json.dumps(known))
        upstream, version = table, known["digest"]
    return {"bodies": len(ran)}


def digest(file: Path) -> str:
    """Return the SHA-256 of a file."""
    with file.open("rb") as opened:
        found = hashlib.sha256()
        while block := opened.read(1 << 20):
            found.update(block)
        return found.hexdigest()
