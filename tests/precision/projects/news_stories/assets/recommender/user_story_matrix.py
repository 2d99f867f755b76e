from dataclasses import dataclass

import numpy as np
import pandas as pd
from dagster import asset


@dataclass
class IndexedMatrix:
    matrix: np.ndarray
    row_index: pd.Index
    col_index: pd.Index

    def top(self, row: int, n: int = 3) -> list:
        order = np.argsort(-self.matrix[row], kind="stable")[:n]
        return [self.col_index[column] for column in order]


@asset
def user_story_matrix(comment_stories: pd.DataFrame, comments: pd.DataFrame) -> IndexedMatrix:
    joined = comment_stories.merge(comments, left_on="comment_id", right_on="id")
    users, stories = pd.Index(joined["by"].unique()), pd.Index(joined["story_id"].unique())
    matrix = np.zeros((len(users), len(stories)))
    np.add.at(matrix, (users.get_indexer(joined["by"]), stories.get_indexer(joined["story_id"])), 1)
    return IndexedMatrix(matrix=matrix, row_index=users, col_index=stories)


@asset
def recommender_model(user_story_matrix: IndexedMatrix) -> np.ndarray:
    """The components of the users, from a decomposition that starts at a fixed seed."""
    matrix = user_story_matrix.matrix
    start = np.random.RandomState(0).normal(size=(matrix.shape[1], 2))
    for _ in range(5):
        start, _ = np.linalg.qr(matrix.T @ (matrix @ start))
    return start


@asset
def user_top_stories(context, recommender_model: np.ndarray, user_story_matrix: IndexedMatrix) -> pd.DataFrame:
    projected = user_story_matrix.matrix @ recommender_model
    projected[np.abs(projected) < 1e-2] = 0
    context.log.info(f"non-zero: {np.count_nonzero(projected)}")
    rows = [
        {"user": user, "stories": user_story_matrix.top(number)}
        for number, user in enumerate(user_story_matrix.row_index)
    ]
    return pd.DataFrame(rows)
