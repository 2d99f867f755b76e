"""The declaration of a result table by its author, and the undeclared reads that follow from it."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.declaration import DeclaredAsset, has_upstream, siblings_of
from jammi_dagster.adapters.assets.signature import FunctionShape, name_of, shape_of
from jammi_dagster.adapters.assets.writes import check_apart, checked_surfaces
from jammi_dagster.adapters.handoff.kinds import PATHS, kind_of
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.contract import CachePolicy, Verification
from jammi_dagster.fingerprint import (
    ADDRESS,
    SET_ORDER,
    CodeIdentity,
    OutsideRead,
    context_uses_outside,
    disk_state,
    identify,
    is_of_selection,
    is_of_the_run,
    members_used_of,
)
from jammi_dagster.objects import ObjectFormat, registered_format
from jammi_dagster.store import ResultStore
from jammi_dagster.surfaces import VersionSurface

Reads = Sequence[VersionSurface] | Callable[[str | None], Sequence[VersionSurface]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSpec:
    """The declaration of an asset: its function, and the arguments of the contract.

    `outputs` are the declarations of the tables of `@result_tables` by output: they differ in the kind of value, its
    format, the code version, and in `is_optional`, which lets a run leave the table out. `@result_table` has none.
    `is_of_many`: the function makes several tables, and may ask which; `output` is the name of one of them in the
    function, and `output_order` are all names where a returned tuple has the values in their order.
    """

    function: Callable[..., Any]
    shape: FunctionShape
    resource_keys: tuple[str, ...] = ()
    reads: Reads | None = None
    writes: Reads | None = None
    cache: CachePolicy | None = None
    verify_inputs: Verification | None = None
    code_version: str | None = None
    allow_missing: bool = False
    single_flight: bool = True
    depends_on: tuple[Any, ...] = ()
    ignore: tuple[str, ...] = ()
    allow_reads: tuple[str, ...] = ()
    format: ObjectFormat | None = None
    trust_other_deployments: bool = False
    is_plain: bool = False
    is_of_many: bool = False
    is_optional: bool = False
    output: str | None = None
    output_order: tuple[str, ...] = ()
    outputs: Mapping[str, TableSpec] = field(default_factory=dict)

    def code(self) -> CodeIdentity:
        """Identify the code as it is in this process."""
        return self._identified(self.code_version)

    def _identified(self, code_version: str | None) -> CodeIdentity:
        return identify(
            self.function,
            code_version=code_version,
            depends_on=self.depends_on,
            ignore=self.ignore,
            declares_reads=self.has_surfaces,
        )

    @property
    def is_exact(self) -> bool:
        """True unless the results are objects whose bytes say nothing, and are code for whoever reads them."""
        return self.format is None or self.format.is_exact

    @property
    def takes_paths(self) -> bool:
        """True if an input is a path: the function reads files that it was given."""
        return any(kind_of(annotation).name in PATHS for annotation in self.shape.inputs.values())

    def distrusted(self, record: MaterializationRecord, store: ResultStore) -> str | None:
        """Return the other deployment that wrote an object of ours whose bytes are code for its readers, else None."""
        is_trusted = self.is_exact or self.trust_other_deployments
        return None if is_trusted or record.deployment == store.scope.deployment else record.deployment

    def disk_state(self) -> str:
        """Digest everything besides loaded code that the identity takes from disk; empty under a code version."""
        return "" if self.code_version is not None else disk_state(self.function, depends_on=self.depends_on)

    def outdated(self, code: CodeIdentity, *, has_edits: bool) -> tuple[str, ...]:
        """List the places where the running code differs from its file.

        An author's code version may have been edited too, so its function is looked at where any file `has_edits`.
        """
        if code.kind == "code_version" and has_edits:
            code = self._identified(None)
        return code.outdated

    def surfaces(self, partitions: Iterable[str | None]) -> list[VersionSurface]:
        """List the surfaces that `reads=` declares for these partitions, or for the whole asset under None."""
        return self._listed("reads=", self.reads, partitions)

    def written(self, partitions: Iterable[str | None]) -> list[VersionSurface]:
        """List the surfaces that `writes=` declares, as `surfaces` does. Raises `UnsupportedArgument` for a clash."""
        if not self.writes:
            return []
        partitions = list(partitions)
        found = self._listed("writes=", self.writes, partitions)
        check_apart(name_of(self.function), found, self.surfaces(partitions))
        return found

    def _listed(
        self, argument: str, given: Reads | None, partitions: Iterable[str | None]
    ) -> list[VersionSurface]:
        if given is None or given == ():
            return []
        name = name_of(self.function)
        several = [given(partition) for partition in partitions] if callable(given) else [given]
        return [surface for one in several for surface in checked_surfaces(name, argument, one)]

    @property
    def has_surfaces(self) -> bool:
        """True if it reads or writes anything besides tables."""
        return bool(self.reads or self.writes)

    def undeclared(
        self, asset: DeclaredAsset, code: CodeIdentity, config_resources: Collection[str] = ()
    ) -> list[str]:
        """List the reasons why the function may read an undeclared input (DESIGN 4, "Undeclared inputs").

        `config_resources` are the keys of resources that are config alone.
        """
        upstream = any(dependency.asset_key != asset.asset_key for dependency in asset.dependencies)
        if self.is_of_many:
            upstream = has_upstream(asset.assets_def, asset.asset_key)
        return self.undeclared_reads(code, has_upstream=upstream, config_resources=config_resources)

    def undeclared_reads(
        self, code: CodeIdentity, *, has_upstream: bool, config_resources: Collection[str] = ()
    ) -> list[str]:
        """List the same reasons for an asset of which only that is known."""
        way_out = f"{self._declare} reads=[…], or reads=[] where it reads nothing else"
        reasons = self.undeclared_by_code(code)
        if self.reads is not None:
            return reasons
        if not has_upstream:
            reasons.append(f"it has no upstream: {way_out}")
        if others := [key for key in self.resource_keys if key not in config_resources]:
            reasons.append(f"it takes resources ({', '.join(others)}): {way_out}")
        known = {f"{self.shape.context}.resources.{key}" for key in config_resources}
        uses = (use for use in self._context_uses() if not is_of_the_run(use) and use not in known)
        return reasons + [f"{_told(use)}: {way_out}" for use in uses]

    @property
    def _declare(self) -> str:
        """The way to declare anything: a plain asset has no argument for it."""
        return "decorate it with @result_table and declare" if self.is_plain else "declare"

    def members_of(self, resource: str) -> frozenset[str] | None:
        """Return the members that the function uses of a resource; None where that is not known."""
        return members_used_of(self.function, resource) if resource in self.shape.resources else None

    def undeclared_by_code(self, code: CodeIdentity) -> list[str]:
        """List the reasons in the code itself, whatever the asset is."""
        reasons = self.code_reads(code)
        if self.reads is not None and self.code_version is not None:
            return reasons
        uses = [use for use in self._context_uses() if is_of_the_run(use)]
        names = {use: use.partition(" ")[0] for use in uses}
        return reasons + [
            f"{use} tells about the run, and no read stands for it: pass it as config, or "
            f"allow_reads=[{name!r}] if it does no harm"
            for use, name in names.items()
            if name not in self.allow_reads
        ]

    def _context_uses(self) -> tuple[str, ...]:
        if self.shape.context is None:
            return ()
        uses = context_uses_outside(self.function, self.shape.context)
        return tuple(use for use in uses if not (self.is_of_many and is_of_selection(use)))

    def code_reads(self, code: CodeIdentity) -> list[str]:
        """List the reads in the code that nothing declares."""
        return [reason for read in code.outside if (reason := self._undeclared_read(read))]

    def _undeclared_read(self, read: OutsideRead) -> str | None:
        """Return the reason why a read in the code counts as undeclared, or None.

        `reads=` and `writes=` cover their own files.
        """
        if read.what in self.allow_reads or (read.is_declarable and self._is_declared(read)):
            return None
        place = f"{read.what} ({read.where})"
        allowed = f"allow_reads=[{read.what!r}] if it does no harm, or set code_version="
        if read.what == SET_ORDER:
            return f"{place} takes a set in its order, which differs between processes: sort it, or {allowed}"
        if read.what == ADDRESS:
            return f"{place} is the text of an object, and tells its address: give its class a __repr__, or {allowed}"
        if read.is_declarable and self.reads and read.unwatched:
            finding = f"{place} reads {read.unwatched}, which reads= does not declare"
            return f"{finding}: declare it in reads=[…], or {allowed}"
        if read.is_declarable and self.reads:
            allowed = f"allow_reads=[{read.what!r}] if it does no harm or reads=[…] declares it, or set code_version="
            return f"{place} reads a file that the code does not show, out of sight of the run: {allowed}"
        if read.is_declarable and self.is_plain:
            return f"{place} reads an undeclared input: {self._declare} it in reads=[…]"
        if read.is_declarable:
            return f"{place} reads an undeclared input: declare it in reads=[…], or {allowed}"
        return f"{place} changes from run to run: pass the value in, or {allowed}"

    def _is_declared(self, read: OutsideRead) -> bool:
        """Tell whether a surface or an input declares the file of a reader. The run watches all but native ones."""
        if not self.has_surfaces or read.unwatched is None:
            return read.unwatched is None and (self.has_surfaces or self.takes_paths)
        try:
            surfaces = [*self.surfaces((None,)), *self.written((None,))] if read.unwatched else []
        except Exception:  # the author's function of the partition
            return False
        path = os.path.abspath(read.unwatched)
        return any(
            getattr(surface, "path", None) == path or surface.source.partition(":")[2] == read.unwatched
            for surface in surfaces
        )


def _told(use: str) -> str:
    """Word a use of the context that is an attribute alone as a sentence, as the others are.

    >>> _told("context.instance in helper"), _told("context is used as a value")
    ('context.instance in helper may bring in an input', 'context is used as a value')
    """
    attribute, _, rest = use.partition(" ")
    is_bare = "." in attribute and (not rest or rest.startswith("in "))
    return f"{use} may bring in an input" if is_bare else use


def plain_spec(asset: DeclaredAsset) -> TableSpec:
    """Build the declaration of a plain `@dg.asset`: its function alone."""
    function = asset.function
    definition = asset.assets_def
    output = definition.op.output_dict[definition.get_output_name_for_asset_key(asset.asset_key)]
    given = definition.op.input_dict
    ins = [name for name, one in given.items() if not one.dagster_type.is_nothing]
    shape = shape_of(function, ins=ins, is_plain=True)
    resources = definition.op.required_resource_keys | set(shape.resources)
    return TableSpec(
        function=function,
        shape=shape,
        resource_keys=tuple(sorted(resources - {asset.io_manager_key})),
        code_version=asset.author_code_version,
        format=registered_format(output.dagster_type.typing_type),
        is_plain=True,
    )


def made_along(assets_def: dg.AssetsDefinition, key: dg.AssetKey) -> set[dg.AssetKey]:
    """Return the other assets that a run of this one is to select too.

    A function that cannot make a part of its assets makes all. Under `@result_tables` one that can is to make the
    siblings along that the asset derives from.
    """
    if not assets_def.can_subset:
        return set(assets_def.keys) - {key}
    spec, found = spec_of(assets_def), set[dg.AssetKey]()
    rest = [key] if spec is not None and spec.is_of_many else []
    while rest:
        above = siblings_of(assets_def, rest.pop()) - found
        found |= above
        rest += above
    return found - {key}


def spec_of(assets_def: dg.AssetsDefinition, key: dg.AssetKey | None = None) -> TableSpec | None:
    """Return the declaration behind an asset under `@result_table`, also after Dagster has copied the asset.

    Under `@result_tables` that of one asset, or without a key that of the function, which they share.
    """
    if not isinstance(assets_def.node_def, dg.OpDefinition):
        return None
    compute = getattr(assets_def.op.compute_fn, "decorated_fn", None)
    spec = getattr(compute, "result_table", None)
    if not isinstance(spec, TableSpec):
        return None
    return spec.outputs[assets_def.get_output_name_for_asset_key(key)] if key and spec.outputs else spec
