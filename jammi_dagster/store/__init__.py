"""`ResultStore`: the one façade, for people with and without Dagster.

Each room is a part of it, and builds on the one before: `opened.py`, `reading.py`, `judging.py`, `writing.py`,
`deploying.py`, `upkeep.py`.

Not done here: anything that a part asks the rooms below to do.
"""

from jammi_dagster.store.opened import StoreIdentity
from jammi_dagster.store.upkeep import KeptStore

__all__ = ["ResultStore", "StoreIdentity"]


class ResultStore(KeptStore):
    """Result tables under one root, with their catalog.

    `root` is a folder or an fsspec URL (`s3://bucket/prefix`, with `storage_options`). `catalog` is a path of an
    SQLite file or a URL (`sqlite:///…`, `postgresql://…`); for a local root it is `catalog.db` in the root unless
    given. A relative path starts at the folder of the nearest `pyproject.toml` above the file that calls this. `tenant`
    owns the tables that are seen and written (None: the global ones); `deployment` is the namespace of "current"
    (None: as the environment names it, else `default`).

    A deployment with a `parent` is a branch: it reads the parent's tables where it has none, and writes only its own.
    `parent_at` reads the parent as it was at a sequence (see `sequence`). A branch lasts for `ttl_days` after it was
    last written to, or until `drop_deployment`. The parent may be another store: then the branch has a catalog and a
    root of its own, and the parent's are only read.

    With `read_only` a catalog of an older version is refused, not upgraded, and writing is.

    Raises `InvalidStore`, `InvalidDeployment`, `NoProjectFolder`, `CatalogUnavailable`, `CatalogReadOnly` and
    `CatalogFromNewerVersion`.
    """
