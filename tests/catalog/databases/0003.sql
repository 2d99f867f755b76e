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
INSERT INTO "annotations" VALUES('01a21ab453cff2d9c9d2c592b705549f','{"checks":[1]}');
CREATE TABLE catalog_state (
	id INTEGER NOT NULL, 
	catalog_id TEXT NOT NULL, 
	revision BIGINT NOT NULL, 
	start_sequence BIGINT NOT NULL, root_id TEXT, mark TEXT, key_fingerprint TEXT, 
	PRIMARY KEY (id)
);
INSERT INTO "catalog_state" VALUES(1,'6583c843be0c4947bcbb9052599f31c1',10,1795744355390,'5af945ccf028b3b8fa5b1a990b830dc4','4fa94efaedbe9bfc',NULL);
CREATE TABLE jammi_alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT jammi_alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "jammi_alembic_version" VALUES('0003');
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
INSERT INTO "materializations" VALUES('01a21ab451f6cbc0d62f58052e6679f2','','default','up','ready','tables/up-75a288c0d6898c5f/01a21ab451f6cbc0d62f58052e6679f2.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795744354806,'2026-11-27T01:52:34.806975+00:00','2026-11-27T01:52:34.860274+00:00',NULL,'library/677be887338afe69',NULL,'59125dff7f6c1a4c50de00024c3882b5',1,NULL);
INSERT INTO "materializations" VALUES('01a21ab4529fdee25ed7a10ae89730d5','','default','down','ready','tables/down-908aec4512d80ff4/01a21ab4529fdee25ed7a10ae89730d5.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',2,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795744354974,'2026-11-27T01:52:34.975817+00:00','2026-11-27T01:52:35.040224+00:00',NULL,'library/5fa2ec57a80d7a61',NULL,'ac5d9b42de67052d4ad1c2234ab89d81',1,NULL);
INSERT INTO "materializations" VALUES('01a21ab4530a8f35bc9e7d4bdd09b3a3','','default','up','ready','tables/up-75a288c0d6898c5f/01a21ab4530a8f35bc9e7d4bdd09b3a3.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'1ac4a1d83432fc37745cb352dd87b712a80484bce2057566d0979c60b7dcb065',518,5,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',1795744355082,'2026-11-27T01:52:35.082616+00:00','2026-11-27T01:52:35.120236+00:00',NULL,'library/be6206d956f16d9f',NULL,'edd189d8fb63b789a9ec58ad88c2ebec',1,NULL);
INSERT INTO "materializations" VALUES('01a21ab4535ad19086cbc50ac70cd4bb','','default','over files','ready','tables/over-files-e1f7ab0e7319c099/01a21ab4535ad19086cbc50ac70cd4bb.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',3,'[1, 0]','5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795744355161,'2026-11-27T01:52:35.162495+00:00','2026-11-27T01:52:35.201367+00:00',NULL,'library/4eb5f8914b73bf1b',NULL,'809ab092836cf7433ecd3f3bf051fa12',1,NULL);
INSERT INTO "materializations" VALUES('01a21ab4538f37307388f8a0ac971001','','default','unpinned','ready','tables/unpinned-a838443ef6b7be75/01a21ab4538f37307388f8a0ac971001.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',4,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795744355215,'2026-11-27T01:52:35.215240+00:00','2026-11-27T01:52:35.226942+00:00',NULL,'library/9e91e3e9925e29f6',NULL,'c1e6daa1533df03d17008dbcf69e5840',1,NULL);
INSERT INTO "materializations" VALUES('01a21ab453a9e410c2833bec2ff0eb3f','','default','dropped','dropped','tables/dropped-e7cd9c3ab5da1895/01a21ab453a9e410c2833bec2ff0eb3f.parquet','9f660d92f4c57215af8ccd91ee73fab7ea2b2abdc5c89edc1869a097e38641a3',1,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795744355241,'2026-11-27T01:52:35.241964+00:00','2026-11-27T01:52:35.246209+00:00',NULL,'library/d6625209113f54e1',1.79574435527001762392e+09,'657079d54b673f49f0ba910d0723042e',1,NULL);
INSERT INTO "materializations" VALUES('01a21ab453cff2d9c9d2c592b705549f','','default','said','ready','tables/said-fb46c79b7eb7af17/01a21ab453cff2d9c9d2c592b705549f.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'c3021e69565ec0f56f2fec1ca4e698f75ed769d5067526e700f951b647fb5e5e',503,2,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',1.5,'run',1795744355278,'2026-11-27T01:52:35.279214+00:00','2026-11-27T01:52:35.291465+00:00',NULL,'run/step',NULL,'62fda4238fbd687b3fe14819c51c0664',1,NULL);
INSERT INTO "materializations" VALUES('01a21ab453e6f7493bb38ec89c5d31f1','','default','é[2026-01-01]','building','tables/-2026-01-01--c740ea0230f05162/01a21ab453e6f7493bb38ec89c5d31f1.parquet',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'dead',1795744355302,'2026-11-27T01:52:35.302180+00:00',NULL,'a9925a0f412e98eeae6e7f71521faa57','dead/step',1.79574441530200290678e+09,'c4ff577dc8cdd154430f73e8297d358c',1,NULL);
INSERT INTO "materializations" VALUES('01a21ab453f0f2b3cffc6553343f84a0','','default','dead','building','tables/dead-28a3a5e81d1e89f0/01a21ab453f0f2b3cffc6553343f84a0.parquet',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'59aba024',1795744355311,'2026-11-27T01:52:35.312929+00:00',NULL,'7040db0b56ff02e84a151516fd12b118','59aba024/step',1.79574441531298661231e+09,'36f25620b3109b26408fd295246105af',1,NULL);
INSERT INTO "materializations" VALUES('01a21ab4540ad1e2b87cd6c80b8be9ff','acme','default','up','ready','tenants/acme-822b33ad87c148a0/tables/up-75a288c0d6898c5f/01a21ab4540ad1e2b87cd6c80b8be9ff.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'cf678d77b9258e15efa32746cb5c8d1eff436577007b949c12e3d3264f64a5fe',526,7,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',1795744355338,'2026-11-27T01:52:35.338517+00:00','2026-11-27T01:52:35.381110+00:00',NULL,'library/7b56a269b8f2a887',NULL,'e7cb4b70802bb4542055902451ea72c3',1,NULL);
INSERT INTO "materializations" VALUES('01a21ab4543f74253411b84b26524870','','branch','up','ready','tables/up-75a288c0d6898c5f/01a21ab4543f74253411b84b26524870.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'cf678d77b9258e15efa32746cb5c8d1eff436577007b949c12e3d3264f64a5fe',526,7,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',1795744355390,'2026-11-27T01:52:35.391569+00:00','2026-11-27T01:52:35.404399+00:00',NULL,'library/00a4d81b21e193eb',NULL,'65edbf36ca54cc008526b76eac2df6dd',1,NULL);
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
INSERT INTO "pointers" VALUES('','branch','up','01a21ab4543f74253411b84b26524870',1795744355390,'',1795744355390,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'cf678d77b9258e15efa32746cb5c8d1eff436577007b949c12e3d3264f64a5fe',NULL,NULL);
INSERT INTO "pointers" VALUES('','default','down','01a21ab4529fdee25ed7a10ae89730d5',1795744354974,'',1795744354974,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',2,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',NULL,NULL);
INSERT INTO "pointers" VALUES('','default','dropped',NULL,1795744355268,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','over files','01a21ab4535ad19086cbc50ac70cd4bb',1795744355161,'',1795744355161,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',3,'[1, 0]','5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',NULL,NULL);
INSERT INTO "pointers" VALUES('','default','said','01a21ab453cff2d9c9d2c592b705549f',1795744355278,'',1795744355278,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'c3021e69565ec0f56f2fec1ca4e698f75ed769d5067526e700f951b647fb5e5e',NULL,NULL);
INSERT INTO "pointers" VALUES('','default','unpinned','01a21ab4538f37307388f8a0ac971001',1795744355215,'',1795744355215,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',4,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',NULL,NULL);
INSERT INTO "pointers" VALUES('','default','up','01a21ab4530a8f35bc9e7d4bdd09b3a3',1795744355082,'',1795744355082,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'1ac4a1d83432fc37745cb352dd87b712a80484bce2057566d0979c60b7dcb065',NULL,NULL);
INSERT INTO "pointers" VALUES('acme','default','up','01a21ab4540ad1e2b87cd6c80b8be9ff',1795744355338,'acme',1795744355338,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'cf678d77b9258e15efa32746cb5c8d1eff436577007b949c12e3d3264f64a5fe',NULL,NULL);
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
INSERT INTO "run_results" VALUES('run','','said','01a21ab453cff2d9c9d2c592b705549f');
CREATE INDEX anchor_edges_by_source ON anchor_edges (source);
CREATE INDEX materializations_by_definition ON materializations (definition_hash, anchor_set_id) WHERE status = 'ready';
CREATE INDEX materializations_by_table ON materializations (tenant, table_name, start_sequence);
CREATE INDEX materializations_building ON materializations (lease_expires_at) WHERE status = 'building';
CREATE INDEX pointers_by_materialization ON pointers (materialization_id);
CREATE INDEX pointers_by_anchor_set ON pointers (anchor_set_id);
COMMIT;
