"""The only code that imports Dagster: its contexts come in, one call goes to the contract, its results go out."""

from dagster_shared.libraries import DagsterLibraryRegistry

from jammi_dagster import __version__

DagsterLibraryRegistry.register("jammi-dagster", __version__, is_dagster_package=False)
