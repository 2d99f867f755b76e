"""Courses, their structure and their results."""

import gzip
import io
import json
import tarfile
import uuid
from datetime import date, datetime, timedelta, timezone

import dagster as dg
import polars as pl
from pydantic import Field

from course_lake.lib.openedx import policy_of, rows
from course_lake.lib.sanitize import content_version, obfuscate, sanitize_mapping_key, slug
from course_lake.resources import Grading, Lake, PlatformResource

DAYS = dg.DailyPartitionsDefinition(start_date="2024-01-01")
COURSES = dg.MultiPartitionsDefinition(
    {"course": dg.StaticPartitionsDefinition(["6.002x", "8.01x"]), "day": DAYS}
)


class ExportConfig(dg.Config):
    bucket: str = Field(default="exports", description="The bucket of the exports.")
    prefix: str = Field(default="", description="A prefix of the keys.")
    sample_rows: int = 100


@dg.asset(group_name="platform")
def course_list(context: dg.AssetExecutionContext, platform: PlatformResource) -> list[dict]:
    courses = platform.client.courses()
    context.log.info("%s courses", len(courses))
    return courses


@dg.asset(group_name="platform")
def course_index(course_list: list[dict]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"id": course["id"], "slug": slug(course["name"]), "mapping": sanitize_mapping_key(course["id"])}
            for course in sorted(course_list, key=lambda course: course["id"])
        ]
    )


@dg.asset(partitions_def=COURSES)
def course_blocks(context: dg.AssetExecutionContext, course_structure: dict) -> pl.DataFrame:
    dimensions = context.partition_key.keys_by_dimension
    return pl.DataFrame(rows(course_structure)).with_columns(
        pl.lit(dimensions["course"]).alias("course"), pl.lit(dimensions["day"]).alias("day")
    )


@dg.asset
def course_structure_versions(course_structure: dict) -> pl.DataFrame:
    document = json.dumps(course_structure, sort_keys=True).encode()
    return pl.DataFrame({"version": [content_version(document)], "bytes": [len(document)]})


@dg.asset
def course_policies(course_archive: bytes) -> pl.DataFrame:
    """The policy files in an archive that an upstream asset holds in memory."""
    found = []
    with tarfile.open(fileobj=io.BytesIO(course_archive), mode="r:gz") as archive:
        for member in archive.getmembers():
            if member.name.endswith("policy.xml"):
                text = archive.extractfile(member).read().decode()
                found.append({"path": member.name, **policy_of(text)})
    return pl.DataFrame(found)


@dg.asset
def enrolments(enrolment_rows: pl.DataFrame) -> pl.DataFrame:
    return (
        enrolment_rows.lazy()
        .filter(pl.col("mode").is_in(["verified", "audit"]))
        .with_columns(pl.col("username").map_elements(obfuscate, return_dtype=pl.String))
        .group_by("course", "mode", maintain_order=True)
        .agg(pl.len().alias("learners"), pl.col("created").min().alias("first"))
        .collect()
    )


@dg.asset(partitions_def=DAYS)
def tracking_logs(context: dg.AssetExecutionContext, raw_logs: bytes) -> pl.DataFrame:
    window = context.partition_time_window
    lines = [json.loads(line) for line in gzip.decompress(raw_logs).splitlines() if line.strip()]
    kept = [line for line in lines if window.start.isoformat() <= line["time"] < window.end.isoformat()]
    context.log.info("%s of %s events kept at %s", len(kept), len(lines), datetime.now(timezone.utc))
    return pl.DataFrame(kept)


@dg.asset(partitions_def=DAYS)
def week_of(context: dg.AssetExecutionContext, tracking_logs: pl.DataFrame) -> pl.DataFrame:
    day = date.fromisoformat(context.partition_key)
    monday = day - timedelta(days=day.weekday())
    return tracking_logs.with_columns(pl.lit(monday).alias("week"))


@dg.asset
def grades(scores: pl.DataFrame, grading: Grading) -> pl.DataFrame:
    letters = [grading.letter(score) for score in scores["score"]]
    return scores.with_columns(pl.Series("letter", letters))


@dg.asset
def certificates(grades: pl.DataFrame) -> pl.DataFrame:
    passed = grades.filter(pl.col("letter") != "F")
    return passed.with_columns(pl.Series("certificate", [str(uuid.uuid4()) for _ in range(len(passed))]))


@dg.asset
def recent_enrolments(enrolment_rows: pl.DataFrame) -> pl.DataFrame:
    limit = datetime.now() - timedelta(days=30)
    return enrolment_rows.filter(pl.col("created") >= limit)


@dg.asset(deps=["enrolments"])
def lake_summary(lake: Lake) -> pl.DataFrame:
    return lake.query("select course, sum(learners) as learners from enrolments group by course")


@dg.asset
def enrolment_sample(config: ExportConfig, enrolment_rows: pl.DataFrame) -> pl.DataFrame:
    return enrolment_rows.sample(n=min(config.sample_rows, len(enrolment_rows)), seed=7)


@dg.asset
def shuffled_enrolments(config: ExportConfig, enrolment_rows: pl.DataFrame) -> pl.DataFrame:
    return enrolment_rows.sample(n=min(config.sample_rows, len(enrolment_rows)), shuffle=True)


@dg.asset
def export_keys(context: dg.AssetExecutionContext, config: ExportConfig, course_index: pl.DataFrame) -> pl.DataFrame:
    """The objects that an export will write, by course."""
    prefix = f"s3://{config.bucket}/{config.prefix}".rstrip("/")
    keys = course_index.select((pl.lit(f"{prefix}/") + pl.col("slug") + ".json").alias("key"))
    context.add_output_metadata({"preview": dg.MetadataValue.md(str(keys.head(3))), "run": context.run_id})
    return keys
