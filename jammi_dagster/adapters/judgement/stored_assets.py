"""The assets of a code location that a result store keeps, opened when they are asked for."""

from __future__ import annotations

from collections.abc import Iterable

import dagster as dg

from jammi_dagster.adapters.code_location.current_asset import CurrentAsset
from jammi_dagster.adapters.code_location.dry_step import first_line
from jammi_dagster.adapters.code_location.location import Location
from jammi_dagster.adapters.handoff.store_resource import is_store_backed
from jammi_dagster.contract import TableName
from jammi_dagster.errors import InvalidTableName
from jammi_dagster.store import ResultStore, StoreIdentity

PARTITION_GONE = "its partition no longer exists"


class StoredAssets:
    """Assets on result stores, each opened once. `problems` names the assets that could not be opened, with why."""

    def __init__(self, location: Location) -> None:
        self.location = location
        self.problems: dict[dg.AssetKey, str] = {}
        self._opened: dict[dg.AssetKey, CurrentAsset | None] = {}

    def asset(self, key: dg.AssetKey) -> CurrentAsset | None:
        """Return an asset; None where another IO manager stores it, or where it cannot be opened."""
        if key not in self._opened:
            try:
                self._opened[key] = self._open(key)
            except Exception as error:  # an IO manager may raise anything as it is made
                self.problems[key] = first_line(error)
                self._opened[key] = None
        return self._opened[key]

    def assets(self, keys: Iterable[dg.AssetKey]) -> list[CurrentAsset]:
        """Return the assets among these keys that are on a result store."""
        return [asset for asset in map(self.asset, keys) if asset is not None]

    def maker(self, table: str) -> CurrentAsset | None:
        """Return the asset that makes a table now; None where none does."""
        try:
            asset = self.asset(dg.AssetKey(TableName.parse(table).asset_key))
        except InvalidTableName:
            return None
        return asset if asset is not None and table in asset.tables() else None

    def on(self, identity: StoreIdentity) -> list[CurrentAsset]:
        """Return the assets opened so far that one store keeps."""
        return [asset for asset in self._opened.values() if asset and asset.store.identity == identity]

    def stores(self) -> list[ResultStore]:
        """Return the stores of the assets opened so far."""
        opened = [asset for asset in list(self._opened.values()) if asset is not None]
        return list({asset.store.identity: asset.store for asset in opened}.values())

    def why_gone(self, table: str) -> str:
        """Say why no asset makes a table of the catalog; empty if one does."""
        try:
            asset = self.asset(dg.AssetKey(TableName.parse(table).asset_key))
        except InvalidTableName:
            return "no asset makes a table of this name"
        if asset is None:
            return "no asset of this code location makes it"
        return "" if table in asset.tables() else PARTITION_GONE

    def _open(self, key: dg.AssetKey) -> CurrentAsset | None:
        assets_def = self.location.assets_def(key)
        if assets_def is None:
            return None
        manager_key = assets_def.get_io_manager_key_for_asset_key(key)
        output = assets_def.node_def.output_dict[assets_def.get_output_name_for_asset_key(key)]
        manager = self.location.resource(assets_def, manager_key)
        if not is_store_backed(manager) or output.dagster_type.is_nothing:
            return None
        return CurrentAsset(self.location, key, self.location.store(manager))
