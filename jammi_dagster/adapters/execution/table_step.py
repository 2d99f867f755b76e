"""A running step that makes the table, or the tables of a range, of one asset."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jammi_dagster.adapters.assets.cache_policy import effective_policy
from jammi_dagster.adapters.assets.run_tags import moves_of, pins_of
from jammi_dagster.adapters.assets.spec import TableSpec
from jammi_dagster.adapters.assets.verification import effective_verification
from jammi_dagster.adapters.execution.inputs import StepPresent, require
from jammi_dagster.adapters.execution.step import Step
from jammi_dagster.adapters.handoff.references import references_in
from jammi_dagster.adapters.handoff.store_resource import open_store
from jammi_dagster.adapters.recipe.draft import Draft, draft_of
from jammi_dagster.adapters.recipe.inputs import InputSnapshot
from jammi_dagster.adapters.recipe.pins import check_loaded, pinned_input
from jammi_dagster.adapters.recipe.recipe import Recipe, recipe_of
from jammi_dagster.adapters.recipe.replay import Replay
from jammi_dagster.artifacts import VerifiedReads
from jammi_dagster.contract import CachePolicy, Verification
from jammi_dagster.contract.pins import PinnedInput
from jammi_dagster.store import ResultStore

_MOST_RUNS = 100
_named_in: deque[tuple[str, str]] = deque(maxlen=_MOST_RUNS)  # runs of this process whose log names the root


@dataclass(frozen=True, slots=True, kw_only=True)
class TableStep:
    """A running step with its store, its recipe and the inputs that it was handed.

    `loaded` holds by input name the values that the step was handed: references, or values of other IO managers.
    `is_plain` marks a step of a plain `@dg.asset`, whose body has run already. `pins` are the inputs that the run takes
    from a named materialization. `unsettled` are the reasons why a loaded input may not be what was read. `siblings`
    are the digests of tables that the same step makes or reuses. `reads` is for the body.
    """

    step: Step
    store: ResultStore
    spec: TableSpec
    recipe: Recipe
    loaded: Mapping[str, Any]
    start_sequence: int
    is_plain: bool = False
    unsettled: tuple[str, ...] = ()
    pins: Mapping[str, PinnedInput] = field(default_factory=dict)
    siblings: dict[str, str] = field(default_factory=dict)
    reads: VerifiedReads = field(default_factory=VerifiedReads)

    @classmethod
    def of(
        cls,
        step: Step,
        store: ResultStore,
        spec: TableSpec,
        *,
        loaded: Mapping[str, Any],
        start_sequence: int,
        config: Any = None,
        is_plain: bool = False,
        unsettled: tuple[str, ...] = (),
        siblings: Mapping[str, str] | None = None,
        io_manager: Verification = Verification.OFF,
    ) -> TableStep:
        """Make the step with the recipe for `config`, the object that the function gets.

        `io_manager` is the verification of inputs where neither run nor decorator states one.
        """
        verification = effective_verification(
            tags=step.tags, decorator=spec.verify_inputs, io_manager=io_manager
        )
        return cls(
            step=step,
            store=store,
            spec=spec,
            recipe=recipe_of(spec, step, store, config=config, loaded=loaded),
            loaded=loaded,
            start_sequence=start_sequence,
            is_plain=is_plain,
            unsettled=unsettled,
            siblings=dict(siblings or {}),
            pins=_pins(step, store, loaded),
            reads=VerifiedReads(verification),
        )

    @property
    def asset_name(self) -> str:
        """The asset's key as Dagster shows it."""
        return self.step.asset_key.to_user_string()

    @property
    def replay(self) -> Replay:
        """The config and range with which a later run makes the same tables again."""
        keys = self.step.partitions or ()
        span = (keys[0], keys[-1]) if len(keys) > 1 else None
        return Replay(config=self.recipe.raw_config, span=span)

    def root_once(self) -> str:
        """Return the store's root for the log line of the first step that this process runs of a run; else no text."""
        place = (self.step.run_id, self.store.artifacts.name)
        if place in _named_in:
            return ""
        _named_in.append(place)
        return f" (store {place[1]})"

    def policy(self, io_manager: CachePolicy) -> CachePolicy:
        """Return the cache policy that this step runs under. Raises `InvalidPolicy` for a run tag that spells none."""
        tags, decorator = self.step.tags, self.spec.cache
        return effective_policy(self.step.asset_key, tags=tags, decorator=decorator, io_manager=io_manager)

    @property
    def pinned(self) -> list[str]:
        """The pinned inputs in words."""
        return list(map(str, self.pins.values()))

    @property
    def moves(self) -> bool:
        """Tell whether the run moves the names of the tables that it makes. Raises `InvalidField` for its tag."""
        return moves_of(self.step.tags)

    def draft(self) -> Draft:
        """Resolve the inputs and describe each table. Raises for inputs that are not there, and `DuplicateInput`."""
        inputs = self._present().inputs(self.spec, allow_missing=self.spec.allow_missing)
        require(inputs, self.step, self.store)
        partitions = self.step.partition_keys
        return draft_of(self.recipe, self.spec, self.step, inputs, partitions, unsettled=self.unsettled)

    def inputs_after_body(self) -> InputSnapshot:
        """Resolve the declared inputs once more; one that is not there any more has no anchor."""
        return self._present().inputs(self.spec, allow_missing=True).snapshot()

    def _present(self) -> StepPresent:
        return StepPresent(self.step, self.store, self.loaded, is_plain=self.is_plain, siblings=self.siblings)


def _pins(step: Step, store: ResultStore, loaded: Mapping[str, Any]) -> dict[str, PinnedInput]:
    """Return the inputs that the step was handed by a pin of its run. Raises `InvalidField` for any other pin of it."""
    pins = pins_of(step.tags)
    if not pins:
        return {}
    step.check_pins()
    handed = {one.table: one for one in itertools.chain.from_iterable(map(references_in, loaded.values()))}
    named = (table for dependency in step.dependencies for table in dependency.tables if table not in handed)
    check_loaded(step.asset_key.to_user_string(), named, step.tags)
    return {
        table: pinned_input(
            store if one.store == store.identity else open_store(one.store), table, one.materialization_id
        )
        for table, one in handed.items()
        if table in pins
    }
