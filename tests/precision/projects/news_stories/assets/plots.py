import base64
import hashlib
from io import BytesIO

import pandas as pd
from dagster import AssetExecutionContext, MetadataValue, asset


def _bars(pairs, width=20):
    longest = max((count for _, count in pairs), default=1)
    return "\n".join(f"{word:<12} {'#' * round(width * count / longest)}" for word, count in pairs)


@asset
def word_plot(context: AssetExecutionContext, title_words: pd.DataFrame) -> str:
    text = _bars(list(title_words.itertuples(index=False, name=None)))
    buffer = BytesIO()
    buffer.write(text.encode())
    image = base64.b64encode(buffer.getvalue()).decode()
    context.add_output_metadata({"plot": MetadataValue.md(f"![img](data:text/plain;base64,{image})")})
    return image


@asset
def title_buckets(stories: pd.DataFrame) -> pd.DataFrame:
    """A bucket for each title, by the hash of Python, which has a seed of its own in every process."""
    return stories.assign(bucket=[hash(title) % 16 for title in stories["title"]])


@asset
def stable_buckets(stories: pd.DataFrame) -> pd.DataFrame:
    digests = [hashlib.md5(title.encode()).digest()[0] for title in stories["title"]]
    return stories.assign(bucket=[digest % 16 for digest in digests])
