"""Bronze and silver assets, from a decorator that does the common steps."""

import io
from functools import wraps
from typing import Any, Callable, Dict, List, Optional, TypeVar

import polars as pl
import requests
from dagster import AssetExecutionContext
from pydantic import BaseModel, ValidationError

T = TypeVar("T", bound=BaseModel)


class ETLBase:
    """The steps of a bronze asset."""

    def __init__(self, url_key: str, asset_urls: Dict[str, str]):
        self.url_key = url_key
        self.asset_urls = asset_urls

    def fetch_data(self) -> Dict[str, Any]:
        response = requests.get(self.asset_urls[self.url_key])
        response.raise_for_status()
        return response.json()

    def validate_data(self, data: Any, model: Optional[type[T]]) -> List[Dict[str, Any]]:
        if model is None:
            return []
        try:
            model.model_validate(data)
            return []
        except ValidationError as e:
            return [{"loc": str(err["loc"]), "msg": str(err["msg"])} for err in e.errors()]

    def to_parquet_bytes(self, df: pl.DataFrame) -> bytes:
        buffer = io.BytesIO()
        df.write_parquet(buffer)
        buffer.seek(0)
        return buffer.getvalue()


def bronze_asset_factory(
    url_key: str,
    asset_urls: Dict[str, str],
    model: Optional[type[T]] = None,
    transform_func: Optional[Callable] = None,
):
    def decorator(func):
        @wraps(func)
        def wrapper(context: AssetExecutionContext) -> bytes:
            etl = ETLBase(url_key, asset_urls)
            data = etl.fetch_data()
            for error in etl.validate_data(data, model):
                context.log.warning(f"Validation error at {error['loc']}: {error['msg']}")
            df = pl.DataFrame(transform_func(data) if transform_func else data["items"])
            context.log.info(f"Preview: {df.head(15)}")
            return etl.to_parquet_bytes(df)

        return wrapper

    return decorator


def silver(model: Optional[type[T]] = None, drop: tuple = ()):
    """Validate the records of the one upstream asset, and hand them to the function as a frame."""

    def decorator(func):
        @wraps(func)
        def wrapper(context: AssetExecutionContext, records: list) -> pl.DataFrame:
            errors = ETLBase("", {}).validate_data({"items": records}, model)
            context.log.info(f"Validation completed with {len(errors)} errors")
            df = pl.DataFrame(records)
            return func(context, df.drop([column for column in drop if column in df.columns]))

        return wrapper

    return decorator
