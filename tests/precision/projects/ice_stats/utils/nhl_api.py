import requests

from .constants import BASE_URL

session = requests.Session()
session.headers.update({"User-Agent": "ice-stats"})


def get_schedule(date):
    dates = session.get(f"{BASE_URL}schedule?date={date}").json()["dates"]
    return dates[0]["games"] if dates else []


def game_url(game_id):
    return f"{BASE_URL}game/{game_id}/feed/live"


def season_of(date):
    year, month = int(date[:4]), int(date[5:7])
    first = year if month >= 9 else year - 1
    return f"{first}{first + 1}"
