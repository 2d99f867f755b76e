"""A job that runs in processes of its own: twenty assets in a row, each with a check."""

import dagster as dg


def _asset(number: int) -> dg.AssetsDefinition:
    name = f"asset_{number:02}"
    upstream = [f"asset_{number - 1:02}"] if number else []

    @dg.asset(name=name, deps=upstream, check_specs=[dg.AssetCheckSpec("good", asset=name)])
    def made() -> dg.MaterializeResult:
        return dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=True)], tags={"team": "one"})

    return made


defs = dg.Definitions(
    assets=[_asset(number) for number in range(20)],
    jobs=[dg.define_asset_job("row", executor_def=dg.in_process_executor)],
)
