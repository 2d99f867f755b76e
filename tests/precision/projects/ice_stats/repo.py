from dagster import AssetSpec, Definitions, load_assets_from_modules

from ice_stats.assets.ingest import nhl_games
from ice_stats.assets.transform import game_summary

sources = [AssetSpec(name) for name in ("raw_games", "shots", "path_to_cards")]
defs = Definitions(assets=[*load_assets_from_modules([nhl_games, game_summary]), *sources])
