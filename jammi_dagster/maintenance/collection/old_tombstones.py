"""The removal of tombstones that are older than any backup.

1. A tombstone of a collected materialization goes with its manifest, unless objects of it are there, or a table of the
   same attempt is: an attempt is adopted as a whole.
2. A tombstone of a drop goes once nothing is left of which the name could come back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from jammi_dagster.artifacts import ArtifactRoot, sidecar_path
from jammi_dagster.catalog import CollectionRows
from jammi_dagster.catalog.records import artifact_of, id_of
from jammi_dagster.errors import JammiError
from jammi_dagster.maintenance.bulk import Progress, delete_all, each
from jammi_dagster.maintenance.objects import our_objects
from jammi_dagster.maintenance.tombstones import attempt_of_collected, folder_of


def remove_old_tombstones(
    root: ArtifactRoot,
    rows: CollectionRows,
    *,
    collected: Sequence[str],
    drops: Sequence[str],
    dry_run: bool,
) -> tuple[int, dict[str, str]]:
    """Remove the tombstones at these paths that nothing needs; give their number, and why others could not be removed.

    With `dry_run` they are only counted.
    """
    failed = dict[str, str]()

    def those(paths: Sequence[str], is_needless: Callable[[str], bool]) -> list[str]:
        found = list[str]()
        for path, answer in each(root, paths, is_needless):
            if isinstance(answer, JammiError):
                failed[path] = str(answer)
            elif answer:
                found.append(path)
        return found

    artifacts = list(map(artifact_of, collected))
    attempts = rows.attempts_of([id_of(artifact) for artifact in artifacts])
    alive = rows.attempts_left() if artifacts else frozenset()

    def is_over(path: str) -> bool:
        artifact = artifact_of(path)
        if id_of(artifact) in attempts:
            status, attempt = attempts[id_of(artifact)]
        else:
            status, attempt = "collected", attempt_of_collected(root, artifact)
        if status != "collected" or attempt in alive:
            return False
        return all(root.size(one) is None for one in (artifact, sidecar_path(artifact)))

    going = set(those(collected, is_over))

    def is_alone(path: str) -> bool:
        folder = folder_of(path)
        listed = our_objects(root, folder_of(folder), Progress(tell=_nothing), below=folder)
        return all(kind == "drop" or stored.path in going for kind, stored in listed)

    going.update(those(drops, is_alone))
    if not dry_run:
        failed |= {path: str(error) for path, error in delete_all(root, sorted(going)) if error is not None}
    return len(going - failed.keys()), failed


def _nothing(line: str) -> None:
    """Tell nobody."""
