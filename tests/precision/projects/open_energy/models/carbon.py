from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, field_validator, model_validator


class Intensity(BaseModel):
    forecast: int
    actual: int | None = None
    index: str = Field(pattern="^(low|moderate|high)$")


class Entry(BaseModel):
    start: Annotated[datetime, Field(alias="from")]
    end: Annotated[datetime, Field(alias="to")]
    intensity: Intensity

    @field_validator("start", "end", mode="before")
    @classmethod
    def _zulu(cls, value):
        return value.replace("Z", "+00:00") if isinstance(value, str) else value

    @model_validator(mode="after")
    def _ordered(self):
        if self.end <= self.start:
            raise ValueError("an entry ends before it starts")
        return self


class Response(BaseModel):
    items: list[Entry]
