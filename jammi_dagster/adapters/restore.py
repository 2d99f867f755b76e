"""`restore`: a materialization whose bytes are gone, made again by the code of now over the inputs on record."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection
from typing import TYPE_CHECKING

import dagster as dg

from jammi_dagster.adapters.code_location.current_asset import CurrentAsset, NotReplayable, Unknowable
from jammi_dagster.adapters.code_location.location import (
    Definitions,
    Location,
    instance_at_hand,
    repository_of,
)
from jammi_dagster.adapters.judgement.evaluator import Evaluator
from jammi_dagster.adapters.launching.in_process import compute_here, runs_again
from jammi_dagster.adapters.launching.nodes import makers_of
from jammi_dagster.adapters.metadata_keys import MOVES_TAG, PIN_TAG
from jammi_dagster.adapters.recipe.replay import replay_of
from jammi_dagster.artifacts import VerifiedReads
from jammi_dagster.contract import AnchorKind, MaterializationManifest
from jammi_dagster.contract.tables import check_table
from jammi_dagster.errors import RecomputeRefused, UnknownTable
from jammi_dagster.maintenance import Restoration
from jammi_dagster.sensing import has_bytes

if TYPE_CHECKING:
    import pyarrow as pa

_INPUT_GONE = "the bytes of its input {table} are gone, too: restore that first"


def restore(
    defs: Definitions,
    table: str,
    materialization: str | None = None,
    *,
    instance: dg.DagsterInstance | None = None,
) -> Restoration:
    """Make a materialization of a table again whose bytes were collected or lost: the same one, or it has `diverged`.

    The asset runs in this process, with the recorded partition, range and config, over the recorded tables as inputs;
    the run moves no name. Only bytes with the recorded digest are restored, as `ResultStore.restore` does. Other bytes
    are the outcome `diverged`; they stay as an ordinary result of the present code, until they are collected.

    Args:
        defs: the complete definitions of the code location, or a function that returns them.
        table: the name of the table.
        materialization: the id of the materialization; by default the table's last one.
        instance: the Dagster instance; by default that of `DAGSTER_HOME`, or an empty one.

    Raises `RecomputeRefused` where no asset makes the table now, its recorded config or range is no longer valid, or a
    recorded input is gone; `NotRecomputable` without a manifest, `UnknownTable`, `NotInHistory`, and any error of the
    asset's function.

        restore(defs, "clean_trips[2013-03]").outcome    # restored
    """
    with instance_at_hand(instance) as found:
        evaluator = Evaluator(Location(repository_of(defs), found))
        asset = evaluator.maker(table)
        if asset is None:
            evaluator.assets(evaluator.location.select("*"))
            stores = evaluator.stores()
            if stores and not any(store.reader.history(check_table(table)) for store in stores):
                near = ", and no asset has that name"
                raise UnknownTable(table=table, deployment=stores[0].scope.deployment, near=near)
            raise RecomputeRefused(table=table, why=evaluator.why_gone(table))
        return asset.store.restore(
            table,
            lambda manifest: _made_again(evaluator, asset, table, manifest),
            materialization=materialization,
        )


def _made_again(
    evaluator: Evaluator, asset: CurrentAsset, table: str, manifest: MaterializationManifest
) -> pa.Table:
    """Compute a table over the inputs of a manifest, without moving a name, and read it."""
    makers, replay = makers_of(evaluator, [table]), replay_of(manifest)
    try:
        asset.group(asset.tables()[table], replay)
        with contextlib.suppress(Unknowable):  # a run knows it
            asset.undeclared(replay)
    except NotReplayable as error:
        raise RecomputeRefused(table=table, why=str(error)) from None
    replays = dict.fromkeys(makers, replay)
    (run,) = runs_again(evaluator, makers, replays)
    tags = {MOVES_TAG: "false", PIN_TAG: json.dumps(_pins(evaluator, asset, table, manifest, made=makers))}
    run_id = compute_here(evaluator, run, set(makers), tags=tags)
    made = asset.store.reader.of_run(run_id, [table])[table]
    with VerifiedReads() as reads:
        return reads.read_table(asset.store.recorded(made))


def _pins(
    evaluator: Evaluator,
    asset: CurrentAsset,
    table: str,
    manifest: MaterializationManifest,
    *,
    made: Collection[str],
) -> dict[str, str]:
    """Map each input that moved on to the materialization that the manifest has; not the tables that are `made` along.

    Raise `RecomputeRefused` for one that is gone.
    """
    pins = {}
    for anchor in manifest.input_anchors:
        if anchor.kind is not AnchorKind.RESULT_DIGEST or anchor.source in made:
            continue
        source, maker = anchor.source, evaluator.maker(anchor.source)
        store = asset.store if maker is None else maker.store
        current = store.reader.current(source)
        if current is not None and current.artifact_digest == anchor.anchor:
            continue
        same = (one for one in store.reader.history(source) if one.artifact_digest == anchor.anchor)
        there = (one for one in same if one.status == "ready" and has_bytes(store.artifacts, one))
        pinned = next(there, None)
        if pinned is None:
            raise RecomputeRefused(table=table, why=_INPUT_GONE.format(table=source))
        pins[source] = pinned.materialization_id
    return pins
