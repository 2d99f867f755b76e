"""The code location."""

import os

import dagster as dg

from course_lake.assets import courses
from course_lake.resources import Grading, Lake, PlatformResource

ENVIRONMENT = os.getenv("DAGSTER_ENVIRONMENT", "dev")
SECRETS = {"dev": "https://qa.example.org", "production": "https://learn.example.org"}

EXTERNAL = ("course_structure", "course_archive", "enrolment_rows", "raw_logs", "scores")

defs = dg.Definitions(
    assets=[*dg.load_assets_from_modules([courses]), *map(dg.AssetSpec, EXTERNAL)],
    resources={
        "platform": PlatformResource(
            base_url=SECRETS[ENVIRONMENT], client_id="dagster", secret=dg.EnvVar("PLATFORM_SECRET")
        ),
        "grading": Grading(passing=0.55),
        "lake": Lake(path="/data/lake.duckdb"),
    },
    schedules=[
        dg.ScheduleDefinition(
            name="nightly", cron_schedule="0 3 * * *", job=dg.define_asset_job("nightly_job", "course_index")
        )
    ],
)
