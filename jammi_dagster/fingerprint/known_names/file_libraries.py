"""Libraries that read files of one kind, mostly natively.

To add a library, add its name: all its functions that begin like a reader are readers then. A class that opens a file
is listed by itself.
"""

from __future__ import annotations

_LIBRARIES = (
    "annoy apsw av cfgrib cyvcf2 datafusion fastexcel fasttext fiona gmsh graph_tool hnswlib igraph "
    "leveldb libxml2 mappy meshio netCDF4 networkit open3d openbabel osgeo osmium pdal pikepdf pygrib "
    "pymupdf pypdfium2 pyreadr pyreadstat pyrosm pysqlite3 python_calamine pyvips pyvista rasterio "
    "rocksdict sentencepiece sqlcipher3 tokenizers trimesh uproot usearch"
)
_CLASSES = (
    "apsw.Connection cv2.VideoCapture cyvcf2.VCF dbm.gnu.open dbm.ndbm.open dbm.sqlite3.open "
    "fastparquet.ParquetFile leveldb.LevelDB lxml.etree.DTD mappy.Aligner netCDF4.MFDataset "
    "osmium.FileProcessor pdal.Pipeline posix_ipc.SharedMemory pyiceberg.table.StaticTable.from_metadata "
    "pypdfium2.PdfDocument pyrosm.OSM pysqlite3.connect pysqlite3.dbapi2.connect "
    "rasterio.io.DatasetReader rocksdict.Rdict sentencepiece.SentencePieceProcessor sqlcipher3.connect "
    "tensorflow.lite.Interpreter"
)
FILE_LIBRARIES = frozenset(_LIBRARIES.split())
FILE_CLASSES = frozenset(_CLASSES.split())
FILE_PREFIXES = (
    *(
        "Open",
        "Read",
        "from_file",
        "from_path",
        "imread",
        "listlayers",
        "load",
        "new_from_file",
        "open",
        "parse",
    ),
    *("read", "restore", "scan"),
)
# Methods of the connections of these libraries that read files, however the object came about.
CONNECTED_PREFIXES = {
    "ibis": ("read_",),
    "datafusion": ("read_", "register_avro", "register_csv", "register_json", "register_parquet"),
}
