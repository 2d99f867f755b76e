import json
from abc import ABC, abstractmethod

import requests
from dagster import ConfigurableResource


class NewsClient(ConfigurableResource, ABC):
    @abstractmethod
    def item(self, number: int) -> dict: ...

    @abstractmethod
    def newest(self) -> int: ...


class HNClient(NewsClient):
    url: str = "https://news.example.org/v0"

    def item(self, number: int) -> dict:
        return requests.get(f"{self.url}/item/{number}.json", timeout=5).json()

    def newest(self) -> int:
        return requests.get(f"{self.url}/maxitem.json", timeout=5).json()


class HNSnapshot(NewsClient):
    path: str

    def item(self, number: int) -> dict:
        with open(self.path) as file:
            return json.load(file)[str(number)]

    def newest(self) -> int:
        with open(self.path) as file:
            return max(map(int, json.load(file)))
