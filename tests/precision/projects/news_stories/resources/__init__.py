import os

from .hn_resource import HNClient, HNSnapshot

DEPLOYMENT = os.getenv("NEWS_DEPLOYMENT", "local")
RESOURCES = {"hn_client": HNClient() if DEPLOYMENT == "prod" else HNSnapshot(path="snapshot.json")}
