"""Names that depend on the deployment."""

import os


def get_environment() -> str:
    if os.getenv("DAGSTER_CLOUD_IS_BRANCH_DEPLOYMENT", "") == "1":
        return "BRANCH"
    return os.getenv("DAGSTER_CLOUD_DEPLOYMENT_NAME", "local").upper()


def get_schema_for_environment(schema: str) -> str:
    return schema if get_environment() == "PROD" else f"{schema}_dev"


def join_parts(*parts: str) -> str:
    return ".".join(part.lower() for part in parts if part)
