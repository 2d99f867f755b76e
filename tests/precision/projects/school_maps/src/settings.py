"""Settings, from the environment."""

from functools import lru_cache

from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    ENVIRONMENT: str = "local"
    STORAGE_ACCOUNT: str = ""
    MAX_DISTANCE_KM: float = 5.0

    @property
    def in_production(self) -> bool:
        return self.ENVIRONMENT == "production"


class Constants:
    """Values that are the same everywhere."""

    raw_folder = "raw"
    adls_prefix = "schools"
    coordinate_digits = 5
    mandatory = ("school_id", "latitude", "longitude")

    def dataset_prefix(self, kind: str) -> str:
        return f"{self.adls_prefix}/{kind}"


@lru_cache
def get_settings() -> Settings:
    return Settings()


settings = get_settings()
constants = Constants()
