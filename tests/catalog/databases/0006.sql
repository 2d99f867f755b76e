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
INSERT INTO "anchor_edges" VALUES(5,'up','result_digest');
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
INSERT INTO "anchor_sets" VALUES(5,'0ef167d8c73556a785d90c87ad472a050cfa610320717edf4bc0b5b9fcefa04b','[{"source": "up", "anchor": "1ac4a1d83432fc37745cb352dd87b712a80484bce2057566d0979c60b7dcb065", "kind": "result_digest"}]');
CREATE TABLE annotations (
	materialization_id TEXT NOT NULL, 
	annotation_json TEXT NOT NULL, 
	PRIMARY KEY (materialization_id), 
	FOREIGN KEY(materialization_id) REFERENCES materializations (id)
);
INSERT INTO "annotations" VALUES('01a21d97672c80b37c0dd3cd6ebeb5bc','{"checks":[1]}');
CREATE TABLE catalog_state (
	id INTEGER NOT NULL, 
	catalog_id TEXT NOT NULL, 
	revision BIGINT NOT NULL, 
	start_sequence BIGINT NOT NULL, root_id TEXT, mark TEXT, key_fingerprint TEXT, 
	PRIMARY KEY (id)
);
INSERT INTO "catalog_state" VALUES(1,'d64407bdee2c465e84e773aa0e1f14b6',17,1795792791679,'8dff7a23838b81bc09d3cea92e1cfcf2','4613fa56e097556e',NULL);
CREATE TABLE collection_clocks (
	clock TEXT NOT NULL, 
	clock_seconds FLOAT NOT NULL, 
	database_seconds FLOAT NOT NULL, 
	alive_since FLOAT, 
	suspect_until FLOAT, 
	PRIMARY KEY (clock)
);
INSERT INTO "collection_clocks" VALUES('4aa673fd-0c4f-49fe-a5ce-d3b474b64098',54340.688597337,1.79579279171298885342e+09,NULL,NULL);
CREATE TABLE deployments (
	name TEXT NOT NULL, 
	parent TEXT, 
	parent_sequence BIGINT, 
	created_at FLOAT NOT NULL, 
	expires_at FLOAT, 
	dropped_at FLOAT, 
	PRIMARY KEY (name)
)
 WITHOUT ROWID

;
INSERT INTO "deployments" VALUES('feature','default',NULL,1.79579279164700651161e+09,NULL,NULL);
CREATE TABLE jammi_alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT jammi_alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "jammi_alembic_version" VALUES('0006');
CREATE TABLE maintenance_stamps (
	stamp TEXT NOT NULL, 
	issued_at FLOAT NOT NULL, 
	PRIMARY KEY (stamp)
);
INSERT INTO "maintenance_stamps" VALUES('0543f218ba39e7410a29d13f3e77dcea',1.79579279169601058957e+09);
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
	lease_expires_at FLOAT, attempt_id TEXT, attempt_size BIGINT, missing_since FLOAT, answers_json TEXT, marked_at FLOAT, mark_plan TEXT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(anchor_set_id) REFERENCES anchor_sets (id)
);
INSERT INTO "materializations" VALUES('01a21d976606dacf55319151108e17e3','','default','up','ready','tables/up-75a288c0d6898c5f/01a21d976606dacf55319151108e17e3.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795792791044,'2026-11-27T15:19:51.046136+00:00','2026-11-27T15:19:51.120184+00:00',NULL,'library/dfb0c27b5730587f',NULL,'adff86517eaf9f4e9bdec9ebf24b7821',1,NULL,NULL,1.7957927917349963188e+09,'8ef5be466a3cc953');
INSERT INTO "materializations" VALUES('01a21d976681bf0e44af36099b694b27','','default','down','ready','tables/down-908aec4512d80ff4/01a21d976681bf0e44af36099b694b27.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',2,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795792791168,'2026-11-27T15:19:51.169393+00:00','2026-11-27T15:19:51.180163+00:00',NULL,'library/c09c666f287ae5f0',NULL,'630e52790d9776167d43a19a61279d5d',1,NULL,'{"up":["default","01a21d976606dacf55319151108e17e3"]}',NULL,NULL);
INSERT INTO "materializations" VALUES('01a21d97669d3777edb7d4cbcf150c79','','default','up','ready','tables/up-75a288c0d6898c5f/01a21d97669d3777edb7d4cbcf150c79.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'1ac4a1d83432fc37745cb352dd87b712a80484bce2057566d0979c60b7dcb065',518,5,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',1795792791196,'2026-11-27T15:19:51.197720+00:00','2026-11-27T15:19:51.208159+00:00',NULL,'library/775a8c2771a4b3be',NULL,'2b3728a7ac8ffd63749a469c2d0b3a71',1,NULL,NULL,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21d9766b527f98a4697e4454c3442','','default','over files','ready','tables/over-files-e1f7ab0e7319c099/01a21d9766b527f98a4697e4454c3442.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',3,'[1, 0]','5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795792791221,'2026-11-27T15:19:51.221541+00:00','2026-11-27T15:19:51.236186+00:00',NULL,'library/788b84b25d7ef06e',NULL,'5d08dd86e81ceb404400d26772159df5',1,NULL,NULL,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21d9766d125666841aab5ed00a57d','','default','unpinned','ready','tables/unpinned-a838443ef6b7be75/01a21d9766d125666841aab5ed00a57d.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',4,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795792791248,'2026-11-27T15:19:51.249589+00:00','2026-11-27T15:19:51.268219+00:00',NULL,'library/03a38ee1e3cf4417',NULL,'81e7831ea4732683e21703f0964b7573',1,NULL,NULL,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21d9766f119fa2304cfca56f55122','','default','dropped','ready','tables/dropped-e7cd9c3ab5da1895/01a21d9766f119fa2304cfca56f55122.parquet','9f660d92f4c57215af8ccd91ee73fab7ea2b2abdc5c89edc1869a097e38641a3',1,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795792791281,'2026-11-27T15:19:51.281517+00:00','2026-11-27T15:19:51.300163+00:00',NULL,'library/fce600d335e0c376',NULL,'7ac212268d9ef631525b81abeb4cc7f8',1,NULL,NULL,1.7957927917349963188e+09,'8ef5be466a3cc953');
INSERT INTO "materializations" VALUES('01a21d97672c80b37c0dd3cd6ebeb5bc','','default','said','ready','tables/said-fb46c79b7eb7af17/01a21d97672c80b37c0dd3cd6ebeb5bc.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'c3021e69565ec0f56f2fec1ca4e698f75ed769d5067526e700f951b647fb5e5e',503,2,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',1.5,'run',1795792791339,'2026-11-27T15:19:51.340932+00:00','2026-11-27T15:19:51.356356+00:00',NULL,'run/step',NULL,'a4cc60dfe26e200897113ebb0495d890',1,NULL,NULL,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21d97674db7e069d2d980ee110316','','default','é[2026-01-01]','building','tables/-2026-01-01--c740ea0230f05162/01a21d97674db7e069d2d980ee110316.parquet',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'dead',1795792791373,'2026-11-27T15:19:51.373369+00:00',NULL,'6586b6d0dd5e874e4bd9ca9a1ed02a8f','dead/step',1.79579285137301898006e+09,'6d8604e7ee44fb3417b927776a0dbf91',1,NULL,NULL,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21d9767501ce79ced2abf0cfecc37','','default','dead','building','tables/dead-28a3a5e81d1e89f0/01a21d9767501ce79ced2abf0cfecc37.parquet',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'7a8772ff',1795792791375,'2026-11-27T15:19:51.376277+00:00',NULL,'e2ad521768a8f1a76138b0f3e5ba6f37','7a8772ff/step',1.7957928513759961128e+09,'1825d8762f9064eedc20be3d292ac311',1,NULL,NULL,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21d97676d7d87dfaec529f789f5d1','','default','held','ready','tables/held-c20dea4d876b5b8f/01a21d97676d7d87dfaec529f789f5d1.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',1795792791405,'2026-11-27T15:19:51.405698+00:00','2026-11-27T15:19:51.425724+00:00',NULL,'library/62b2ab51c3b95cd6',NULL,'408c08fe1acc96205cbd0103e106b12e',1,NULL,NULL,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21d97678d29d442ca567d75ae39c7','','default','held','ready','tables/held-c20dea4d876b5b8f/01a21d97678d29d442ca567d75ae39c7.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'c3021e69565ec0f56f2fec1ca4e698f75ed769d5067526e700f951b647fb5e5e',503,2,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',1795792791436,'2026-11-27T15:19:51.437609+00:00','2026-11-27T15:19:51.452188+00:00',NULL,'library/d7ae8761d37b74e3',NULL,'438cbe4263e6815d93f1ae980b94a2ff',1,NULL,NULL,1.7957927917349963188e+09,'8ef5be466a3cc953');
INSERT INTO "materializations" VALUES('01a21d9767c146d90fa1d9a750704e2f','acme','default','up','ready','tenants/acme-822b33ad87c148a0/tables/up-75a288c0d6898c5f/01a21d9767c146d90fa1d9a750704e2f.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'cf678d77b9258e15efa32746cb5c8d1eff436577007b949c12e3d3264f64a5fe',526,7,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',1795792791489,'2026-11-27T15:19:51.489480+00:00','2026-11-27T15:19:51.536223+00:00',NULL,'library/b094fadf21e7c6cf',NULL,'ac0b00e57349a1843152555862586f8f',1,NULL,NULL,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21d976801ca6335a835a595cadf52','','branch','up','ready','tables/up-75a288c0d6898c5f/01a21d976801ca6335a835a595cadf52.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'cf678d77b9258e15efa32746cb5c8d1eff436577007b949c12e3d3264f64a5fe',526,7,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',1795792791552,'2026-11-27T15:19:51.553756+00:00','2026-11-27T15:19:51.576101+00:00',NULL,'library/98c7274820d2fe36',NULL,'012b5a2bfa7f5cb345ae78dde25d55cc',1,NULL,NULL,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21d976868b2187263dd0e4fa74fd5','','feature','of the branch','ready','tables/of-the-branch-eb3001a10b8d9e53/01a21d976868b2187263dd0e4fa74fd5.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',5,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795792791656,'2026-11-27T15:19:51.656867+00:00','2026-11-27T15:19:51.672206+00:00',NULL,'library/bff05fb5e8c74e52',NULL,'25cc9416d00fafac7bd94588332a6109',1,NULL,'{"up":["default","01a21d97669d3777edb7d4cbcf150c79"]}',NULL,NULL);
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
INSERT INTO "outbox" VALUES('','default',1795792791465,'held','{"materialization": "01a21d97676d7d87dfaec529f789f5d1", "why": "rolled back by me"}',0,NULL);
INSERT INTO "outbox" VALUES('','default',1795792791483,'up','{}',0,NULL);
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
INSERT INTO "pointer_moves" VALUES('','down','default',1795792791187,1795792791168,'01a21d976681bf0e44af36099b694b27','computed',NULL,NULL,1.79579279118999838834e+09);
INSERT INTO "pointer_moves" VALUES('','dropped','default',1795792791308,1795792791281,'01a21d9766f119fa2304cfca56f55122','computed',NULL,NULL,1.79579279130900812148e+09);
INSERT INTO "pointer_moves" VALUES('','dropped','default',1795792791316,1795792791316,NULL,'dropped',NULL,NULL,1.79579279131898593901e+09);
INSERT INTO "pointer_moves" VALUES('','held','default',1795792791432,1795792791405,'01a21d97676d7d87dfaec529f789f5d1','computed',NULL,NULL,1.79579279143300652504e+09);
INSERT INTO "pointer_moves" VALUES('','held','default',1795792791460,1795792791436,'01a21d97678d29d442ca567d75ae39c7','computed',NULL,NULL,1.79579279146100878714e+09);
INSERT INTO "pointer_moves" VALUES('','held','default',1795792791465,1795792791465,'01a21d97676d7d87dfaec529f789f5d1','rolled_back','by me',NULL,1.79579279147299814226e+09);
INSERT INTO "pointer_moves" VALUES('','of the branch','feature',1795792791679,1795792791656,'01a21d976868b2187263dd0e4fa74fd5','computed',NULL,NULL,1.7957927916810035706e+09);
INSERT INTO "pointer_moves" VALUES('','over files','default',1795792791243,1795792791221,'01a21d9766b527f98a4697e4454c3442','computed',NULL,NULL,1.79579279124499702454e+09);
INSERT INTO "pointer_moves" VALUES('','said','default',1795792791364,1795792791339,'01a21d97672c80b37c0dd3cd6ebeb5bc','computed',NULL,'run',1.79579279136601829532e+09);
INSERT INTO "pointer_moves" VALUES('','unpinned','default',1795792791276,1795792791248,'01a21d9766d125666841aab5ed00a57d','computed',NULL,NULL,1.79579279127601671222e+09);
INSERT INTO "pointer_moves" VALUES('','up','branch',1795792791585,1795792791552,'01a21d976801ca6335a835a595cadf52','computed',NULL,NULL,1.7957927915850071907e+09);
INSERT INTO "pointer_moves" VALUES('','up','default',1795792791125,1795792791044,'01a21d976606dacf55319151108e17e3','computed',NULL,NULL,1.79579279114799499504e+09);
INSERT INTO "pointer_moves" VALUES('','up','default',1795792791213,1795792791196,'01a21d97669d3777edb7d4cbcf150c79','computed',NULL,NULL,1.79579279121401762958e+09);
INSERT INTO "pointer_moves" VALUES('acme','up','default',1795792791544,1795792791489,'01a21d9767c146d90fa1d9a750704e2f','computed',NULL,NULL,1.79579279154501557347e+09);
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
INSERT INTO "pointers" VALUES('','branch','up','01a21d976801ca6335a835a595cadf52',1795792791552,'',1795792791552,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'cf678d77b9258e15efa32746cb5c8d1eff436577007b949c12e3d3264f64a5fe',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','down','01a21d976681bf0e44af36099b694b27',1795792791168,'',1795792791168,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',2,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','dropped',NULL,1795792791316,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','held','01a21d97676d7d87dfaec529f789f5d1',1795792791465,'',1795792791405,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',NULL,NULL,1.79579279147999882693e+09,'me',NULL);
INSERT INTO "pointers" VALUES('','default','over files','01a21d9766b527f98a4697e4454c3442',1795792791221,'',1795792791221,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',3,'[1, 0]','5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','said','01a21d97672c80b37c0dd3cd6ebeb5bc',1795792791339,'',1795792791339,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'c3021e69565ec0f56f2fec1ca4e698f75ed769d5067526e700f951b647fb5e5e',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','unpinned','01a21d9766d125666841aab5ed00a57d',1795792791248,'',1795792791248,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',4,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','up','01a21d97669d3777edb7d4cbcf150c79',1795792791196,'',1795792791196,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'1ac4a1d83432fc37745cb352dd87b712a80484bce2057566d0979c60b7dcb065',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','feature','of the branch','01a21d976868b2187263dd0e4fa74fd5',1795792791656,'',1795792791656,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',5,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('acme','default','up','01a21d9767c146d90fa1d9a750704e2f',1795792791489,'acme',1795792791489,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'cf678d77b9258e15efa32746cb5c8d1eff436577007b949c12e3d3264f64a5fe',NULL,NULL,NULL,NULL,NULL);
CREATE TABLE read_leases (
	token TEXT NOT NULL, 
	materialization_id TEXT NOT NULL, 
	tenant TEXT NOT NULL, 
	owner TEXT NOT NULL, 
	purpose TEXT NOT NULL, 
	expires_at FLOAT, 
	PRIMARY KEY (token), 
	FOREIGN KEY(materialization_id) REFERENCES materializations (id)
);
INSERT INTO "read_leases" VALUES('056eed15c1b070726a3e7b616943cd2c','01a21d97669d3777edb7d4cbcf150c79','','pin','the paper',NULL);
CREATE TABLE run_leases (
	run_id TEXT NOT NULL, 
	tenant TEXT NOT NULL, 
	expires_at FLOAT NOT NULL, 
	PRIMARY KEY (run_id, tenant)
)
 WITHOUT ROWID

;
INSERT INTO "run_leases" VALUES('run','',1.79581439136601829532e+09);
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
INSERT INTO "run_results" VALUES('run','','said','01a21d97672c80b37c0dd3cd6ebeb5bc');
CREATE INDEX anchor_edges_by_source ON anchor_edges (source);
CREATE INDEX materializations_by_definition ON materializations (definition_hash, anchor_set_id) WHERE status = 'ready';
CREATE INDEX materializations_by_table ON materializations (tenant, table_name, start_sequence);
CREATE INDEX materializations_building ON materializations (lease_expires_at) WHERE status = 'building';
CREATE INDEX pointers_by_materialization ON pointers (materialization_id);
CREATE INDEX pointers_by_anchor_set ON pointers (anchor_set_id);
CREATE INDEX pointers_held ON pointers (tenant, deployment) WHERE held_since IS NOT NULL;
CREATE INDEX materializations_collecting ON materializations (tenant) WHERE status = 'collecting';
CREATE INDEX pointers_lost ON pointers (lost_id) WHERE lost_id IS NOT NULL;
CREATE INDEX pointer_moves_by_materialization ON pointer_moves (materialization_id);
CREATE INDEX run_results_by_materialization ON run_results (materialization_id);
CREATE INDEX read_leases_by_materialization ON read_leases (materialization_id);
CREATE INDEX read_leases_by_owner ON read_leases (owner);
COMMIT;
