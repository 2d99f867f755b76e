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
INSERT INTO "anchor_sets" VALUES(2,'96ec7ce887aa07db3a340a8740eba58f6a0637a9bf6be2ec87360a4d1f8b99fc','[{"source": "up", "anchor": "5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5", "kind": "result_digest"}]');
INSERT INTO "anchor_sets" VALUES(3,'555dea647b60dcb5b7df057c7f10fbb38f33c72f86588f1d63ef5f3e16a6bc3b','[{"source": "file:a", "anchor": "1", "kind": "source_version"}, {"source": "file:b", "anchor": "1", "kind": "source_version"}]');
INSERT INTO "anchor_sets" VALUES(4,'877a1d8a4f2ee08b8f8a1df5b2937296ef31687304c59308eb3e28b4a7b82b9d','[{"source": "api:x", "anchor": "2026-01-01T00:00:00Z", "kind": "unpinned_at_instant"}]');
CREATE TABLE annotations (
	materialization_id TEXT NOT NULL, 
	annotation_json TEXT NOT NULL, 
	PRIMARY KEY (materialization_id), 
	FOREIGN KEY(materialization_id) REFERENCES materializations (id)
);
INSERT INTO "annotations" VALUES('01a21cb7e29d9bad7f4885e3789c5c76','{"checks":[1]}');
CREATE TABLE catalog_state (
	id INTEGER NOT NULL, 
	catalog_id TEXT NOT NULL, 
	revision BIGINT NOT NULL, 
	start_sequence BIGINT NOT NULL, root_id TEXT, mark TEXT, key_fingerprint TEXT, 
	PRIMARY KEY (id)
);
INSERT INTO "catalog_state" VALUES(1,'13e3e5fee8084ceeb54887a9353bd124',14,1795778143140,'4d4fd6a520db69a2eddfc223392f7c91','17e359119df20675',NULL);
CREATE TABLE jammi_alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT jammi_alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "jammi_alembic_version" VALUES('0004');
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
INSERT INTO "materializations" VALUES('01a21cb7e18075cbc5855a01ba514fec','','default','up','ready','tables/up-75a288c0d6898c5f/01a21cb7e18075cbc5855a01ba514fec.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795778142592,'2026-11-27T11:15:42.592992+00:00','2026-11-27T11:15:42.622597+00:00',NULL,'library/6a2d0c72e26035f6',NULL,'f44ee095995c5368c3269df3dea6e7e7',1,NULL);
INSERT INTO "materializations" VALUES('01a21cb7e1ce951384352d551c4ee1df','','default','down','ready','tables/down-908aec4512d80ff4/01a21cb7e1ce951384352d551c4ee1df.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',2,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795778142670,'2026-11-27T11:15:42.670502+00:00','2026-11-27T11:15:42.682706+00:00',NULL,'library/6a3d1a93e0c95849',NULL,'018b6572963cf408771731046d887d5c',1,NULL);
INSERT INTO "materializations" VALUES('01a21cb7e1eb38d3c2d4e1341c0de7b6','','default','up','ready','tables/up-75a288c0d6898c5f/01a21cb7e1eb38d3c2d4e1341c0de7b6.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'1ac4a1d83432fc37745cb352dd87b712a80484bce2057566d0979c60b7dcb065',518,5,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',1795778142698,'2026-11-27T11:15:42.699794+00:00','2026-11-27T11:15:42.720167+00:00',NULL,'library/bfa00fa518f70cc4',NULL,'193af9f50e9859c5cdd70ff3569794ea',1,NULL);
INSERT INTO "materializations" VALUES('01a21cb7e2110fb2a9530508adbdafbc','','default','over files','ready','tables/over-files-e1f7ab0e7319c099/01a21cb7e2110fb2a9530508adbdafbc.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',3,'[1, 0]','5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795778142737,'2026-11-27T11:15:42.737548+00:00','2026-11-27T11:15:42.756495+00:00',NULL,'library/2aee3dbbd8bfd2da',NULL,'479cdedf2019c549e1d728bfa114a00a',1,NULL);
INSERT INTO "materializations" VALUES('01a21cb7e23eed84db171414cfdcfd87','','default','unpinned','ready','tables/unpinned-a838443ef6b7be75/01a21cb7e23eed84db171414cfdcfd87.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',4,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795778142781,'2026-11-27T11:15:42.782072+00:00','2026-11-27T11:15:42.800303+00:00',NULL,'library/90eaaa580a38814c',NULL,'685d490027f518a81aadc0a60bcc30fe',1,NULL);
INSERT INTO "materializations" VALUES('01a21cb7e25dcb7465c00fe11f48058b','','default','dropped','dropped','tables/dropped-e7cd9c3ab5da1895/01a21cb7e25dcb7465c00fe11f48058b.parquet','9f660d92f4c57215af8ccd91ee73fab7ea2b2abdc5c89edc1869a097e38641a3',1,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795778142813,'2026-11-27T11:15:42.813617+00:00','2026-11-27T11:15:42.832454+00:00',NULL,'library/3c2fc2cc40ef58d0',1.79577814285500788693e+09,'633cd9c34b4a10ae604760cf622dcd05',1,NULL);
INSERT INTO "materializations" VALUES('01a21cb7e29d9bad7f4885e3789c5c76','','default','said','ready','tables/said-fb46c79b7eb7af17/01a21cb7e29d9bad7f4885e3789c5c76.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'c3021e69565ec0f56f2fec1ca4e698f75ed769d5067526e700f951b647fb5e5e',503,2,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',1.5,'run',1795778142877,'2026-11-27T11:15:42.877167+00:00','2026-11-27T11:15:42.890898+00:00',NULL,'run/step',NULL,'51f5bea01698b65d09cecc4810dbe9f6',1,NULL);
INSERT INTO "materializations" VALUES('01a21cb7e2c11c3527ab276d753e98d9','','default','é[2026-01-01]','building','tables/-2026-01-01--c740ea0230f05162/01a21cb7e2c11c3527ab276d753e98d9.parquet',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'dead',1795778142912,'2026-11-27T11:15:42.913628+00:00',NULL,'8430ce87f6f1cf9d8d9bd8c87644c26e','dead/step',1.79577820291298389434e+09,'85cc79e5ee11e813940bf911c8f4aef3',1,NULL);
INSERT INTO "materializations" VALUES('01a21cb7e2c839ddbc7f880f059e75c3','','default','dead','building','tables/dead-28a3a5e81d1e89f0/01a21cb7e2c839ddbc7f880f059e75c3.parquet',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'0b563ffa',1795778142919,'2026-11-27T11:15:42.920811+00:00',NULL,'ad7c47ddd54f619ad1c5837204229668','0b563ffa/step',1.79577820292099022865e+09,'8a614fe8155320166f4f1039c4a5df1c',1,NULL);
INSERT INTO "materializations" VALUES('01a21cb7e2ed7e85b89174379590291c','','default','held','ready','tables/held-c20dea4d876b5b8f/01a21cb7e2ed7e85b89174379590291c.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',1795778142956,'2026-11-27T11:15:42.957433+00:00','2026-11-27T11:15:42.980244+00:00',NULL,'library/0e86cb75d8f19a47',NULL,'905eea86174eab01682db176f58ea402',1,NULL);
INSERT INTO "materializations" VALUES('01a21cb7e3186be02c2abd80f01034bf','','default','held','ready','tables/held-c20dea4d876b5b8f/01a21cb7e3186be02c2abd80f01034bf.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'c3021e69565ec0f56f2fec1ca4e698f75ed769d5067526e700f951b647fb5e5e',503,2,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',1795778143000,'2026-11-27T11:15:43.000911+00:00','2026-11-27T11:15:43.016178+00:00',NULL,'library/493e1af3613218ff',NULL,'28113418146ac6101133a973a58aa1a8',1,NULL);
INSERT INTO "materializations" VALUES('01a21cb7e359a21871db302939f016cd','acme','default','up','ready','tenants/acme-822b33ad87c148a0/tables/up-75a288c0d6898c5f/01a21cb7e359a21871db302939f016cd.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'cf678d77b9258e15efa32746cb5c8d1eff436577007b949c12e3d3264f64a5fe',526,7,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',1795778143064,'2026-11-27T11:15:43.065645+00:00','2026-11-27T11:15:43.092465+00:00',NULL,'library/fb973c7ea2aa7ef8',NULL,'719f8dc45afff011d773234e2775d526',1,NULL);
INSERT INTO "materializations" VALUES('01a21cb7e386d378228249ce78637f21','','branch','up','ready','tables/up-75a288c0d6898c5f/01a21cb7e386d378228249ce78637f21.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'cf678d77b9258e15efa32746cb5c8d1eff436577007b949c12e3d3264f64a5fe',526,7,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',1795778143110,'2026-11-27T11:15:43.110564+00:00','2026-11-27T11:15:43.132658+00:00',NULL,'library/aecdafaa2af524b4',NULL,'22ea15038205b87755e8f4a0a1192087',1,NULL);
CREATE TABLE outbox (
	tenant TEXT NOT NULL, 
	deployment TEXT NOT NULL, 
	sequence BIGINT NOT NULL, 
	table_name TEXT NOT NULL, 
	event_json TEXT NOT NULL, 
	attempts INTEGER NOT NULL, 
	claimed_until FLOAT, 
	PRIMARY KEY (tenant, deployment, sequence, table_name)
)
 WITHOUT ROWID

;
INSERT INTO "outbox" VALUES('','default',1795778143050,'up','{}',0,NULL);
CREATE TABLE pointer_moves (
	tenant TEXT NOT NULL, 
	table_name TEXT NOT NULL, 
	deployment TEXT NOT NULL, 
	sequence BIGINT NOT NULL, 
	start_sequence BIGINT NOT NULL, 
	materialization_id TEXT, 
	outcome TEXT NOT NULL, 
	cause TEXT, 
	run_id TEXT, 
	moved_at FLOAT NOT NULL, 
	PRIMARY KEY (tenant, table_name, deployment, sequence)
)
 WITHOUT ROWID

;
INSERT INTO "pointer_moves" VALUES('','down','default',1795778142691,1795778142670,'01a21cb7e1ce951384352d551c4ee1df','computed',NULL,NULL,1.79577814269399499893e+09);
INSERT INTO "pointer_moves" VALUES('','dropped','default',1795778142836,1795778142813,'01a21cb7e25dcb7465c00fe11f48058b','computed',NULL,NULL,1.79577814283698344224e+09);
INSERT INTO "pointer_moves" VALUES('','dropped','default',1795778142843,1795778142843,NULL,'dropped',NULL,NULL,1.79577814285400199885e+09);
INSERT INTO "pointer_moves" VALUES('','held','default',1795778142986,1795778142956,'01a21cb7e2ed7e85b89174379590291c','computed',NULL,NULL,1.79577814298701286311e+09);
INSERT INTO "pointer_moves" VALUES('','held','default',1795778143020,1795778143000,'01a21cb7e3186be02c2abd80f01034bf','computed',NULL,NULL,1795778143.02101);
INSERT INTO "pointer_moves" VALUES('','held','default',1795778143029,1795778143029,'01a21cb7e2ed7e85b89174379590291c','rolled_back','by me',NULL,1.79577814304100561145e+09);
INSERT INTO "pointer_moves" VALUES('','over files','default',1795778142772,1795778142737,'01a21cb7e2110fb2a9530508adbdafbc','computed',NULL,NULL,1.79577814277401876449e+09);
INSERT INTO "pointer_moves" VALUES('','said','default',1795778142899,1795778142877,'01a21cb7e29d9bad7f4885e3789c5c76','computed',NULL,'run',1.79577814290099430083e+09);
INSERT INTO "pointer_moves" VALUES('','unpinned','default',1795778142808,1795778142781,'01a21cb7e23eed84db171414cfdcfd87','computed',NULL,NULL,1.79577814280898118018e+09);
INSERT INTO "pointer_moves" VALUES('','up','branch',1795778143140,1795778143110,'01a21cb7e386d378228249ce78637f21','computed',NULL,NULL,1.79577814314098501207e+09);
INSERT INTO "pointer_moves" VALUES('','up','default',1795778142631,1795778142592,'01a21cb7e18075cbc5855a01ba514fec','computed',NULL,NULL,1.79577814265299749371e+09);
INSERT INTO "pointer_moves" VALUES('','up','default',1795778142725,1795778142698,'01a21cb7e1eb38d3c2d4e1341c0de7b6','computed',NULL,NULL,1.79577814272501468662e+09);
INSERT INTO "pointer_moves" VALUES('acme','up','default',1795778143104,1795778143064,'01a21cb7e359a21871db302939f016cd','computed',NULL,NULL,1.79577814310501670839e+09);
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
	artifact_digest TEXT, restored INTEGER, lost_id TEXT, held_since FLOAT, held_by TEXT, held_because TEXT, 
	PRIMARY KEY (tenant, deployment, table_name), 
	FOREIGN KEY(materialization_id) REFERENCES materializations (id), 
	FOREIGN KEY(anchor_set_id) REFERENCES anchor_sets (id)
)
 WITHOUT ROWID

;
INSERT INTO "pointers" VALUES('','branch','up','01a21cb7e386d378228249ce78637f21',1795778143110,'',1795778143110,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'cf678d77b9258e15efa32746cb5c8d1eff436577007b949c12e3d3264f64a5fe',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','down','01a21cb7e1ce951384352d551c4ee1df',1795778142670,'',1795778142670,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',2,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','dropped',NULL,1795778142843,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','held','01a21cb7e2ed7e85b89174379590291c',1795778143029,'',1795778142956,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',NULL,NULL,1.7957781430420114994e+09,'me',NULL);
INSERT INTO "pointers" VALUES('','default','over files','01a21cb7e2110fb2a9530508adbdafbc',1795778142737,'',1795778142737,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',3,'[1, 0]','5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','said','01a21cb7e29d9bad7f4885e3789c5c76',1795778142877,'',1795778142877,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'c3021e69565ec0f56f2fec1ca4e698f75ed769d5067526e700f951b647fb5e5e',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','unpinned','01a21cb7e23eed84db171414cfdcfd87',1795778142781,'',1795778142781,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',4,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','up','01a21cb7e1eb38d3c2d4e1341c0de7b6',1795778142698,'',1795778142698,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'1ac4a1d83432fc37745cb352dd87b712a80484bce2057566d0979c60b7dcb065',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('acme','default','up','01a21cb7e359a21871db302939f016cd',1795778143064,'acme',1795778143064,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'cf678d77b9258e15efa32746cb5c8d1eff436577007b949c12e3d3264f64a5fe',NULL,NULL,NULL,NULL,NULL);
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
INSERT INTO "run_results" VALUES('run','','said','01a21cb7e29d9bad7f4885e3789c5c76');
CREATE INDEX anchor_edges_by_source ON anchor_edges (source);
CREATE INDEX materializations_by_definition ON materializations (definition_hash, anchor_set_id) WHERE status = 'ready';
CREATE INDEX materializations_by_table ON materializations (tenant, table_name, start_sequence);
CREATE INDEX materializations_building ON materializations (lease_expires_at) WHERE status = 'building';
CREATE INDEX pointers_by_materialization ON pointers (materialization_id);
CREATE INDEX pointers_by_anchor_set ON pointers (anchor_set_id);
CREATE INDEX pointers_held ON pointers (tenant, deployment) WHERE held_since IS NOT NULL;
COMMIT;
