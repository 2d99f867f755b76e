"""Projects of the package index of which functions are judged, each at a pinned version.

A project is unpacked into a folder of its own, so that it counts as first-party code, and its metadata beside it. Its
functions are those of a small module, `flow`, as a pipeline would use them; or the assets of its own `Definitions`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "jammi_dagster" / "real_projects"
LIBRARIES = Path(__file__).with_name("real_projects.txt")
"""The versions of the libraries that the projects import, besides those that our own tests need."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RealProject:
    """A project, and a module that names its functions."""

    name: str
    pinned: str
    flow: str
    stand_ins: str = ""
    """Statements for names that a library of today does not have any more. They run before the project is imported."""
    has_definitions: bool = False
    """True if `flow` imports a `Definitions`, of which the assets are judged, not the names of `flow`."""


def unpack(project: RealProject, folder: Path) -> Iterator[Path]:
    """Lay a project and its flow into a folder, and yield the places to import from, the project's first."""
    wheels = CACHE / project.pinned
    if not wheels.exists():
        _pip("download", "--no-deps", "--dest", wheels, project.pinned)
    code, metadata = folder / "project", folder / "metadata"
    (wheel,) = wheels.iterdir()
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            archive.extract(name, metadata if ".dist-info/" in name else code)
    (code / "flow.py").write_text(project.flow, encoding="utf-8")
    yield code
    yield metadata
    yield _libraries()


def _libraries() -> Path:
    place = CACHE / "libraries"
    text = LIBRARIES.read_text()
    if not (place / LIBRARIES.name).exists() or (place / LIBRARIES.name).read_text() != text:
        shutil.rmtree(place, ignore_errors=True)
        _pip("install", "--no-deps", "--target", place, "--requirement", LIBRARIES)
        (place / LIBRARIES.name).write_text(text)
    return place


def _pip(command: str, *arguments: str | Path) -> None:
    with tempfile.TemporaryDirectory() as folder:  # the packages must not be found in the working directory
        done = [sys.executable, "-m", "pip", command, "--quiet", *map(str, arguments)]
        subprocess.run(done, check=True, cwd=folder)


PROJECTS = (
    RealProject(
        name="pudl",
        pinned="catalystcoop.pudl==2024.2.6",
        stand_ins="""
import sys, types, dagster
dagster.ExperimentalWarning = Warning
cacheable = types.ModuleType("dagster._core.definitions.cacheable_assets")
cacheable.CacheableAssetsDefinition = type("CacheableAssetsDefinition", (), {})
sys.modules[cacheable.__name__] = cacheable
""",
        flow="import pudl\nfrom pudl.etl import defs\n",
        has_definitions=True,
    ),
    RealProject(
        name="redframes",
        pinned="redframes==1.4.1",
        flow="""
from redframes.io import load
from redframes.verbs import (
    accumulate, combine, dedupe, denix, fill, gather, join, rank, rollup, sample, shuffle, split, spread, take
)
""",
    ),
    RealProject(
        name="janitor",
        pinned="pyjanitor==0.32.60",
        flow="""
import janitor
import janitor.finance
from janitor import (
    bin_numeric, clean_names, coalesce, concatenate_columns, convert_excel_date, currency_column_to_numeric,
    drop_constant_columns, flag_nulls, get_dupes, groupby_topk, impute, jitter, min_max_scale, remove_empty, shuffle
)
import pandas as pd


def tidied(orders: pd.DataFrame) -> pd.DataFrame:
    return orders.clean_names().remove_empty().impute(column_names="price", value=0.0)


def inflated(orders: pd.DataFrame) -> pd.DataFrame:
    return orders.inflate_currency(column_name="price", country="USA", currency_year=2010, to_year=2020)
""",
    ),
    RealProject(
        name="socceraction",
        pinned="socceraction==1.5.3",
        stand_ins="import pandera\npandera.SchemaModel = pandera.DataFrameModel\n",
        flow="""
import pandas as pd
from socceraction.atomic.spadl import convert_to_atomic as atomic_actions
from socceraction.spadl.opta import convert_to_actions as opta_actions
from socceraction.spadl.utils import add_names
from socceraction.spadl.wyscout import convert_to_actions as wyscout_actions
from socceraction.vaep import features as vaep
from socceraction.vaep.features import actiontype_onehot, goalscore, player_possession_time, startpolar, time
from socceraction.vaep.formula import value
from socceraction.vaep.labels import goal_from_shot, scores


def features(actions: pd.DataFrame) -> pd.DataFrame:
    states = vaep.gamestates(actions, 3)
    return pd.concat([made(states) for made in (vaep.actiontype, vaep.movement, vaep.time_delta)], axis=1)
""",
    ),
    RealProject(
        name="utilsforecast",
        pinned="utilsforecast==0.2.17",
        flow="""
from utilsforecast.data import generate_series
from utilsforecast.feature_engineering import fourier, future_exog_to_historic, trend
from utilsforecast.losses import mae, mase
from utilsforecast.preprocessing import fill_gaps
""",
    ),
    RealProject(
        name="windpowerlib",
        pinned="windpowerlib==0.2.2",
        flow="""
from windpowerlib.data import fetch_turbine_data_from_oedb, get_turbine_types
from windpowerlib.density import barometric, ideal_gas
from windpowerlib.power_curves import smooth_power_curve
from windpowerlib.power_output import power_coefficient_curve, power_curve
from windpowerlib.tools import linear_interpolation_extrapolation
from windpowerlib.wake_losses import get_wind_efficiency_curve, reduce_wind_speed
from windpowerlib.wind_speed import hellman, logarithmic_profile
""",
    ),
    RealProject(
        name="demandlib",
        pinned="demandlib==0.2.2",
        flow="""
import pandas as pd
from demandlib import bdew
from demandlib.bdew.elec_slp import dynamisation_function
from demandlib.tools import add_weekdays2df
from demandlib.vdi.dwd_try import find_try_region, read_dwd_weather_file


def electricity(demand: dict[str, float]) -> pd.DataFrame:
    return bdew.ElecSlp(2024).get_scaled_power_profiles(demand)


def heat(temperature: pd.Series) -> pd.Series:
    building = bdew.HeatBuilding(
        temperature.index, temperature=temperature, shlp_type="EFH", building_class=1, wind_class=1,
        annual_heat_demand=25000,
    )
    return building.get_bdew_profile()


def household(hours: pd.DataFrame) -> pd.Series:
    return pd.Series(bdew.H25(hours.index))
""",
    ),
    RealProject(
        name="census_data_aggregator",
        pinned="census-data-aggregator==0.0.8",
        flow="""
from census_data_aggregator import (
    approximate_mean, approximate_median, approximate_percentchange, approximate_product, approximate_proportion,
    approximate_ratio, approximate_sum
)
""",
    ),
    RealProject(
        name="nfl_data_py",
        pinned="nfl-data-py==0.3.3",
        flow="""
from nfl_data_py import (
    clean_nfl_data, import_ids, import_pbp_data, import_schedules, import_team_desc, import_weekly_data
)
""",
    ),
    RealProject(
        name="hsds_entity_resolution",
        pinned="hsds-entity-resolution==2.5.0",
        flow="""
import polars as pl
from hsds_entity_resolution.config import EntityResolutionRunConfig
from hsds_entity_resolution.core.apply_mitigation import apply_mitigation
from hsds_entity_resolution.core.clean_entities import clean_entities
from hsds_entity_resolution.core.cluster_pairs import cluster_pairs
from hsds_entity_resolution.core.materialize_review_queue import materialize_review_queue
from hsds_entity_resolution.core.prepare_persistence_artifacts import prepare_persistence_artifacts
from hsds_entity_resolution.core.score_candidates import score_candidates
from hsds_entity_resolution.core.score_candidates_sharded import partition_candidate_pairs_for_sharding


def settings() -> EntityResolutionRunConfig:
    return EntityResolutionRunConfig.defaults_for_entity_type(team_id="a", scope_id="b", entity_type="service")


def cleaned(organizations: pl.DataFrame, services: pl.DataFrame, index: pl.DataFrame) -> pl.DataFrame:
    return clean_entities(
        organization_entities=organizations, service_entities=services, previous_entity_index=index, config=settings()
    ).entity_index


def sharded(pairs: pl.DataFrame) -> list[pl.DataFrame]:
    return partition_candidate_pairs_for_sharding(pairs, num_shards=4)


def scored(pairs: pl.DataFrame, organizations: pl.DataFrame, services: pl.DataFrame) -> pl.DataFrame:
    return score_candidates(
        candidate_pairs=pairs, denormalized_organization=organizations, denormalized_service=services,
        config=settings(),
    ).scored_pairs


def mitigated(pairs: pl.DataFrame, reasons: pl.DataFrame, gone: pl.DataFrame, state: pl.DataFrame) -> pl.DataFrame:
    return apply_mitigation(
        scored_pairs=pairs, pair_reasons=reasons, removed_entity_ids=gone, previous_pair_state_index=state,
        config=settings(),
    ).finalized_scored_pairs


def clustered(pairs: pl.DataFrame, gone: pl.DataFrame) -> pl.DataFrame:
    return cluster_pairs(finalized_scored_pairs=pairs, removed_pair_ids=gone, config=settings()).clusters


def review_queue(
    pairs: pl.DataFrame, gone: pl.DataFrame, clusters: pl.DataFrame, members: pl.DataFrame
) -> pl.DataFrame:
    return materialize_review_queue(
        finalized_scored_pairs=pairs, removed_pair_ids=gone, clusters=clusters, cluster_pairs=members,
        config=settings(),
    ).review_queue_items


def persisted(frames: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    return prepare_persistence_artifacts(**frames, config=settings()).persistence_artifact_bundle
""",
    ),
)
BY_NAME = {project.name: project for project in PROJECTS}
