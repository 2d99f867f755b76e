"""The folders below a root in which runs keep the values that their steps hand to each other."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from jammi_dagster.artifacts import ArtifactRoot, runs_folder
from jammi_dagster.catalog import CollectionRows
from jammi_dagster.errors import ArtifactMissing, JammiError
from jammi_dagster.maintenance.bulk import delete_all

# our values and the drafts of them: nothing else below the folder is ours to remove
_OURS = re.compile(
    r"/([A-Za-z0-9_-][A-Za-z0-9._-]*)/[^/]+-[0-9a-f]{16}/\.?[^/]+-[0-9a-f]{16}\.pickle(\.[0-9a-f]{16})?"
)


@dataclass(frozen=True, slots=True)
class RunFolders:
    """The folders of the runs of one tenant."""

    root: ArtifactRoot
    tenant: str | None

    def runs(self) -> dict[str, list[str]]:
        """Return the paths of each run's values. Raises `StorageFailed`."""
        return self._below(runs_folder(self.tenant))

    def remove(self, run_id: str) -> dict[str, JammiError | None]:
        """Remove the values of a run, and its folder where it is empty then; an object store has none.

        Returns their paths, each with the error if it could not be removed. Raises `StorageFailed`.
        """
        runs = runs_folder(self.tenant)
        removed = dict(delete_all(self.root, self._below(f"{runs}/{run_id}").get(run_id, [])))
        if self.root.local_root is not None:
            below = Path(self.root.local_root, runs)
            with suppress(OSError):  # something is in it, or another process was quicker
                for folder in [*below.joinpath(run_id).iterdir(), below / run_id, below]:
                    folder.rmdir()
        return removed

    def sweep(self, rows: CollectionRows, *, dry_run: bool = False) -> tuple[list[str], dict[str, str]]:
        """Remove the values of runs that are over: those whose leases have run out; a dry run only names them.

        Returns the removed paths, and why the others could not be removed. Raises `StorageFailed`.
        """
        of_runs = self.runs()
        swept: dict[str, JammiError | None] = {}
        for run_id in rows.ended_runs(list(of_runs)):
            swept |= dict.fromkeys(of_runs[run_id]) if dry_run else self.remove(run_id)
        failed = {path: str(error) for path, error in swept.items() if error is not None}
        return [path for path in swept if path not in failed], failed

    def _below(self, folder: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        with suppress(ArtifactMissing):  # no folder is an empty one
            for stored in self.root.objects(folder):
                ours = _OURS.fullmatch(stored.path.removeprefix(runs_folder(self.tenant)))
                if ours:
                    found.setdefault(ours[1], []).append(stored.path)
        return found
