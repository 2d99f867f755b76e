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
INSERT INTO "annotations" VALUES('01a21a83bb05d1a43743fa0e69a09dd1','{"checks":[1]}');
CREATE TABLE catalog_state (
	id INTEGER NOT NULL, 
	catalog_id TEXT NOT NULL, 
	revision BIGINT NOT NULL, 
	start_sequence BIGINT NOT NULL, root_id TEXT, 
	PRIMARY KEY (id)
);
INSERT INTO "catalog_state" VALUES(1,'e93131dd459e4cf68115b5aba84632c7',10,1795741170579,NULL);
CREATE TABLE jammi_alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT jammi_alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "jammi_alembic_version" VALUES('0002');
CREATE TABLE maintenance_stamps (
	stamp TEXT NOT NULL, 
	issued_at FLOAT NOT NULL, 
	PRIMARY KEY (stamp)
);
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
	lease_expires_at FLOAT, attempt_id TEXT, attempt_size BIGINT, missing_since FLOAT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(anchor_set_id) REFERENCES anchor_sets (id)
);
INSERT INTO "materializations" VALUES('01a21a83ba09a826af17dbfcfbd21c8d','','default','up','ready','tables/up-75a288c0d6898c5f/01a21a83ba09a826af17dbfcfbd21c8d.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'6824d564a30cc8d62aa85ada00da6c67c8107cb46c87aedaf53ed310291f3f9f',497,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795741170184,'2026-11-27T00:59:30.185736+00:00','2026-11-27T00:59:30.215082+00:00',NULL,'library/481b33efce52034c',NULL,'97011fc1d29a46d9e944cfb0b867433f',1,NULL);
INSERT INTO "materializations" VALUES('01a21a83ba62d9eb9f2d5c69cba4e6b6','','default','down','ready','tables/down-908aec4512d80ff4/01a21a83ba62d9eb9f2d5c69cba4e6b6.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',2,NULL,'6824d564a30cc8d62aa85ada00da6c67c8107cb46c87aedaf53ed310291f3f9f',497,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795741170274,'2026-11-27T00:59:30.274880+00:00','2026-11-27T00:59:30.292173+00:00',NULL,'library/e887191784f9478c',NULL,'e86d54a2e0655e700e6ec924583d22ae',1,NULL);
INSERT INTO "materializations" VALUES('01a21a83ba8a27bc72d46ce0f4eb514f','','default','up','ready','tables/up-75a288c0d6898c5f/01a21a83ba8a27bc72d46ce0f4eb514f.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'52181bd9d754bf8519c1661ed6a5dca7abb0cf9f699f33eb1c082a97049d24d1',506,5,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',1795741170314,'2026-11-27T00:59:30.314649+00:00','2026-11-27T00:59:30.328201+00:00',NULL,'library/302357465685881a',NULL,'de2ddb3c58231c648a10c811e77e1c7c',1,NULL);
INSERT INTO "materializations" VALUES('01a21a83baa1bc75bfcdb36b05484c93','','default','over files','ready','tables/over-files-e1f7ab0e7319c099/01a21a83baa1bc75bfcdb36b05484c93.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',3,'[1, 0]','6824d564a30cc8d62aa85ada00da6c67c8107cb46c87aedaf53ed310291f3f9f',497,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795741170336,'2026-11-27T00:59:30.337799+00:00','2026-11-27T00:59:30.349046+00:00',NULL,'library/d2b1550aa4742a84',NULL,'999b6ae90f17d3fd9f7e598af7ecbab2',1,NULL);
INSERT INTO "materializations" VALUES('01a21a83babd10eb3d0662466556ae9f','','default','unpinned','ready','tables/unpinned-a838443ef6b7be75/01a21a83babd10eb3d0662466556ae9f.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',4,NULL,'6824d564a30cc8d62aa85ada00da6c67c8107cb46c87aedaf53ed310291f3f9f',497,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795741170364,'2026-11-27T00:59:30.365637+00:00','2026-11-27T00:59:30.389588+00:00',NULL,'library/b7882036088aae6d',NULL,'456d8c680c4f53fa075be9f9dc977b1a',1,NULL);
INSERT INTO "materializations" VALUES('01a21a83bae118fa7b8e07c3b425f33c','','default','dropped','dropped','tables/dropped-e7cd9c3ab5da1895/01a21a83bae118fa7b8e07c3b425f33c.parquet','9f660d92f4c57215af8ccd91ee73fab7ea2b2abdc5c89edc1869a097e38641a3',1,NULL,'6824d564a30cc8d62aa85ada00da6c67c8107cb46c87aedaf53ed310291f3f9f',497,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795741170400,'2026-11-27T00:59:30.401233+00:00','2026-11-27T00:59:30.416370+00:00',NULL,'library/63bb344ba4f45a95',1795741170.43,'39835a76d0d99fb7e483baa063f5aafc',1,NULL);
INSERT INTO "materializations" VALUES('01a21a83bb05d1a43743fa0e69a09dd1','','default','said','ready','tables/said-fb46c79b7eb7af17/01a21a83bb05d1a43743fa0e69a09dd1.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'4e2b1f9a86b267d12db6dff03c2ca4d3b18eccdb2c20f5ff3c0b71881be1ff1f',492,2,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}','diverged',1.5,'run',1795741170435,'2026-11-27T00:59:30.437139+00:00','2026-11-27T00:59:30.448836+00:00',NULL,'run/step',NULL,'136e41a1e86bd2c0d8f997c60422e433',1,NULL);
INSERT INTO "materializations" VALUES('01a21a83bb28bc96e78ca76cdade9b8c','','default','é[2026-01-01]','building','tables/-2026-01-01--c740ea0230f05162/01a21a83bb28bc96e78ca76cdade9b8c.parquet',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'dead',1795741170472,'2026-11-27T00:59:30.472714+00:00',NULL,'123600535e13d8da45a8ade2acb55e01','dead/step',1.79574123047300934796e+09,'abfc87454ac92819154eced7a32bd691',1,NULL);
INSERT INTO "materializations" VALUES('01a21a83bb29d6d0523482d802bbf780','','default','dead','building','tables/dead-28a3a5e81d1e89f0/01a21a83bb29d6d0523482d802bbf780.parquet',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'8e4b669d',1795741170473,'2026-11-27T00:59:30.473705+00:00',NULL,'5ea3e416df19567ab6cee2895eda5555','8e4b669d/step',1.79574123047300934796e+09,'0f90bcccbfb20fcdd3deacd857d9fa1f',1,NULL);
INSERT INTO "materializations" VALUES('01a21a83bb5db15538ada0ec6adb7897','acme','default','up','ready','tenants/acme-822b33ad87c148a0/tables/up-75a288c0d6898c5f/01a21a83bb5db15538ada0ec6adb7897.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'b9d92c1adae12dd20bb8a96ffd2ca4f72b8254e8fc7a2ea77096120d45592c0d',514,7,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',1795741170524,'2026-11-27T00:59:30.525345+00:00','2026-11-27T00:59:30.556289+00:00',NULL,'library/02556cdff02715a2',NULL,'b2798420d67ba82e8d1dded3f633803b',1,NULL);
INSERT INTO "materializations" VALUES('01a21a83bb9515cb006815f3be9f9b35','','branch','up','ready','tables/up-75a288c0d6898c5f/01a21a83bb9515cb006815f3be9f9b35.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'b9d92c1adae12dd20bb8a96ffd2ca4f72b8254e8fc7a2ea77096120d45592c0d',514,7,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-1","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',1795741170579,'2026-11-27T00:59:30.581122+00:00','2026-11-27T00:59:30.612242+00:00',NULL,'library/300ea7d444966e41',NULL,'5b7b014f18b68c48f36ad3a89d5f20d2',1,NULL);
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
	artifact_digest TEXT, restored INTEGER, lost_id TEXT, 
	PRIMARY KEY (tenant, deployment, table_name), 
	FOREIGN KEY(materialization_id) REFERENCES materializations (id), 
	FOREIGN KEY(anchor_set_id) REFERENCES anchor_sets (id)
)
 WITHOUT ROWID

;
INSERT INTO "pointers" VALUES('','branch','up','01a21a83bb9515cb006815f3be9f9b35',1795741170579,'',1795741170579,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'b9d92c1adae12dd20bb8a96ffd2ca4f72b8254e8fc7a2ea77096120d45592c0d',NULL,NULL);
INSERT INTO "pointers" VALUES('','default','down','01a21a83ba62d9eb9f2d5c69cba4e6b6',1795741170274,'',1795741170274,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',2,NULL,'6824d564a30cc8d62aa85ada00da6c67c8107cb46c87aedaf53ed310291f3f9f',NULL,NULL);
INSERT INTO "pointers" VALUES('','default','dropped',NULL,1795741170426,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','over files','01a21a83baa1bc75bfcdb36b05484c93',1795741170336,'',1795741170336,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',3,'[1, 0]','6824d564a30cc8d62aa85ada00da6c67c8107cb46c87aedaf53ed310291f3f9f',NULL,NULL);
INSERT INTO "pointers" VALUES('','default','said','01a21a83bb05d1a43743fa0e69a09dd1',1795741170435,'',1795741170435,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'4e2b1f9a86b267d12db6dff03c2ca4d3b18eccdb2c20f5ff3c0b71881be1ff1f',NULL,NULL);
INSERT INTO "pointers" VALUES('','default','unpinned','01a21a83babd10eb3d0662466556ae9f',1795741170364,'',1795741170364,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',4,NULL,'6824d564a30cc8d62aa85ada00da6c67c8107cb46c87aedaf53ed310291f3f9f',NULL,NULL);
INSERT INTO "pointers" VALUES('','default','up','01a21a83ba8a27bc72d46ce0f4eb514f',1795741170314,'',1795741170314,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'52181bd9d754bf8519c1661ed6a5dca7abb0cf9f699f33eb1c082a97049d24d1',NULL,NULL);
INSERT INTO "pointers" VALUES('acme','default','up','01a21a83bb5db15538ada0ec6adb7897',1795741170524,'acme',1795741170524,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'b9d92c1adae12dd20bb8a96ffd2ca4f72b8254e8fc7a2ea77096120d45592c0d',NULL,NULL);
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
INSERT INTO "run_results" VALUES('run','','said','01a21a83bb05d1a43743fa0e69a09dd1');
CREATE INDEX anchor_edges_by_source ON anchor_edges (source);
CREATE INDEX materializations_by_definition ON materializations (definition_hash, anchor_set_id) WHERE status = 'ready';
CREATE INDEX materializations_by_table ON materializations (tenant, table_name, start_sequence);
CREATE INDEX materializations_building ON materializations (lease_expires_at) WHERE status = 'building';
CREATE INDEX pointers_by_materialization ON pointers (materialization_id);
CREATE INDEX pointers_by_anchor_set ON pointers (anchor_set_id);
COMMIT;
