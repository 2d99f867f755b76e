"""The modules in which this package's public names stood in their first release.

An identity names an object of a library by module and name, and a descriptor names a resource's class the same way. So
a public name that moves within this package keeps the name of its first home in both: a move must not move a hash.
"""

from __future__ import annotations

_ADAPTERS = "jammi_dagster.adapters"
_FIRST_HOMES = {
    f"{_ADAPTERS}.automation_condition.StaleMaterialization": f"{_ADAPTERS}.condition",
    f"{_ADAPTERS}.decorator.ResultTableAsset": f"{_ADAPTERS}.asset",
    f"{_ADAPTERS}.decorator.result_table": f"{_ADAPTERS}.asset",
    f"{_ADAPTERS}.handoff.store_resource.ResultStoreResource": f"{_ADAPTERS}.resources",
    f"{_ADAPTERS}.jobs.build_recompute_job": f"{_ADAPTERS}.recompute",
    f"{_ADAPTERS}.jobs.build_recovery_job": f"{_ADAPTERS}.recovery",
    f"{_ADAPTERS}.sensor.builders.build_staleness_schedule": f"{_ADAPTERS}.sensor",
    f"{_ADAPTERS}.sensor.builders.build_staleness_sensor": f"{_ADAPTERS}.sensor",
    "jammi_dagster.maintenance.recovery.RecoveryReport": "jammi_dagster.recording.recovery",
    "jammi_dagster.store.ResultStore": "jammi_dagster.results",
}


def first_home(module: str, qualname: str) -> str:
    """Name the module in which an object of this package was first released; of any other object, its module.

    >>> first_home("jammi_dagster.store", "ResultStore")
    'jammi_dagster.results'
    >>> first_home("pandas.core.frame", "DataFrame")
    'pandas.core.frame'
    """
    return _FIRST_HOMES.get(f"{module}.{qualname.partition('.')[0]}", module)
