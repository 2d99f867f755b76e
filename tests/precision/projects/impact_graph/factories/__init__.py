"""Factories of assets."""

from .common import AssetFactoryResponse as AssetFactoryResponse
from .graphql import GraphQLConfig as GraphQLConfig
from .graphql import graphql_factory as graphql_factory
from .sql import sql_assets as sql_assets
