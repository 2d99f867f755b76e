from typing import List

import pandas as pd
import requests
from dagster import AssetExecutionContext, HourlyPartitionsDefinition, MetadataValue, Output, asset

from news_stories.resources.hn_resource import NewsClient
from news_stories.utils import most_common, plain, tokens, vocabulary

hourly_partitions = HourlyPartitionsDefinition(start_date="2024-01-01-00:00")


@asset(compute_kind="API")
def topstory_ids() -> List[int]:
    return requests.get("https://news.example.org/v0/topstories.json").json()[:100]


@asset(compute_kind="API")
def topstories(context: AssetExecutionContext, topstory_ids: List[int]) -> pd.DataFrame:
    results = []
    for item_id in topstory_ids:
        results.append(requests.get(f"https://news.example.org/v0/item/{item_id}.json").json())
        if len(results) % 20 == 0:
            context.log.info(f"Got {len(results)} items so far.")
    return pd.DataFrame(results)


@asset
def newest_item(hn_client: NewsClient) -> dict:
    return hn_client.item(hn_client.newest())


@asset(partitions_def=hourly_partitions)
def stories_of_hour(context: AssetExecutionContext, topstories: pd.DataFrame) -> Output[pd.DataFrame]:
    start, end = context.partition_time_window
    times = pd.to_datetime(topstories["time"], unit="s", utc=True)
    rows = topstories[(times >= start) & (times < end)].reset_index(drop=True)
    return Output(rows, metadata={"Non-empty titles": int(rows["title"].notna().sum())})


@asset
def comments(items: pd.DataFrame) -> pd.DataFrame:
    return items[items["type"] == "comment"][["id", "parent", "by", "text"]]


@asset
def comment_stories(comments: pd.DataFrame, stories: pd.DataFrame) -> pd.DataFrame:
    """Link each comment to the story at the root of its thread."""
    parents = dict(zip(comments["id"], comments["parent"]))
    roots = set(stories["id"])
    found = []
    for comment in comments["id"]:
        at = comment
        while at in parents and at not in roots:
            at = parents[at]
        found.append(at if at in roots else None)
    return pd.DataFrame({"comment_id": comments["id"], "story_id": found}).dropna()


@asset
def title_words(stories: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(most_common(stories["title"], n=25), columns=["word", "count"])


@asset
def title_tokens(stories: pd.DataFrame) -> pd.DataFrame:
    return stories.assign(tokens=stories["title"].map(tokens)).explode("tokens")[["id", "tokens"]]


@asset
def plain_comments(comments: pd.DataFrame) -> pd.DataFrame:
    return comments.assign(text=comments["text"].apply(plain))


@asset
def word_list(stories: pd.DataFrame) -> list:
    """The words of all titles, in no order."""
    return list(vocabulary(stories["title"]))


@asset
def word_count(stories: pd.DataFrame) -> int:
    return len(vocabulary(stories["title"]))


@asset
def sorted_words(context: AssetExecutionContext, stories: pd.DataFrame) -> list:
    words = sorted(vocabulary(stories["title"]))
    context.add_output_metadata({"words": MetadataValue.int(len(words)), "first": words[0] if words else ""})
    return words
