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
INSERT INTO "annotations" VALUES('01a21aaa0897be79f539aafdcb187c4a','{"checks":[1]}');
INSERT INTO "annotations" VALUES('01a21aaa08974799f31cb5af019a6cf1','{"checks":[1]}');
CREATE TABLE catalog_state (
	id INTEGER NOT NULL, 
	catalog_id TEXT NOT NULL, 
	revision BIGINT NOT NULL, 
	start_sequence BIGINT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "catalog_state" VALUES(1,'b9dc67476ea9426881d83860f115cf9e',10,11);
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
INSERT INTO "materializations" VALUES('01a21aaa069607410cb9580f64f7f506','','default','up','ready','tables/up-75a288c0d6898c5f/01a21aaa069607410cb9580f64f7f506.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'6824d564a30cc8d62aa85ada00da6c67c8107cb46c87aedaf53ed310291f3f9f',497,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1,'2026-11-27T01:41:20.150316+00:00','2026-11-27T01:41:20.263489+00:00',NULL,'library/219afbb75eb7304b',NULL);
INSERT INTO "materializations" VALUES('01a21aaa07511504b511080af4cc1518','','default','down','ready','tables/down-908aec4512d80ff4/01a21aaa07511504b511080af4cc1518.parquet','9f660d92f4c57215af8ccd91ee73fab7ea2b2abdc5c89edc1869a097e38641a3',2,NULL,'75dd7cbf82d83dbbdbd78e38e952f7539fb923041b3d519c10e460327109b3db',501,4,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',2,'2026-11-27T01:41:20.337415+00:00','2026-11-27T01:41:20.364850+00:00',NULL,'library/2beb626edbf132cf',NULL);
INSERT INTO "materializations" VALUES('01a21aaa0783bcabd76b78e3b5b0be2e','','default','up','ready','tables/up-75a288c0d6898c5f/01a21aaa0783bcabd76b78e3b5b0be2e.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'52181bd9d754bf8519c1661ed6a5dca7abb0cf9f699f33eb1c082a97049d24d1',506,5,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',3,'2026-11-27T01:41:20.387297+00:00','2026-11-27T01:41:20.426427+00:00',NULL,'library/c09f8cc702a2926a',NULL);
INSERT INTO "materializations" VALUES('01a21aaa07bdc9678ecbd5038797fe5a','','default','files','ready','tables/files-3d7db37d08f9140f/01a21aaa07bdc9678ecbd5038797fe5a.parquet','a2f5d539891d96cf72075d91d46082d42704c8b315c61a1a346d5a2be47daab3',3,'[1, 0]','4e2b1f9a86b267d12db6dff03c2ca4d3b18eccdb2c20f5ff3c0b71881be1ff1f',492,2,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',4,'2026-11-27T01:41:20.445339+00:00','2026-11-27T01:41:20.450746+00:00',NULL,'library/200e3e4fd4c26c8e',NULL);
INSERT INTO "materializations" VALUES('01a21aaa08151e886b7f7cc93ff6f92c','','default','unpinned','ready','tables/unpinned-a838443ef6b7be75/01a21aaa08151e886b7f7cc93ff6f92c.parquet','ce815c90c89f3ce1e17bdd8f2b5dc4f0ad174879065d2b211799cfebad25461d',4,NULL,'4e2b1f9a86b267d12db6dff03c2ca4d3b18eccdb2c20f5ff3c0b71881be1ff1f',492,2,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',5,'2026-11-27T01:41:20.533428+00:00','2026-11-27T01:41:20.574044+00:00',NULL,'library/9ae762f0d6bd419e',NULL);
INSERT INTO "materializations" VALUES('01a21aaa084da25ba4b9e516f59b7f4d','','default','dropped','dropped','tables/dropped-e7cd9c3ab5da1895/01a21aaa084da25ba4b9e516f59b7f4d.parquet','bab0640c3bbc708f1d34ffdfba50c7646b26e10113b386da5423acaf1021fbb9',1,NULL,'4e2b1f9a86b267d12db6dff03c2ca4d3b18eccdb2c20f5ff3c0b71881be1ff1f',492,2,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',6,'2026-11-27T01:41:20.589042+00:00','2026-11-27T01:41:20.649630+00:00',NULL,'library/13facefce5fc475d',1.79574368066200923919e+09);
INSERT INTO "materializations" VALUES('01a21aaa0897be79f539aafdcb187c4a','','default','t[1]','ready','tables/t-1--cd76bdabee9fa17e/01a21aaa0897be79f539aafdcb187c4a.parquet','c53f0ef4d571b8036b1b796e016fb3af60143acb1f51337a5e050e82c7ff3399',1,NULL,'646400b25316d12e653a11abb840e5d856a71caaa0be5cb24caa36421f08eed9',484,1,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}',NULL,1.5,'run',8,'2026-11-27T01:41:20.663676+00:00','2026-11-27T01:41:20.728435+00:00',NULL,'t[1]/step',NULL);
INSERT INTO "materializations" VALUES('01a21aaa08974799f31cb5af019a6cf1','','default','t[2]','ready','tables/t-2--979ba27673831e48/01a21aaa08974799f31cb5af019a6cf1.parquet','df0585910fc79a8726dfb41edcbecc4935122e9577a42a76f45dc7afd2f0389f',1,NULL,'961ac801300a96968246c119d5b6246b59e6b1f3bcc6a326f90aba040f9aeda0',484,1,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}',NULL,1.5,'run',8,'2026-11-27T01:41:20.663676+00:00','2026-11-27T01:41:20.728435+00:00',NULL,'t[1]/step',NULL);
INSERT INTO "materializations" VALUES('01a21aaa090146dd82b9fc09bbd90a8d','acme','default','up','ready','tenants/acme-822b33ad87c148a0/tables/up-75a288c0d6898c5f/01a21aaa090146dd82b9fc09bbd90a8d.parquet','46dfdcdc5e3962139ffd60d34ddd37af2d0178c874056ad6c2d0993a47e8d3a4',1,NULL,'b9d92c1adae12dd20bb8a96ffd2ca4f72b8254e8fc7a2ea77096120d45592c0d',514,7,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',9,'2026-11-27T01:41:20.769017+00:00','2026-11-27T01:41:20.796421+00:00',NULL,'library/d15541bbd7bde8f7',NULL);
INSERT INTO "materializations" VALUES('01a21aaa0923de23af4e0ce5adbebc96','','branch','up','ready','tables/up-75a288c0d6898c5f/01a21aaa0923de23af4e0ce5adbebc96.parquet','46dfdcdc5e3962139ffd60d34ddd37af2d0178c874056ad6c2d0993a47e8d3a4',1,NULL,'b9d92c1adae12dd20bb8a96ffd2ca4f72b8254e8fc7a2ea77096120d45592c0d',514,7,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',10,'2026-11-27T01:41:20.803111+00:00','2026-11-27T01:41:20.837378+00:00',NULL,'library/3be847ff26103902',NULL);
INSERT INTO "materializations" VALUES('01a21aaa095557811e6cc9bfefe4cbbf','','default','dead[1]','building','tables/dead-1--aaaa1f6176c24233/01a21aaa095557811e6cc9bfefe4cbbf.parquet',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'run',11,'2026-11-27T01:41:20.853231+00:00',NULL,'5df4d4d7210940dabd9218c4035d33a9','dead[1]/step',1.79574374085299587246e+09);
INSERT INTO "materializations" VALUES('01a21aaa09553e1b7c12b578f0954db6','','default','dead[2]','building','tables/dead-2--a9317304a2d06626/01a21aaa09553e1b7c12b578f0954db6.parquet',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'run',11,'2026-11-27T01:41:20.853231+00:00',NULL,'5df4d4d7210940dabd9218c4035d33a9','dead[1]/step',1.79574374085299587246e+09);
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
INSERT INTO "pointers" VALUES('','branch','up','01a21aaa0923de23af4e0ce5adbebc96',10,'',10,'46dfdcdc5e3962139ffd60d34ddd37af2d0178c874056ad6c2d0993a47e8d3a4',1,NULL,'b9d92c1adae12dd20bb8a96ffd2ca4f72b8254e8fc7a2ea77096120d45592c0d');
INSERT INTO "pointers" VALUES('','default','down','01a21aaa07511504b511080af4cc1518',2,'',2,'9f660d92f4c57215af8ccd91ee73fab7ea2b2abdc5c89edc1869a097e38641a3',2,NULL,'75dd7cbf82d83dbbdbd78e38e952f7539fb923041b3d519c10e460327109b3db');
INSERT INTO "pointers" VALUES('','default','dropped',NULL,7,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','files','01a21aaa07bdc9678ecbd5038797fe5a',4,'',4,'a2f5d539891d96cf72075d91d46082d42704c8b315c61a1a346d5a2be47daab3',3,'[1, 0]','4e2b1f9a86b267d12db6dff03c2ca4d3b18eccdb2c20f5ff3c0b71881be1ff1f');
INSERT INTO "pointers" VALUES('','default','t[1]','01a21aaa0897be79f539aafdcb187c4a',8,'',8,'c53f0ef4d571b8036b1b796e016fb3af60143acb1f51337a5e050e82c7ff3399',1,NULL,'646400b25316d12e653a11abb840e5d856a71caaa0be5cb24caa36421f08eed9');
INSERT INTO "pointers" VALUES('','default','t[2]','01a21aaa08974799f31cb5af019a6cf1',8,'',8,'df0585910fc79a8726dfb41edcbecc4935122e9577a42a76f45dc7afd2f0389f',1,NULL,'961ac801300a96968246c119d5b6246b59e6b1f3bcc6a326f90aba040f9aeda0');
INSERT INTO "pointers" VALUES('','default','unpinned','01a21aaa08151e886b7f7cc93ff6f92c',5,'',5,'ce815c90c89f3ce1e17bdd8f2b5dc4f0ad174879065d2b211799cfebad25461d',4,NULL,'4e2b1f9a86b267d12db6dff03c2ca4d3b18eccdb2c20f5ff3c0b71881be1ff1f');
INSERT INTO "pointers" VALUES('','default','up','01a21aaa0783bcabd76b78e3b5b0be2e',3,'',3,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'52181bd9d754bf8519c1661ed6a5dca7abb0cf9f699f33eb1c082a97049d24d1');
INSERT INTO "pointers" VALUES('acme','default','up','01a21aaa090146dd82b9fc09bbd90a8d',9,'acme',9,'46dfdcdc5e3962139ffd60d34ddd37af2d0178c874056ad6c2d0993a47e8d3a4',1,NULL,'b9d92c1adae12dd20bb8a96ffd2ca4f72b8254e8fc7a2ea77096120d45592c0d');
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
INSERT INTO "run_results" VALUES('run','','t[1]','01a21aaa0897be79f539aafdcb187c4a');
INSERT INTO "run_results" VALUES('run','','t[2]','01a21aaa08974799f31cb5af019a6cf1');
CREATE INDEX anchor_edges_by_source ON anchor_edges (source);
CREATE INDEX materializations_by_definition ON materializations (definition_hash, anchor_set_id) WHERE status = 'ready';
CREATE INDEX materializations_by_table ON materializations (tenant, table_name, start_sequence);
CREATE INDEX materializations_building ON materializations (lease_expires_at) WHERE status = 'building';
CREATE INDEX pointers_by_materialization ON pointers (materialization_id);
CREATE INDEX pointers_by_anchor_set ON pointers (anchor_set_id);
COMMIT;
