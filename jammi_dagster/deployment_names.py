"""The names of a deployment and its parent, where the code leaves them to the environment."""

from __future__ import annotations

import os
from typing import NamedTuple

DEPLOYMENT_VARIABLE = "JAMMI_DEPLOYMENT"
PARENT_VARIABLE = "JAMMI_PARENT"
DEFAULT = "default"


class DeploymentNames(NamedTuple):
    """A deployment, and its parent if it is a branch."""

    deployment: str
    parent: str | None


def deployment_names(deployment: str | None, parent: str | None) -> DeploymentNames:
    """Give the names to use: a deployment that is given, else the one of the environment, and its parent likewise.

    `JAMMI_PARENT` is the parent of the environment's deployment alone. One that turns out to be its own parent is the
    parent itself, and no branch: so one configuration serves production and its branches.

    >>> deployment_names("new-prices", "prod")
    DeploymentNames(deployment='new-prices', parent='prod')
    """
    if deployment is not None:
        return DeploymentNames(deployment, parent)
    name, above = _of_environment(), parent or os.environ.get(PARENT_VARIABLE) or None
    return DeploymentNames(name, None if name == above else above)


def _of_environment() -> str:
    """Name the deployment of this process: as `JAMMI_DEPLOYMENT` says, else as Dagster+ does."""
    dagster = os.environ.get("DAGSTER_CLOUD_GIT_BRANCH")
    if (
        os.environ.get("DAGSTER_CLOUD_IS_BRANCH_DEPLOYMENT") == "0"
    ):  # some agents name a branch in production, too
        dagster = None
    named = os.environ.get(DEPLOYMENT_VARIABLE) or dagster or os.environ.get("DAGSTER_CLOUD_DEPLOYMENT_NAME")
    return named or DEFAULT
