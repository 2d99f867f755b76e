"""Edit a copy of this project, and tell which of its assets become stale: `python -m demo.edits`."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jammi_dagster.contract import explain

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Edit:
    """A replacement in a file, and the assets whose code it changes, each with the claimed reason."""

    title: str
    file: str
    old: str
    new: str
    changes: Mapping[str, str]


EDITS = (
    Edit(
        "a helper that route_neighbors reaches through another is edited (demo/graph.py: nearest)",
        "demo/graph.py",
        "block: int = 256",
        "block: int = 128",
        {"route_neighbors": "helper nearest (demo/graph.py) changed"},
    ),
    Edit(
        "a comment is written",
        "demo/graph.py",
        "def nearest(",
        "# The nearest of all.\ndef nearest(",
        {},
    ),
)


def stale(edit: Edit) -> dict[str, list[str]]:
    """Return the assets whose code differs after the edit, with the differences in words."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(ROOT / "definitions.py", folder)
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "demo", Path(folder) / "demo", ignore=ignored)
        before = _codes(folder)
        path = Path(folder) / edit.file
        path.write_text(path.read_text().replace(edit.old, edit.new, 1))
        after = _codes(folder)
    found = {
        asset: [str(one) for one in explain({"code": code}, {}, {"code": after[asset]}, {})]
        for asset, code in before.items()
    }
    return {asset: differences for asset, differences in found.items() if differences}


def report() -> Iterator[str]:
    """Yield the assets that each edit makes stale, in words. Raise `AssertionError` if a claim does not hold."""
    for edit in EDITS:
        found = stale(edit)
        claimed = {asset: [reason] for asset, reason in edit.changes.items()}
        if found != claimed:
            raise AssertionError(f"{edit.title}: {found}, not {claimed}")
        yield f"  When {edit.title}:"
        yield from (f"    {asset} is stale: {', '.join(why)}" for asset, why in found.items())
        if not found:
            yield "    nothing is stale"


def codes() -> dict[str, Any]:
    """Return the code of every asset of this project under `@result_table`, as its descriptor holds it."""
    import dagster as dg

    import definitions
    from jammi_dagster.adapters.assets.spec import spec_of

    found = {}
    for asset in definitions.defs.assets or ():
        if isinstance(asset, dg.AssetsDefinition) and (spec := spec_of(asset)) is not None:
            code = spec.code()
            found[asset.key.to_user_string()] = {
                "kind": code.kind,
                "digest": code.digest,
                "components": code.named,
            }
    return found


def _codes(folder: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "demo.edits", "--codes"]
    run = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, check=True)
    return dict(json.loads(run.stdout))


if __name__ == "__main__":
    print(json.dumps(codes()) if "--codes" in sys.argv else "\n".join(report()))
