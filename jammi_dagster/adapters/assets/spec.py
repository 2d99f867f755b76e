"""The declaration of a result table by its author, and the undeclared reads that follow from it."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.declaration import DeclaredAsset
from jammi_dagster.adapters.assets.signature import FunctionShape, shape_of
from jammi_dagster.contract import CachePolicy, Verification
from jammi_dagster.fingerprint import (
    ADDRESS,
    SET_ORDER,
    CodeIdentity,
    OutsideRead,
    context_uses_outside,
    disk_state,
    identify,
    is_of_the_run,
    members_used_of,
)
from jammi_dagster.surfaces import VersionSurface

Reads = Sequence[VersionSurface] | Callable[[str | None], Sequence[VersionSurface]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSpec:
    """The declaration of an asset: its function, and the arguments of the contract."""

    function: Callable[..., Any]
    shape: FunctionShape
    resource_keys: tuple[str, ...] = ()
    reads: Reads | None = None
    cache: CachePolicy | None = None
    verify_inputs: Verification | None = None
    code_version: str | None = None
    allow_missing: bool = False
    single_flight: bool = True
    depends_on: tuple[Any, ...] = ()
    ignore: tuple[str, ...] = ()
    allow_reads: tuple[str, ...] = ()
    is_plain: bool = False

    def code(self) -> CodeIdentity:
        """Identify the code as it is in this process."""
        return identify(
            self.function, code_version=self.code_version, depends_on=self.depends_on, ignore=self.ignore
        )

    def disk_state(self) -> str:
        """Digest everything besides loaded code that the identity takes from disk; empty under a code version."""
        return "" if self.code_version is not None else disk_state(self.function, depends_on=self.depends_on)

    def outdated(self, code: CodeIdentity, *, has_edits: bool) -> tuple[str, ...]:
        """List the places where the running code differs from its file.

        An author's code version may have been edited too, so its function is looked at where any file `has_edits`.
        """
        if code.kind == "code_version" and has_edits:
            code = identify(self.function, depends_on=self.depends_on, ignore=self.ignore)
        return code.outdated

    def surfaces(self, partitions: Iterable[str | None]) -> list[VersionSurface]:
        """List the surfaces that `reads=` declares for these partitions, or for the whole asset under None."""
        if callable(self.reads):
            return [surface for partition in partitions for surface in self.reads(partition)]
        return list(self.reads or ())

    def undeclared(
        self, asset: DeclaredAsset, code: CodeIdentity, config_resources: Collection[str] = ()
    ) -> list[str]:
        """List the reasons why the function may read an undeclared input (DESIGN 4, "Undeclared inputs").

        `config_resources` are the keys of resources that are config alone.
        """
        upstream = any(dependency.asset_key != asset.asset_key for dependency in asset.dependencies)
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
        return reasons + [f"{use}: {way_out}" for use in uses]

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
        return context_uses_outside(self.function, self.shape.context)

    def code_reads(self, code: CodeIdentity) -> list[str]:
        """List the reads in the code that nothing declares."""
        return [reason for read in code.outside if (reason := self._undeclared_read(read))]

    def _undeclared_read(self, read: OutsideRead) -> str | None:
        """Return the reason why a read in the code counts as undeclared, or None. `reads=` covers its own files."""
        if read.what in self.allow_reads or (read.is_declarable and self._is_declared(read)):
            return None
        place = f"{read.what} ({read.where})"
        allowed = f"allow_reads=[{read.what!r}] if it does no harm, or set code_version="
        if read.what == SET_ORDER:
            return f"{place} takes a set in its order, which differs between processes: sort it, or {allowed}"
        if read.what == ADDRESS:
            return f"{place} is the text of an object, and tells its address: give its class a __repr__, or {allowed}"
        if read.is_declarable and self.reads:
            return f"{place} reads {_shown(read)}: declare it in reads=[…], or {allowed}"
        if read.is_declarable and self.is_plain:
            return f"{place} reads an undeclared input: {self._declare} it in reads=[…]"
        if read.is_declarable:
            return f"{place} reads an undeclared input: declare it in reads=[…], or {allowed}"
        return f"{place} changes from run to run: pass the value in, or {allowed}"

    def _is_declared(self, read: OutsideRead) -> bool:
        """Return whether `reads=` declares the file that a reader reads. The run watches all but native readers."""
        if not self.reads or read.unwatched is None:
            return bool(self.reads)
        try:
            surfaces = self.surfaces((None,)) if read.unwatched else []
        except Exception:  # the author's function of the partition
            return False
        path = os.path.abspath(read.unwatched)
        return any(
            getattr(surface, "path", None) == path or surface.source.partition(":")[2] == read.unwatched
            for surface in surfaces
        )


def _shown(read: OutsideRead) -> str:
    return (
        f"{read.unwatched}, which reads= does not declare"
        if read.unwatched
        else "a file that the code does not show"
    )


def plain_spec(asset: DeclaredAsset) -> TableSpec:
    """Build the declaration of a plain `@dg.asset`: its function alone."""
    function = asset.function
    given = asset.assets_def.op.input_dict
    ins = [name for name, one in given.items() if not one.dagster_type.is_nothing]
    shape = shape_of(function, ins=ins, is_plain=True)
    resources = asset.assets_def.op.required_resource_keys | set(shape.resources)
    return TableSpec(
        function=function,
        shape=shape,
        resource_keys=tuple(sorted(resources - {asset.io_manager_key})),
        code_version=asset.author_code_version,
        is_plain=True,
    )


def spec_of(assets_def: dg.AssetsDefinition) -> TableSpec | None:
    """Return the declaration behind an asset under `@result_table`, also after Dagster has copied the asset."""
    if not isinstance(assets_def.node_def, dg.OpDefinition):
        return None
    compute = getattr(assets_def.op.compute_fn, "decorated_fn", None)
    spec = getattr(compute, "result_table", None)
    return spec if isinstance(spec, TableSpec) else None
