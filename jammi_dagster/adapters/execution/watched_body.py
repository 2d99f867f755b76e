"""A body under watch: which of its inputs may not be recorded as pinned, for the way in which it ran."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from jammi_dagster.adapters.assets.signature import code_of
from jammi_dagster.adapters.execution.inputs import settle
from jammi_dagster.adapters.execution.read_watch import Watch, watching
from jammi_dagster.adapters.execution.table_step import TableStep
from jammi_dagster.adapters.recipe.inputs import InputSnapshot
from jammi_dagster.fingerprint import CodeIdentity, note_step
from jammi_dagster.objects import copies_folder
from jammi_dagster.surfaces import FileSurface


class WatchedBody:
    """One run of a function: the reads that were seen, and the files and surfaces that moved meanwhile.

    Of several tables that the function makes, `tables` are any: they share all that is watched.
    """

    def __init__(self, tables: TableStep) -> None:
        self._tables, self._code = tables, tables.recipe.code
        self._stamps, self._own_stamps = _stamps(tables), _own_stamps(self._code)
        self._watch = _watch(tables)
        note_step(str(tables.asset_name), self._code.changes)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Watch the function, and what is written of its results: the body of a generator runs meanwhile."""
        with watching(self._watch), self._tables.reads:
            yield
        self._watch.recall(self._code.cached)
        now = _stamps(self._tables)
        self._moved = {source for source, stamp in self._stamps.items() if now.get(source) != stamp}
        self._is_edited = self._own_stamps != _own_stamps(self._code) or (
            bool(self._own_stamps) and _own_files(self._code) != _own_files(self._tables.spec.code())
        )
        for read in self._watch.found.values():
            self._tables.step.log.warning(f"{self._tables.asset_name}: {read}")

    def settled(self, tables: TableStep, before: InputSnapshot, after: InputSnapshot) -> InputSnapshot:
        """Return the anchors to record for one asset, whose inputs had these states around the function."""
        inputs = settle(before, after, moved=self._moved)
        for read in self._watch.found.values():
            inputs = inputs.with_unpinned(read.source, [str(read)])
        if self._is_edited:
            why_not = (
                "a file of its package or of depends_on= has changed while the function ran: run it again"
            )
            inputs = inputs.with_unpinned(f"undeclared:{tables.asset_name}", [why_not])
        return inputs


def _watch(tables: TableStep) -> Watch:
    """Return a watch for reads that are neither declared nor the store's."""
    spec = tables.spec
    allowed = ["*"] if tables.is_plain else [*spec.allow_reads]  # the body of a plain asset has run already
    keys = tables.step.partition_keys
    surfaces = [*spec.surfaces(keys), *spec.written(keys)]
    allowed += [surface.path for surface in surfaces if isinstance(surface, FileSurface)]
    copies = [copies_folder()] if spec.takes_paths else []
    module = code_of(spec.function).__module__ or ""  # made by `exec`, it may have none
    return Watch(
        module=module.partition(".")[0],
        allowed=allowed,
        within=[tables.store.identity.root, *tables.recipe.code.files, *copies],
    )


def _stamps(tables: TableStep) -> dict[str, tuple[int, ...] | None]:
    """Return the stamp of each declared file: one that was replaced and put back has its old content again."""
    surfaces = tables.spec.surfaces(tables.step.partition_keys)
    return {surface.source: surface.stamp() for surface in surfaces if isinstance(surface, FileSurface)}


def _own_stamps(code: CodeIdentity) -> list[tuple[int, ...] | None]:
    """Return the same of the files that are a part of the code."""
    return [FileSurface(source=path, path=path).stamp() for path in (*code.files, *code.dependencies)]


def _own_files(code: CodeIdentity) -> tuple[object, ...]:
    """Return their digests, as the identity of the code has them."""
    return code.files, {part for part in code.components if part.kind == "file"}
