import pandas as pd
from dagster import AssetIn, Backoff, RetryPolicy, asset

from ..resources import CovalentAPI
from ..retrying import retry

CHAINS = [
    {"chainId": "1", "name": "ethereum", "native": "ETH"},
    {"chainId": "10", "name": "optimism", "native": "ETH"},
    {"chainId": "250", "name": "fantom", "native": "FTM"},
]


@asset(
    retry_policy=RetryPolicy(max_retries=3, delay=0.2, backoff=Backoff.EXPONENTIAL),
    ins={"raw_allo_rounds": AssetIn("raw_allo_rounds")},
)
def raw_chain_metadata(raw_allo_rounds: pd.DataFrame) -> pd.DataFrame:
    """Metadata of the chains that have a round, from a public list."""
    interesting = raw_allo_rounds.chainId.unique()
    df = pd.read_json("https://chains.example.org/chains.json").convert_dtypes()
    return df[df.chainId.astype(str).isin(interesting)]


@asset
def known_chains() -> pd.DataFrame:
    return pd.DataFrame(CHAINS)


@asset
def round_chains(raw_allo_rounds: pd.DataFrame) -> pd.DataFrame:
    rounds = raw_allo_rounds.convert_dtypes()
    rounds["chainId"] = rounds["chainId"].astype(str)
    return rounds.merge(pd.DataFrame(CHAINS), on="chainId", how="left")


@asset(compute_kind="API")
def project_registry_tx(covalent: CovalentAPI) -> pd.DataFrame:
    pages = covalent.fetch_all_tx_for_address("eth-mainnet", "0x03506eD3")
    return pd.concat([pd.DataFrame(page.get("items")) for page in pages], ignore_index=True)


@retry(tries=3, delay=0.01)
def parse_round(metadata: dict) -> dict:
    return {"name": metadata["name"].strip(), "matching": float(metadata["matchingFunds"])}


@asset
def round_metadata(raw_allo_rounds: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame([parse_round(row) for row in raw_allo_rounds["roundMetadata"]])
