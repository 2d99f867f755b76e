"""`jammi-dagster doctor`: the health of versions, code, and stores, each line with the way out."""

from __future__ import annotations

import functools
import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Literal

import click

from jammi_dagster.cli.render import Output, Table, output
from jammi_dagster.cli.target import Target, target
from jammi_dagster.contract.wording import counted
from jammi_dagster.errors import JammiError

if TYPE_CHECKING:
    from jammi_dagster.adapters.code_location.location import Location
    from jammi_dagster.store import ResultStore

_FAILED = 1
_MOST_CLOCK_SECONDS = 5.0
_PACKAGES = ("dagster", "pyarrow", "sqlalchemy", "fsspec")


@dataclass(frozen=True, slots=True)
class Check:
    """One finding, and the way out of one that is not `ok`."""

    level: Literal["ok", "warn", "error"]
    what: str
    text: str
    way_out: str = ""


@click.command()
@target()
@output
def doctor(target: Target, out: Output) -> int:
    """Check versions, code, and each store: its root, catalog, key and clock. Exits with 1 if anything is broken."""
    checks = [*_versions()]
    if target.has_code:
        checks += _guarded("code", lambda: _of_code(target))
    else:
        checks += _guarded("store", lambda: _of_store(target.open()))
    found = {level: sum(check.level == level for check in checks) for level in ("ok", "warn", "error")}
    rows = [(one.level, one.what, one.text + (f"; {one.way_out}" if one.way_out else "")) for one in checks]
    total = f"{found['ok']} ok, {found['warn']} to look at, {found['error']} broken"
    out.show({"checks": [asdict(check) for check in checks], **found}, Table(rows), total)
    return _FAILED if found["error"] else 0


def _guarded(what: str, ask: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """Yield the checks; an error of the package, whose message holds the way out, ends them."""
    try:
        yield from ask()
    except JammiError as error:
        yield Check("error", what, str(error))


def _versions() -> Iterator[Check]:
    from packaging.requirements import Requirement

    required = map(Requirement, metadata.requires("jammi-dagster") or ())
    wanted = {
        one.name: one.specifier
        for one in required
        if one.marker is None or one.marker.evaluate({"extra": ""})  # an extra may ask for more
    }
    yield Check("ok", "python", platform.python_version())
    yield Check("ok", "jammi-dagster", metadata.version("jammi-dagster"))
    for name in _PACKAGES:
        version = metadata.version(name)
        if name in wanted and not wanted[name].contains(version, prereleases=True):
            way_out = f"install {name}{wanted[name]}"
            yield Check("error", name, f"{version} is not supported", way_out)
        else:
            yield Check("ok", name, version)


# --- code -------------------------------------------------------------------------------------------


def _of_code(target: Target) -> Iterator[Check]:
    with target.evaluator() as evaluator:
        found = evaluator.assets(evaluator.location.select("*"))
        yield from _of_assets(evaluator.location, len(found))
        for key, why in evaluator.problems.items():
            way_out = "correct its IO manager, or the store's resource"
            yield Check("error", f"asset {key.to_user_string()}", f"it cannot be opened: {why}", way_out)
        for store in {asset.store.identity: asset.store for asset in found}.values():
            yield from _guarded("store", functools.partial(_of_store, store))


def _of_assets(location: Location, number: int) -> Iterator[Check]:
    """Yield the state of the code: its assets, those that cannot be reused, and files that were edited."""
    from jammi_dagster.adapters.code_identity import code_identities

    if number:
        yield Check("ok", "code", f"{counted(number, 'asset')} on result stores")
    else:
        way_out = "put a ResultTableIOManager into the resources"
        yield Check("warn", "code", "no asset is on a result store", way_out)
    open_ones = [key for key, one in code_identities(location.repository).items() if not one.pinned]
    if open_ones:
        names = ", ".join(key.to_user_string() for key in open_ones[:3])
        text = f"{counted(len(open_ones), 'asset')} not pinned, never reused: {names}"
        yield Check("warn", "identity", text, "see `jammi-dagster explain`")
    location.refresh()
    edits = [os.path.relpath(path) for path, _ in location.edits]
    if edits:
        way_out = "reload the code location: nothing is fresh until then"
        yield Check("warn", "loaded code", f"it differs from the files {', '.join(edits[:3])}", way_out)
    else:
        yield Check("ok", "loaded code", "the same as on disk")


# --- a store ----------------------------------------------------------------------------------------


def _of_store(store: ResultStore) -> Iterator[Check]:
    state = store.reader.state()
    if not store.database.is_there:
        store.binding.check_not_lost()
        yield Check("ok", "catalog", f"{store.database.name}: none yet; the first run makes it")
        return
    tables = counted(len(store.tables()), "table")
    yield Check(
        "ok", "catalog", f"{store.database.name}: {tables} in {store.scope.deployment}, id {state.catalog_id}"
    )
    if store.database.read_only:
        yield Check("warn", "catalog", "it is read-only", "questions can be asked, runs cannot write")
    yield from _guarded("root", lambda: _of_root(store))
    yield from _guarded("key", lambda: _of_key(store))
    yield _clock(store)
    restored = store.restored()
    if restored:
        names = ", ".join(restored[:3])
        text = f"{counted(len(restored), 'table')} restored by adoption and confirmed by no run: {names}"
        yield Check("warn", "catalog", text, "materialize them, or compare them with `jammi-dagster verify`")


def _of_root(store: ResultStore) -> Iterator[Check]:
    root = store.artifacts
    if not store.database.is_foreign:
        store.binding.check(dry_run=True)
        store.binding.check_not_lost()
        store.binding.check_stamp()
    yield Check("ok", "root", f"{root.name}: it belongs to this catalog")
    if root.local_root is not None and not os.access(root.local_root, os.W_OK):
        yield Check("warn", "root", "it cannot be written to", "give the user of the runs the right to write")


def _of_key(store: ResultStore) -> Iterator[Check]:
    match store.key.state():
        case "ready":
            yield Check("ok", "key", "secrets are recorded behind it")
        case "none yet":
            yield Check("ok", "key", "none yet; it is made when a secret is first recorded")
        case "none":
            yield Check("warn", "key", "there is none", store.key.why_not)
        case "another":
            yield Check("error", "key", "it is another one", store.key.why_not)


def _clock(store: ResultStore) -> Check:
    """Compare the catalog's clock with that of this machine: leases and grace periods go by the first."""
    from jammi_dagster.catalog.statements import now_by_database

    with store.database.reading() as connection:
        before, there, after = time.time(), now_by_database(connection), time.time()
    offset = max(there - after, 0.0) or min(there - before, 0.0)  # however long the question took
    if abs(offset) > _MOST_CLOCK_SECONDS:
        text = f"the catalog's is {abs(offset):.0f} s {'ahead' if offset > 0 else 'behind'}"
        return Check("warn", "clock", text, "set both clocks by NTP")
    return Check("ok", "clock", "the catalog's and this machine's agree")
