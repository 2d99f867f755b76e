"""Tables as Parquet: any kind of table becomes a stream, is cut into row groups, and is hashed while it is written."""
