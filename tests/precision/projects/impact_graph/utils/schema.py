"""From models to columns."""

import types
from datetime import datetime
from typing import Optional, Union, get_args, get_origin

from pydantic import BaseModel

COLUMN_TYPES = {str: "text", int: "bigint", float: "double", bool: "bool", datetime: "timestamp"}


class Amount(BaseModel):
    value: float
    currency: str


class Account(BaseModel):
    id: str
    slug: str
    name: Optional[str] = None
    created: Optional[datetime] = None
    archived: bool = False


class Transaction(BaseModel):
    id: str
    kind: Optional[str] = None
    amount: Amount
    account: Optional[Account] = None


def nullable_columns(model: type[BaseModel]) -> dict[str, str]:
    columns = {}
    for name, info in model.model_fields.items():
        kind = info.annotation
        if get_origin(kind) in (Union, types.UnionType):
            (kind,) = [one for one in get_args(kind) if one is not type(None)]
        columns[name] = COLUMN_TYPES.get(kind, "json")
    return columns
