"""Tables of libraries: their readers, and what draws by chance unless it is seeded. None of them need be installed."""

import pytest

from jammi_dagster.fingerprint.known_names.chance import DRAWS_IF, LAYERS, SEEDED_BY_WORD
from jammi_dagster.fingerprint.sources.parts import Finding
from jammi_dagster.fingerprint.sources.source import parse_source

# By import: expressions that read, with the path that no audit event tells of (None: Python opens the file itself).
READERS: dict[str, dict[str, str | None]] = {
    "import geopandas as gpd": {
        "gpd.read_file('a.shp')": "a.shp",
        "gpd.read_parquet(x)": "",
        "gpd.GeoDataFrame.from_file('a')": "a",
        "gpd.GeoDataFrame.from_postgis('select 1', x)": "select 1",
        "gpd.list_layers('a')": "a",
    },
    "import duckdb, httpx, pymongo, redis, minio, requests, snowflake.connector, google.cloud.bigquery": {
        "httpx.Client()": None,
        "httpx.AsyncClient(base_url=x)": None,
        "requests.Session()": None,
        "redis.Redis(host=x)": None,
        "pymongo.MongoClient(x)": None,
        "minio.Minio('a')": None,
        "google.cloud.bigquery.Client()": None,
        "snowflake.connector.SnowflakeConnection()": None,
        "duckdb.DuckDBPyConnection()": None,
    },
    "import dagster_duckdb, dagster_dbt, dagster_aws.s3": {
        "dagster_duckdb.DuckDBResource(database='a')": None,
        "dagster_dbt.DbtCliResource('a').cli(['build'])": None,
        "dagster_aws.s3.S3Resource().get_client()": None,
    },
    "import pyogrio": {
        "pyogrio.read_dataframe('a')": "a",
        "pyogrio.read_info(x)": "",
        "pyogrio.read_arrow('a')": "a",
        "pyogrio.list_layers('a')": "a",
        "pyogrio.raw.read('a')": "a",
    },
    "import xgboost as xgb": {
        "xgb.DMatrix('a.libsvm')": "a.libsvm",
        "xgb.Booster(model_file=x)": "",
        "xgb.XGBClassifier().load_model('a')": "a",
    },
    "import lightgbm as lgb": {"lgb.Booster(model_file='a')": "a", "lgb.Dataset('a.bin')": "a.bin"},
    "import catboost": {"catboost.Pool('a')": "a", "catboost.CatBoost().load_model(x)": ""},
    "import mlflow": {
        "mlflow.pyfunc.load_model('models:/a')": None,
        "mlflow.sklearn.load_model(x)": None,
        "mlflow.search_runs()": None,
        "mlflow.artifacts.download_artifacts('a')": None,
        "mlflow.MlflowClient().get_run('a')": None,
        "mlflow.tracking.MlflowClient().search_runs([])": None,
    },
    "from pyspark.sql import SparkSession\nimport pyspark.pandas as ps": {
        "SparkSession.builder.appName('a').getOrCreate()": None,
        "SparkSession.getActiveSession().table('a')": None,
        "ps.read_parquet('a')": None,
    },
    "": {
        "x.read.parquet('a')": "a",
        "x.read.format('delta').load(x)": "",
        "x.spark.read.option('header', True).csv('a')": "a",
        "x.readStream.table('a')": "a",
    },
    "import torch, torchvision": {
        "torch.load('a')": None,
        "torch.jit.load('a')": "a",
        "torch.hub.load('a', 'b')": None,
        "torch.hub.load_state_dict_from_url('a')": None,
        "torch.utils.model_zoo.load_url('a')": None,
        "torchvision.models.resnet18(weights='DEFAULT')": None,
        "torchvision.datasets.MNIST('a')": "a",
        "torchvision.io.read_image('a')": "a",
    },
    "import kagglehub, kaggle": {
        "kagglehub.dataset_download('a')": None,
        "kagglehub.model_download('a')": None,
        "kagglehub.load_dataset(x, 'a', 'b')": None,
        "kaggle.api.dataset_download_files('a')": None,
    },
    "import tensorflow as tf, keras": {
        "tf.keras.models.load_model('a')": "a",
        "tf.saved_model.load('a')": "a",
        "tf.keras.datasets.mnist.load_data()": None,
        "tf.io.gfile.GFile('a').read()": "a",
        "keras.models.load_model(x)": "",
    },
    "from transformers import AutoModel\nimport datasets, huggingface_hub": {
        "AutoModel.from_pretrained('a')": "a",
        "datasets.load_dataset('a')": None,
        "huggingface_hub.hf_hub_download('a')": None,
    },
    "import rasterio, xarray, h5py, netCDF4, cv2, faiss": {
        "rasterio.open('a')": "a",
        "xarray.open_dataset('a')": "a",
        "h5py.File('a')": "a",
        "netCDF4.Dataset('a')": "a",
        "cv2.imread('a')": "a",
        "faiss.read_index('a')": "a",
    },
    "import SimpleITK, datatable, llama_cpp, tables, vaex": {
        "SimpleITK.ReadImage('a')": "a",
        "datatable.fread(x)": "",
        "llama_cpp.Llama('a')": "a",
        "tables.open_file('a')": "a",
        "vaex.open('a')": "a",
    },
}
QUIET = {
    "import xgboost as xgb": [
        "xgb.DMatrix(x)",
        "xgb.Booster({}, [x])",
        "xgb.train({}, x)",
        "xgb.XGBClassifier()",
    ],
    "import lightgbm as lgb": ["lgb.Dataset(x, label=x)", "lgb.Booster({}, x)", "lgb.LGBMRegressor()"],
    "import catboost": ["catboost.Pool(x, x)", "catboost.CatBoostClassifier()"],
    "import geopandas as gpd": ["gpd.GeoDataFrame(x)", "gpd.sjoin(x, x)", "gpd.points_from_xy(x, x)"],
    "import torch": [
        "torch.tensor([1])",
        "torch.zeros(3)",
        "torch.nn.ReLU()",
        "torch.Generator().manual_seed(1)",
    ],
    "import sklearn.linear_model as lm": [
        "lm.LinearRegression()",
        "lm.LogisticRegression()",
        "lm.Ridge(1.0)",
    ],
    "from sklearn.model_selection import KFold\nFOLDS = {'shuffle': True, 'random_state': 1}": [
        "KFold(**FOLDS)",
        "KFold(**{'n_splits': 2})",
        "KFold(**{'shuffle': False})",
    ],
    "": ["x.read()", "x.read().parquet", "x.table", "x.csv('a')"],
    "import httpx, pymongo, requests, azure.core.exceptions, botocore.config, qdrant_client.models": [
        "httpx.Timeout(1)",
        "httpx.URL('http://a')",
        "pymongo.UpdateOne(x, x)",
        "requests.Request('GET', x)",
        "requests.auth.HTTPBasicAuth(x, x)",
        "azure.core.exceptions.HttpResponseError('a')",
        "botocore.config.Config(retries=x)",
        "qdrant_client.models.PointStruct(id=1)",
        "requests.Session",
    ],
    "import polars as pl": ["pl.scan_pyarrow_dataset(x)"],
}
OTHER_DRAWS = {
    "from sklearn.model_selection import KFold\nfrom settings import WORDS\nFOLDS = {'shuffle': True}": [
        "KFold(**WORDS)",
        "KFold(**FOLDS)",
        "KFold(**x)",
        "KFold(2, **{'shuffle': x})",
    ],
    "import torch": ["torch.nn.init.normal_(x)", "torch.rand(3, generator=None)"],
    "import numpy as np, sklearn.utils": ["sklearn.utils.check_random_state(None)"],
    "import keras": ["keras.Sequential([keras.layers.Dense(1)])"],
}
SEEDS = {
    "torch.manual_seed(1)": "torch.rand(2)",
    "np.random.seed(1)": "sklearn.ensemble.RandomForestClassifier()",
    "tf.random.set_seed(1)": "tf.keras.layers.Dense(1)",
    "keras.utils.set_random_seed(1)": "keras.layers.Dense(1)",
    "lightning.seed_everything(1)": "torch.nn.Linear(1, 1)",
    "transformers.set_seed(1)": "torch.randn(1)",
}


def _found(setup: str, expression: str, before: str = "") -> list[Finding]:
    source = parse_source(f"{setup}\ndef f(x):\n    {before}\n    return {expression}\n".encode())
    return list(source.units[source.by_name["f"][0]].parts["code"].outside)


def _rows(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(setup, expression) for setup, expressions in table.items() for expression in expressions]


@pytest.mark.parametrize("setup", READERS)
def test_a_reader_of_a_library_is_known(setup: str) -> None:
    """A reader is declarable; of a native one the path in the code is known, or that it is computed."""
    for expression, path in READERS[setup].items():
        found = _found(setup, expression)
        assert found, expression
        assert all(one.is_declarable for one in found), expression
        assert path in [one.unwatched for one in found], (expression, found)


@pytest.mark.parametrize(("setup", "expression"), _rows(QUIET))
def test_a_function_over_values_reads_nothing(setup: str, expression: str) -> None:
    """Models and matrices of values in memory are no reads, and draw nothing."""
    assert _found(setup, expression) == []


def _module(name: str) -> str:
    return f"import {name.rpartition('.')[0]}"


def test_an_unseeded_draw_is_found_and_a_seeded_one_is_not() -> None:
    """Every name of the table draws without its words, and with None; any other value of one of them seeds it."""
    for name, words in SEEDED_BY_WORD.items():
        assert [one.name for one in _found(_module(name), f"{name}()")] == [name]
        for word in words:
            assert _found(_module(name), f"{name}({word}=None)"), name
            assert _found(_module(name), f"{name}(x, {word}=7)") == [], name
    for name, (word, values) in DRAWS_IF.items():
        assert _found(_module(name), f"{name}()") == [], name
        assert _found(_module(name), f"{name}({word}=False)") == [], name
        asked = f"{word}={values[0]!r}"
        assert _found(_module(name), f"{name}({asked})"), name
        assert _found(_module(name), f"{name}({asked}, random_state=1, generator=x)") == [], name


def test_the_weights_of_layers_are_drawn() -> None:
    """A layer is made by chance."""
    for layer in LAYERS:
        assert [one.name for one in _found(_module(layer), f"{layer}(1)")] == [layer]


@pytest.mark.parametrize(("setup", "expression"), _rows(OTHER_DRAWS))
def test_other_draws_of_libraries(setup: str, expression: str) -> None:
    """A draw in a form of its own is found."""
    assert _found(setup, expression)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_at_the_top_of_the_body_holds_for_its_library(seed: str) -> None:
    """Draws after a seed in the same body are pinned; before it, and of another library, they are not."""
    setup = (
        "import torch, sklearn.ensemble, keras, lightning, transformers, numpy as np, tensorflow as tf, umap"
    )
    assert _found(setup, SEEDS[seed], seed) == []
    assert _found(setup, SEEDS[seed], "pass")
    assert _found(setup, "umap.UMAP()", seed)
