BEGIN TRANSACTION;
CREATE TABLE anchor_edges (
	anchor_set_id BIGINT NOT NULL, 
	source TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	PRIMARY KEY (anchor_set_id, source), 
	FOREIGN KEY(anchor_set_id) REFERENCES anchor_sets (id)
)
 WITHOUT ROWID

;
INSERT INTO "anchor_edges" VALUES(2,'up','result_digest');
INSERT INTO "anchor_edges" VALUES(3,'file:a','source_version');
INSERT INTO "anchor_edges" VALUES(3,'file:b','source_version');
INSERT INTO "anchor_edges" VALUES(4,'api:x','unpinned_at_instant');
CREATE TABLE anchor_sets (
	id INTEGER NOT NULL, 
	set_key TEXT NOT NULL, 
	anchors_json TEXT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (set_key)
);
INSERT INTO "anchor_sets" VALUES(1,'1173e4e22622ca3c2c2034caede81ab061d18b1fc3a69e0798edbc94e661cfff','[]');
INSERT INTO "anchor_sets" VALUES(2,'b4b61a6cb5822205b2b06ce37d986dd93d582c4f0cd15c4c0cf85b0d8807e65d','[{"source": "up", "anchor": "224a320892083e55a444aa45fbaadb22389b00b4456ae7ab120a28eb75ee9a66", "kind": "result_digest"}]');
INSERT INTO "anchor_sets" VALUES(3,'555dea647b60dcb5b7df057c7f10fbb38f33c72f86588f1d63ef5f3e16a6bc3b','[{"source": "file:a", "anchor": "1", "kind": "source_version"}, {"source": "file:b", "anchor": "1", "kind": "source_version"}]');
INSERT INTO "anchor_sets" VALUES(4,'877a1d8a4f2ee08b8f8a1df5b2937296ef31687304c59308eb3e28b4a7b82b9d','[{"source": "api:x", "anchor": "2026-01-01T00:00:00Z", "kind": "unpinned_at_instant"}]');
CREATE TABLE annotations (
	materialization_id TEXT NOT NULL, 
	annotation_json TEXT NOT NULL, 
	PRIMARY KEY (materialization_id), 
	FOREIGN KEY(materialization_id) REFERENCES materializations (id)
);
INSERT INTO "annotations" VALUES('01a203f125b33a8b26b9e54c9698b743','{"checks":[1]}');
CREATE TABLE catalog_state (
	id INTEGER NOT NULL, 
	catalog_id TEXT NOT NULL, 
	revision BIGINT NOT NULL, 
	start_sequence BIGINT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "catalog_state" VALUES(1,'2483b4a268704323bf7f3bb32afaa3a1',10,12);
CREATE TABLE jammi_alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT jammi_alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "jammi_alembic_version" VALUES('0001');
CREATE TABLE materializations (
	id TEXT NOT NULL, 
	tenant TEXT NOT NULL, 
	deployment TEXT NOT NULL, 
	table_name TEXT NOT NULL, 
	status TEXT NOT NULL, 
	artifact_path TEXT NOT NULL, 
	definition_hash TEXT, 
	anchor_set_id BIGINT, 
	anchor_order TEXT, 
	artifact_digest TEXT, 
	size_bytes BIGINT, 
	row_count BIGINT, 
	writer_profile TEXT, 
	reproducibility TEXT, 
	compute_seconds FLOAT, 
	produced_by TEXT NOT NULL, 
	start_sequence BIGINT NOT NULL, 
	created_at TEXT NOT NULL, 
	completed_at TEXT, 
	lease_token TEXT, 
	lease_owner TEXT, 
	lease_expires_at FLOAT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(anchor_set_id) REFERENCES anchor_sets (id)
);
INSERT INTO "materializations" VALUES('01a203f1258680b21dd65100d6489cb7','','default','up','ready','tables/up-75a288c0d6898c5f/01a203f1258680b21dd65100d6489cb7.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'224a320892083e55a444aa45fbaadb22389b00b4456ae7ab120a28eb75ee9a66',511,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"zstd","compression_level":1,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1,'2026-11-22T15:47:45.158263+00:00','2026-11-22T15:47:45.163968+00:00',NULL,'library/3e569cad635cea45',NULL);
INSERT INTO "materializations" VALUES('01a203f1259648147615f3b79293cb2f','','default','down','ready','tables/down-908aec4512d80ff4/01a203f1259648147615f3b79293cb2f.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',2,NULL,'224a320892083e55a444aa45fbaadb22389b00b4456ae7ab120a28eb75ee9a66',511,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"zstd","compression_level":1,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',2,'2026-11-22T15:47:45.174262+00:00','2026-11-22T15:47:45.176835+00:00',NULL,'library/57330d3ef4900b53',NULL);
INSERT INTO "materializations" VALUES('01a203f1259cc73c9706652320a2981e','','default','up','ready','tables/up-75a288c0d6898c5f/01a203f1259cc73c9706652320a2981e.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'530dbfe0728e8902dd60638d4bf1edafb03821918e36cd8a1cde227f49afe4a8',515,5,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"zstd","compression_level":1,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',3,'2026-11-22T15:47:45.180337+00:00','2026-11-22T15:47:45.182735+00:00',NULL,'library/47a5f2b5218044f7',NULL);
INSERT INTO "materializations" VALUES('01a203f125a1cedcb21a198cad9daff9','','default','over files','ready','tables/over-files-e1f7ab0e7319c099/01a203f125a1cedcb21a198cad9daff9.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',3,'[1, 0]','224a320892083e55a444aa45fbaadb22389b00b4456ae7ab120a28eb75ee9a66',511,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"zstd","compression_level":1,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',4,'2026-11-22T15:47:45.185408+00:00','2026-11-22T15:47:45.187755+00:00',NULL,'library/efcfabcb2dcdb9cf',NULL);
INSERT INTO "materializations" VALUES('01a203f125a7143d16ba0de41a2740fe','','default','unpinned','ready','tables/unpinned-a838443ef6b7be75/01a203f125a7143d16ba0de41a2740fe.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',4,NULL,'224a320892083e55a444aa45fbaadb22389b00b4456ae7ab120a28eb75ee9a66',511,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"zstd","compression_level":1,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',5,'2026-11-22T15:47:45.191322+00:00','2026-11-22T15:47:45.193645+00:00',NULL,'library/4d4ed6841f44450a',NULL);
INSERT INTO "materializations" VALUES('01a203f125ac8a3f0c55e27dff103085','','default','dropped','dropped','tables/dropped-e7cd9c3ab5da1895/01a203f125ac8a3f0c55e27dff103085.parquet','9f660d92f4c57215af8ccd91ee73fab7ea2b2abdc5c89edc1869a097e38641a3',1,NULL,'224a320892083e55a444aa45fbaadb22389b00b4456ae7ab120a28eb75ee9a66',511,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"zstd","compression_level":1,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',6,'2026-11-22T15:47:45.196407+00:00','2026-11-22T15:47:45.198719+00:00',NULL,'library/69e9288675af1902',1.79536246520200061796e+09);
INSERT INTO "materializations" VALUES('01a203f125b33a8b26b9e54c9698b743','','default','said','ready','tables/said-fb46c79b7eb7af17/01a203f125b33a8b26b9e54c9698b743.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'2c4106eeb3c087b4c7f72a8be5938b26b306c2f43f5368029ffca0259890b8ee',506,2,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"zstd","compression_level":1,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}','diverged',1.5,'run',8,'2026-11-22T15:47:45.203882+00:00','2026-11-22T15:47:45.206733+00:00',NULL,'run/step',NULL);
INSERT INTO "materializations" VALUES('01a203f125baaed5e989748056f8d4e8','','default','é[2026-01-01]','building','tables/-2026-01-01--c740ea0230f05162/01a203f125baaed5e989748056f8d4e8.parquet',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'dead',9,'2026-11-22T15:47:45.210426+00:00',NULL,'02cd9beaeaa13006d868a1ed2bba1635','dead/step',1.79536252521000719069e+09);
INSERT INTO "materializations" VALUES('01a203f125bbf34a633711c082c894db','','default','dead','building','tables/dead-28a3a5e81d1e89f0/01a203f125bbf34a633711c082c894db.parquet',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'076948b5',10,'2026-11-22T15:47:45.211320+00:00',NULL,'bacc9d8569f1d3fcc3cc5a5cb3faa96d','076948b5/step',1.79536252521101284025e+09);
INSERT INTO "materializations" VALUES('01a203f125bfa239611ea8870d400d84','acme','default','up','ready','tenants/acme-822b33ad87c148a0/tables/up-75a288c0d6898c5f/01a203f125bfa239611ea8870d400d84.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'1d26a41c88422dd083776a24beffb50ae389cd183ea1feec067db18dbf9f46bc',519,7,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"zstd","compression_level":1,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',11,'2026-11-22T15:47:45.215156+00:00','2026-11-22T15:47:45.217805+00:00',NULL,'library/1b7c2b45cb7d157c',NULL);
INSERT INTO "materializations" VALUES('01a203f125c4b72b89f2c9484c8fd354','','branch','up','ready','tables/up-75a288c0d6898c5f/01a203f125c4b72b89f2c9484c8fd354.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'1d26a41c88422dd083776a24beffb50ae389cd183ea1feec067db18dbf9f46bc',519,7,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"zstd","compression_level":1,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',12,'2026-11-22T15:47:45.220987+00:00','2026-11-22T15:47:45.223330+00:00',NULL,'library/baaa4fae1c8269d6',NULL);
CREATE TABLE pointers (
	tenant TEXT NOT NULL, 
	deployment TEXT NOT NULL, 
	table_name TEXT NOT NULL, 
	materialization_id TEXT, 
	start_sequence BIGINT NOT NULL, 
	made_by_tenant TEXT, 
	made_at_sequence BIGINT, 
	definition_hash TEXT, 
	anchor_set_id BIGINT, 
	anchor_order TEXT, 
	artifact_digest TEXT, 
	PRIMARY KEY (tenant, deployment, table_name), 
	FOREIGN KEY(materialization_id) REFERENCES materializations (id), 
	FOREIGN KEY(anchor_set_id) REFERENCES anchor_sets (id)
)
 WITHOUT ROWID

;
INSERT INTO "pointers" VALUES('','branch','up','01a203f125c4b72b89f2c9484c8fd354',12,'',12,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'1d26a41c88422dd083776a24beffb50ae389cd183ea1feec067db18dbf9f46bc');
INSERT INTO "pointers" VALUES('','default','down','01a203f1259648147615f3b79293cb2f',2,'',2,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',2,NULL,'224a320892083e55a444aa45fbaadb22389b00b4456ae7ab120a28eb75ee9a66');
INSERT INTO "pointers" VALUES('','default','dropped',NULL,7,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','over files','01a203f125a1cedcb21a198cad9daff9',4,'',4,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',3,'[1, 0]','224a320892083e55a444aa45fbaadb22389b00b4456ae7ab120a28eb75ee9a66');
INSERT INTO "pointers" VALUES('','default','said','01a203f125b33a8b26b9e54c9698b743',8,'',8,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'2c4106eeb3c087b4c7f72a8be5938b26b306c2f43f5368029ffca0259890b8ee');
INSERT INTO "pointers" VALUES('','default','unpinned','01a203f125a7143d16ba0de41a2740fe',5,'',5,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',4,NULL,'224a320892083e55a444aa45fbaadb22389b00b4456ae7ab120a28eb75ee9a66');
INSERT INTO "pointers" VALUES('','default','up','01a203f1259cc73c9706652320a2981e',3,'',3,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'530dbfe0728e8902dd60638d4bf1edafb03821918e36cd8a1cde227f49afe4a8');
INSERT INTO "pointers" VALUES('acme','default','up','01a203f125bfa239611ea8870d400d84',11,'acme',11,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'1d26a41c88422dd083776a24beffb50ae389cd183ea1feec067db18dbf9f46bc');
CREATE TABLE run_results (
	run_id TEXT NOT NULL, 
	tenant TEXT NOT NULL, 
	table_name TEXT NOT NULL, 
	materialization_id TEXT NOT NULL, 
	PRIMARY KEY (run_id, tenant, table_name), 
	FOREIGN KEY(materialization_id) REFERENCES materializations (id)
)
 WITHOUT ROWID

;
INSERT INTO "run_results" VALUES('run','','said','01a203f125b33a8b26b9e54c9698b743');
CREATE INDEX anchor_edges_by_source ON anchor_edges (source);
CREATE INDEX materializations_by_definition ON materializations (definition_hash, anchor_set_id) WHERE status = 'ready';
CREATE INDEX materializations_by_table ON materializations (tenant, table_name, start_sequence);
CREATE INDEX materializations_building ON materializations (lease_expires_at) WHERE status = 'building';
CREATE INDEX pointers_by_materialization ON pointers (materialization_id);
CREATE INDEX pointers_by_anchor_set ON pointers (anchor_set_id);
COMMIT;
