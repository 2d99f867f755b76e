"""Modules of which every function is a reader: of the network, of storage, of databases and services."""

from __future__ import annotations

import re

_MODULES = {
    "processes, sockets and protocols": (
        "subprocess socket http.client urllib.request ftplib smtplib telnetlib imaplib poplib "
        "xmlrpc.client requests requests_cache httpx aiohttp urllib3 websocket websockets grpc paramiko "
        "aiofiles cloudscraper curl_cffi docker gql httplib2 mechanize niquests pexpect plumbum pycurl pynng serial "
        "speedtest tls_client treq usb whois zmq paho.mqtt "
        "asyncssh fabric pysftp ldap3 dns zeep sh wget selenium playwright newspaper"
    ),
    "file systems, storage and data that is fetched": (
        "cloudpathlib obstore opendal rclone_python pyperclip mss "
        "fsspec s3fs gcsfs adlfs smart_open boto3 botocore google.cloud azure minio pyarrow.fs dropbox "
        "boxsdk importlib.resources pooch gdown kaggle kagglehub huggingface_hub nltk.corpus "
        "scipy.datasets torch.hub torch.utils.model_zoo torchvision.models tensorflow_datasets "
        "tensorflow.keras.datasets keras.datasets"
    ),
    "databases, warehouses, queues and caches": (
        "duckdb psycopg psycopg2 asyncpg pymysql MySQLdb aiomysql pymssql ibm_db cx_Oracle oracledb pyodbc "
        "turbodbc teradatasql vertica_python jaydebeapi aiosqlite connectorx adbc_driver_manager "
        "adbc_driver_flightsql adbc_driver_postgresql adbc_driver_snowflake adbc_driver_sqlite "
        "snowflake.connector redshift_connector databricks trino pyathena pyhive impala clickhouse_connect "
        "clickhouse_driver pyarrow.flight pandas_gbq redis pymongo motor mongoengine elasticsearch "
        "opensearchpy neo4j arango cassandra influxdb_client qdrant_client pymilvus weaviate lancedb "
        "consul etcd3 kazoo memcache pymemcache valkey "
        "chromadb lmdb plyvel diskcache tinydb peewee records confluent_kafka kafka nats pika"
    ),
    "services": (
        "dagster_graphql mlflow wandb openai anthropic ollama airbyte dlt ee "
        "earthaccess planetary_computer pystac_client "
        "osmnx geopy.geocoders firebase_admin github gitlab git pygit2 googleapiclient gspread hvac "
        "keyring jira notion_client slack_sdk stripe tweepy twilio sodapy pandas_datareader yfinance "
        "fredapi quandl nasdaqdatalink wbgapi ccxt tushare akshare meteostat cdsapi ecmwfapi dataretrieval "
        "arxiv wikipedia wikipediaapi spotipy pybaseball nba_api Bio.Entrez"
    ),
    "integrations of Dagster": (
        "dagster_airbyte dagster_anthropic dagster_aws dagster_azure dagster_census dagster_databricks dagster_dbt "
        "dagster_deltalake dagster_dlt dagster_docker dagster_duckdb dagster_embedded_elt dagster_fivetran "
        "dagster_gcp dagster_gemini dagster_github dagster_hightouch dagster_iceberg dagster_k8s dagster_looker "
        "dagster_mlflow dagster_omni dagster_openai dagster_powerbi dagster_pyspark dagster_qdrant dagster_sigma "
        "dagster_slack dagster_sling dagster_snowflake dagster_snowflake_polars dagster_spark dagster_sqlmesh "
        "dagster_ssh dagster_tableau dagster_teradata dagster_twilio dagster_wandb dagster_weaviate"
    ),
}
READER_MODULES = frozenset(name for names in _MODULES.values() for name in names.split())

# Classes of these modules whose objects are values. An object of another class is a client, and reads when it is used.
_VALUES = (
    "Attr|Auth|Credentials?|Config|Error|Exception|Field|Headers|Key|Limits|Many|One|Options|Params|Request|Retry|"
    "Schema|Selector|Settings|Signature|Timeout|Translator|URL|Url|Warning"
)
_VALUE_MODULES = "classes|conditions|config|errors|exceptions|models|schemas?|types"
_VALUE_CLASS = re.compile(rf"(.*\.)?({_VALUE_MODULES})\..*|.*({_VALUES})")


def is_value_class(name: str) -> bool:
    """Return whether the objects of a class of such a module are values that reach nothing.

    >>> is_value_class("httpx.Timeout"), is_value_class("qdrant_client.models.Point"), is_value_class("httpx.Client")
    (True, True, False)
    """
    return _VALUE_CLASS.fullmatch(name) is not None
