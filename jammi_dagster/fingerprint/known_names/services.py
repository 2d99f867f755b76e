"""Modules of which every function is a reader: of the network, of storage, of databases and services."""

from __future__ import annotations

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
}
READER_MODULES = frozenset(name for names in _MODULES.values() for name in names.split())
