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
INSERT INTO "anchor_sets" VALUES(2,'8b3f9929d1bad2211c4bf1901d0e60083b9daaea302f19354b7866f246bb951b','[{"source": "up", "anchor": "6824d564a30cc8d62aa85ada00da6c67c8107cb46c87aedaf53ed310291f3f9f", "kind": "result_digest"}]');
INSERT INTO "anchor_sets" VALUES(3,'555dea647b60dcb5b7df057c7f10fbb38f33c72f86588f1d63ef5f3e16a6bc3b','[{"source": "file:a", "anchor": "1", "kind": "source_version"}, {"source": "file:b", "anchor": "1", "kind": "source_version"}]');
INSERT INTO "anchor_sets" VALUES(4,'877a1d8a4f2ee08b8f8a1df5b2937296ef31687304c59308eb3e28b4a7b82b9d','[{"source": "api:x", "anchor": "2026-01-01T00:00:00Z", "kind": "unpinned_at_instant"}]');
CREATE TABLE annotations (
	materialization_id TEXT NOT NULL, 
	annotation_json TEXT NOT NULL, 
	PRIMARY KEY (materialization_id), 
	FOREIGN KEY(materialization_id) REFERENCES materializations (id)
);
INSERT INTO "annotations" VALUES('01a21a812752b81a2b226e83f04aed18','{"checks":[1]}');
CREATE TABLE catalog_state (
	id INTEGER NOT NULL, 
	catalog_id TEXT NOT NULL, 
	revision BIGINT NOT NULL, 
	start_sequence BIGINT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "catalog_state" VALUES(1,'68e5ee9496224686b8512d11da654bca',10,12);
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
INSERT INTO "materializations" VALUES('01a21a8125cf4186ee2bcf1f82bfaad7','','default','up','ready','tables/up-75a288c0d6898c5f/01a21a8125cf4186ee2bcf1f82bfaad7.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'6824d564a30cc8d62aa85ada00da6c67c8107cb46c87aedaf53ed310291f3f9f',497,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1,'2026-11-27T00:56:41.167446+00:00','2026-11-27T00:56:41.248264+00:00',NULL,'library/4e4ab8caa57fe8ef',NULL);
INSERT INTO "materializations" VALUES('01a21a812672299befaa7f62a4656e0e','','default','down','ready','tables/down-908aec4512d80ff4/01a21a812672299befaa7f62a4656e0e.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',2,NULL,'6824d564a30cc8d62aa85ada00da6c67c8107cb46c87aedaf53ed310291f3f9f',497,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',2,'2026-11-27T00:56:41.330322+00:00','2026-11-27T00:56:41.360500+00:00',NULL,'library/9ebeee98895ee478',NULL);
INSERT INTO "materializations" VALUES('01a21a8126a161db65efa4b0be7bf65e','','default','up','ready','tables/up-75a288c0d6898c5f/01a21a8126a161db65efa4b0be7bf65e.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'52181bd9d754bf8519c1661ed6a5dca7abb0cf9f699f33eb1c082a97049d24d1',506,5,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',3,'2026-11-27T00:56:41.377278+00:00','2026-11-27T00:56:41.415073+00:00',NULL,'library/9180f20c6d70a89b',NULL);
INSERT INTO "materializations" VALUES('01a21a8126dd5766b21638f5001703e7','','default','over files','ready','tables/over-files-e1f7ab0e7319c099/01a21a8126dd5766b21638f5001703e7.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',3,'[1, 0]','6824d564a30cc8d62aa85ada00da6c67c8107cb46c87aedaf53ed310291f3f9f',497,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',4,'2026-11-27T00:56:41.437224+00:00','2026-11-27T00:56:41.477830+00:00',NULL,'library/4570ad37144fa115',NULL);
INSERT INTO "materializations" VALUES('01a21a8127252e45498796b86cdb30e5','','default','unpinned','ready','tables/unpinned-a838443ef6b7be75/01a21a8127252e45498796b86cdb30e5.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',4,NULL,'6824d564a30cc8d62aa85ada00da6c67c8107cb46c87aedaf53ed310291f3f9f',497,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',5,'2026-11-27T00:56:41.509024+00:00','2026-11-27T00:56:41.521910+00:00',NULL,'library/8a37b0050aa5a164',NULL);
INSERT INTO "materializations" VALUES('01a21a8127400cd011ed455559493041','','default','dropped','dropped','tables/dropped-e7cd9c3ab5da1895/01a21a8127400cd011ed455559493041.parquet','9f660d92f4c57215af8ccd91ee73fab7ea2b2abdc5c89edc1869a097e38641a3',1,NULL,'6824d564a30cc8d62aa85ada00da6c67c8107cb46c87aedaf53ed310291f3f9f',497,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',6,'2026-11-27T00:56:41.536745+00:00','2026-11-27T00:56:41.539514+00:00',NULL,'library/546665f8bcbaaccd',1.79574100155201864239e+09);
INSERT INTO "materializations" VALUES('01a21a812752b81a2b226e83f04aed18','','default','said','ready','tables/said-fb46c79b7eb7af17/01a21a812752b81a2b226e83f04aed18.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'4e2b1f9a86b267d12db6dff03c2ca4d3b18eccdb2c20f5ff3c0b71881be1ff1f',492,2,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}','diverged',1.5,'run',8,'2026-11-27T00:56:41.554504+00:00','2026-11-27T00:56:41.596844+00:00',NULL,'run/step',NULL);
INSERT INTO "materializations" VALUES('01a21a81279d1242a8399b3c4f63d440','','default','é[2026-01-01]','building','tables/-2026-01-01--c740ea0230f05162/01a21a81279d1242a8399b3c4f63d440.parquet',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'dead',9,'2026-11-27T00:56:41.629163+00:00',NULL,'9f8b646fcf677f9186c6a0112ce2f33d','dead/step',1.79574106162898445128e+09);
INSERT INTO "materializations" VALUES('01a21a81279ed8e71dc7f602ba653fde','','default','dead','building','tables/dead-28a3a5e81d1e89f0/01a21a81279ed8e71dc7f602ba653fde.parquet',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'06d6dac7',10,'2026-11-27T00:56:41.630424+00:00',NULL,'08c35e7b63882bca5ce0b0b62fdfce84','06d6dac7/step',1.79574106162999033928e+09);
INSERT INTO "materializations" VALUES('01a21a8127c11114d3f03d1dd93d359c','acme','default','up','ready','tenants/acme-822b33ad87c148a0/tables/up-75a288c0d6898c5f/01a21a8127c11114d3f03d1dd93d359c.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'b9d92c1adae12dd20bb8a96ffd2ca4f72b8254e8fc7a2ea77096120d45592c0d',514,7,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',11,'2026-11-27T00:56:41.665850+00:00','2026-11-27T00:56:41.720291+00:00',NULL,'library/60405f18968edcc0',NULL);
INSERT INTO "materializations" VALUES('01a21a812807857e4b27096a38d788dd','','branch','up','ready','tables/up-75a288c0d6898c5f/01a21a812807857e4b27096a38d788dd.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'b9d92c1adae12dd20bb8a96ffd2ca4f72b8254e8fc7a2ea77096120d45592c0d',514,7,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',12,'2026-11-27T00:56:41.735640+00:00','2026-11-27T00:56:41.749625+00:00',NULL,'library/b358ca19abac75fe',NULL);
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
INSERT INTO "pointers" VALUES('','branch','up','01a21a812807857e4b27096a38d788dd',12,'',12,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'b9d92c1adae12dd20bb8a96ffd2ca4f72b8254e8fc7a2ea77096120d45592c0d');
INSERT INTO "pointers" VALUES('','default','down','01a21a812672299befaa7f62a4656e0e',2,'',2,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',2,NULL,'6824d564a30cc8d62aa85ada00da6c67c8107cb46c87aedaf53ed310291f3f9f');
INSERT INTO "pointers" VALUES('','default','dropped',NULL,7,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','over files','01a21a8126dd5766b21638f5001703e7',4,'',4,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',3,'[1, 0]','6824d564a30cc8d62aa85ada00da6c67c8107cb46c87aedaf53ed310291f3f9f');
INSERT INTO "pointers" VALUES('','default','said','01a21a812752b81a2b226e83f04aed18',8,'',8,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'4e2b1f9a86b267d12db6dff03c2ca4d3b18eccdb2c20f5ff3c0b71881be1ff1f');
INSERT INTO "pointers" VALUES('','default','unpinned','01a21a8127252e45498796b86cdb30e5',5,'',5,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',4,NULL,'6824d564a30cc8d62aa85ada00da6c67c8107cb46c87aedaf53ed310291f3f9f');
INSERT INTO "pointers" VALUES('','default','up','01a21a8126a161db65efa4b0be7bf65e',3,'',3,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'52181bd9d754bf8519c1661ed6a5dca7abb0cf9f699f33eb1c082a97049d24d1');
INSERT INTO "pointers" VALUES('acme','default','up','01a21a8127c11114d3f03d1dd93d359c',11,'acme',11,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'b9d92c1adae12dd20bb8a96ffd2ca4f72b8254e8fc7a2ea77096120d45592c0d');
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
INSERT INTO "run_results" VALUES('run','','said','01a21a812752b81a2b226e83f04aed18');
CREATE INDEX anchor_edges_by_source ON anchor_edges (source);
CREATE INDEX materializations_by_definition ON materializations (definition_hash, anchor_set_id) WHERE status = 'ready';
CREATE INDEX materializations_by_table ON materializations (tenant, table_name, start_sequence);
CREATE INDEX materializations_building ON materializations (lease_expires_at) WHERE status = 'building';
CREATE INDEX pointers_by_materialization ON pointers (materialization_id);
CREATE INDEX pointers_by_anchor_set ON pointers (anchor_set_id);
COMMIT;
