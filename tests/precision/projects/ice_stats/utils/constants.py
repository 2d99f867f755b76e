from collections import OrderedDict
from enum import Enum, IntEnum
from types import MappingProxyType


class Result(IntEnum):
    LOSS = 0
    OVERTIME = 1
    WIN = 2


class Strength(str, Enum):
    EVEN = "EV"
    POWER_PLAY = "PP"
    SHORT_HANDED = "SH"

    @property
    def weight(self) -> float:
        return {"EV": 1.0, "PP": 0.8, "SH": 1.4}[self.value]


DIVISIONS = MappingProxyType({"BOS": "atlantic", "TOR": "atlantic", "EDM": "pacific"})
COLUMNS = OrderedDict(gamePk="game_id", gameDate="date")
BASE_URL = "https://hockey.example.org/api/v1/"
