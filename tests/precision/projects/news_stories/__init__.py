from dagster import AssetSpec, Definitions, load_assets_from_package_module

from . import assets
from .resources import RESOURCES

all_assets = load_assets_from_package_module(assets, group_name="stories")

defs = Definitions(assets=[*all_assets, AssetSpec("items"), AssetSpec("stories")], resources=RESOURCES)
