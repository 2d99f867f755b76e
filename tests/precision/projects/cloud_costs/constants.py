"""Accounts, tables and queries."""

ACCOUNT_NAME = "elephant"
CURRENCIES = ["usd", "eur"]
SERVICE_NAMES = {
    "AmazonEC2": "compute",
    "AmazonS3": "storage",
    "AWSLambda": "compute",
    "AmazonCloudFront": "network",
}
GROUPS = sorted(set(SERVICE_NAMES.values()))
CREDITS_PER_UNIT = {"compute": 3, "storage": 1, "network": 2}
for _group in GROUPS:
    CREDITS_PER_UNIT.setdefault(_group, 1)

ROLLUP_QUERY = """
select account, {columns}
from usage
where month = '{month}'
group by account
"""
COPY_QUERY = "copy into {table} from '{location}' pattern = '.*{month}.*'"
