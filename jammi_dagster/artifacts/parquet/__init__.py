"""Tables as Parquet: streamed, cut into row groups, hashed while they are written."""
