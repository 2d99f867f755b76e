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
INSERT INTO "annotations" VALUES('01a21d80149ab5e65e0dca3bca3d37b7','{"checks":[1]}');
CREATE TABLE catalog_state (
	id INTEGER NOT NULL, 
	catalog_id TEXT NOT NULL, 
	revision BIGINT NOT NULL, 
	start_sequence BIGINT NOT NULL, root_id TEXT, mark TEXT, key_fingerprint TEXT, 
	PRIMARY KEY (id)
);
INSERT INTO "catalog_state" VALUES(1,'d6daa55335914717a3c2d8c0e2c78784',15,1795791263276,'459e08af1c93acb84dcfb5035b5da510','df4849111028436a',NULL);
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
INSERT INTO "deployments" VALUES('feature','default',NULL,1.79579126323900222774e+09,NULL,NULL);
CREATE TABLE jammi_alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT jammi_alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "jammi_alembic_version" VALUES('0005');
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
	lease_expires_at FLOAT, attempt_id TEXT, attempt_size BIGINT, missing_since FLOAT, answers_json TEXT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(anchor_set_id) REFERENCES anchor_sets (id)
);
INSERT INTO "materializations" VALUES('01a21d801321247d45d5610f51eeb863','','default','up','ready','tables/up-75a288c0d6898c5f/01a21d801321247d45d5610f51eeb863.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795791262496,'2026-11-27T14:54:22.497128+00:00','2026-11-27T14:54:22.560415+00:00',NULL,'library/1c37581e3da7ebeb',NULL,'a3857e46e1c6cddb060bd849c7d5ba81',1,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21d80138b9dd878c104ee872ea5d2','','default','down','ready','tables/down-908aec4512d80ff4/01a21d80138b9dd878c104ee872ea5d2.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',2,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795791262602,'2026-11-27T14:54:22.603587+00:00','2026-11-27T14:54:22.619031+00:00',NULL,'library/602044da104b29e9',NULL,'be0887b7d7bfd45adbb573b326743ddc',1,NULL,'{"up":["default","01a21d801321247d45d5610f51eeb863"]}');
INSERT INTO "materializations" VALUES('01a21d8013a22163268a6c34610db24c','','default','up','ready','tables/up-75a288c0d6898c5f/01a21d8013a22163268a6c34610db24c.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'1ac4a1d83432fc37745cb352dd87b712a80484bce2057566d0979c60b7dcb065',518,5,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',1795791262625,'2026-11-27T14:54:22.626020+00:00','2026-11-27T14:54:22.632992+00:00',NULL,'library/c31189634ff87d5f',NULL,'ec342c5d30da2792afd24e1a79937a2e',1,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21d8013b1651eaf850f500d025fbb','','default','over files','ready','tables/over-files-e1f7ab0e7319c099/01a21d8013b1651eaf850f500d025fbb.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',3,'[1, 0]','5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795791262641,'2026-11-27T14:54:22.641872+00:00','2026-11-27T14:54:22.654177+00:00',NULL,'library/26fb50f4f6a29f37',NULL,'a393cd4a61b951f7b239cbc5ffdf14f2',1,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21d8013ce0ae65478ea8373cd0d44','','default','unpinned','ready','tables/unpinned-a838443ef6b7be75/01a21d8013ce0ae65478ea8373cd0d44.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',4,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795791262669,'2026-11-27T14:54:22.670314+00:00','2026-11-27T14:54:22.716258+00:00',NULL,'library/4e1f924fc3df2973',NULL,'2999adb30a135bd843219e2bf068988a',1,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21d80141d00a9862f01111ef6c2bb','','default','dropped','dropped','tables/dropped-e7cd9c3ab5da1895/01a21d80141d00a9862f01111ef6c2bb.parquet','9f660d92f4c57215af8ccd91ee73fab7ea2b2abdc5c89edc1869a097e38641a3',1,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795791262749,'2026-11-27T14:54:22.749935+00:00','2026-11-27T14:54:22.800660+00:00',NULL,'library/675c19d7c91ba50a',1.79579126283900451658e+09,'69130cba46cab809c344941af4a502f3',1,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21d80149ab5e65e0dca3bca3d37b7','','default','said','ready','tables/said-fb46c79b7eb7af17/01a21d80149ab5e65e0dca3bca3d37b7.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'c3021e69565ec0f56f2fec1ca4e698f75ed769d5067526e700f951b647fb5e5e',503,2,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',1.5,'run',1795791262874,'2026-11-27T14:54:22.874929+00:00','2026-11-27T14:54:22.900547+00:00',NULL,'run/step',NULL,'ba948f74c1759a75aa219ce9be68daef',1,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21d8014cc36c26f5ea5fc0ef70771','','default','é[2026-01-01]','building','tables/-2026-01-01--c740ea0230f05162/01a21d8014cc36c26f5ea5fc0ef70771.parquet',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'dead',1795791262924,'2026-11-27T14:54:22.924524+00:00',NULL,'21abd22b6c79a577d2e25dc644120fa1','dead/step',1.79579132292401695255e+09,'4110b56affe2140fefd3de437cc1b555',1,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21d8014d88f5c17bcb395f8806f0b','','default','dead','building','tables/dead-28a3a5e81d1e89f0/01a21d8014d88f5c17bcb395f8806f0b.parquet',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'add026b6',1795791262936,'2026-11-27T14:54:22.936950+00:00',NULL,'c77e4bcd05a85940828cee7644485b16','add026b6/step',1.79579132293701219554e+09,'bcb6c2a230d2fb4e0690ed23e7b8b531',1,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21d8014f9630dca31186acb8c45cb','','default','held','ready','tables/held-c20dea4d876b5b8f/01a21d8014f9630dca31186acb8c45cb.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',1795791262968,'2026-11-27T14:54:22.969474+00:00','2026-11-27T14:54:22.989050+00:00',NULL,'library/36cfb6762f092619',NULL,'bafc5cac5b1b5e866898406672dc11fa',1,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21d801521494e49722d86eaafa1c4','','default','held','ready','tables/held-c20dea4d876b5b8f/01a21d801521494e49722d86eaafa1c4.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'c3021e69565ec0f56f2fec1ca4e698f75ed769d5067526e700f951b647fb5e5e',503,2,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',1795791263008,'2026-11-27T14:54:23.009709+00:00','2026-11-27T14:54:23.023699+00:00',NULL,'library/f8bf2291a33f4362',NULL,'47417f936a9b509cba485a8519681e6b',1,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21d8015715298597512c5f707e378','acme','default','up','ready','tenants/acme-822b33ad87c148a0/tables/up-75a288c0d6898c5f/01a21d8015715298597512c5f707e378.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'cf678d77b9258e15efa32746cb5c8d1eff436577007b949c12e3d3264f64a5fe',526,7,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',1795791263089,'2026-11-27T14:54:23.089868+00:00','2026-11-27T14:54:23.122777+00:00',NULL,'library/5e05ef2be5fd6655',NULL,'9c87fbc10bd1d3c7165bbcd59150dc9f',1,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21d8015aa6f9fb2cf86c3796a3baf','','branch','up','ready','tables/up-75a288c0d6898c5f/01a21d8015aa6f9fb2cf86c3796a3baf.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'cf678d77b9258e15efa32746cb5c8d1eff436577007b949c12e3d3264f64a5fe',526,7,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',1795791263145,'2026-11-27T14:54:23.146526+00:00','2026-11-27T14:54:23.164223+00:00',NULL,'library/fc77840b0182be97',NULL,'56ea9b794895efe91d26a6e1cd35c225',1,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21d8016152547fafbfca380a7ce75','','feature','of the branch','ready','tables/of-the-branch-eb3001a10b8d9e53/01a21d8016152547fafbfca380a7ce75.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',5,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795791263251,'2026-11-27T14:54:23.253107+00:00','2026-11-27T14:54:23.272996+00:00',NULL,'library/527d380f40b7de99',NULL,'323cb72546b8a9adc3364e065eca5b4e',1,NULL,'{"up":["default","01a21d8013a22163268a6c34610db24c"]}');
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
INSERT INTO "outbox" VALUES('','default',1795791263047,'held','{"materialization": "01a21d8014f9630dca31186acb8c45cb", "why": "rolled back by me"}',0,NULL);
INSERT INTO "outbox" VALUES('','default',1795791263076,'up','{}',0,NULL);
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
INSERT INTO "pointer_moves" VALUES('','down','default',1795791262620,1795791262602,'01a21d80138b9dd878c104ee872ea5d2','computed',NULL,NULL,1.79579126262198686598e+09);
INSERT INTO "pointer_moves" VALUES('','dropped','default',1795791262816,1795791262749,'01a21d80141d00a9862f01111ef6c2bb','computed',NULL,NULL,1.79579126281800270084e+09);
INSERT INTO "pointer_moves" VALUES('','dropped','default',1795791262823,1795791262823,NULL,'dropped',NULL,NULL,1.79579126283799862858e+09);
INSERT INTO "pointer_moves" VALUES('','held','default',1795791262995,1795791262968,'01a21d8014f9630dca31186acb8c45cb','computed',NULL,NULL,1795791262.997);
INSERT INTO "pointer_moves" VALUES('','held','default',1795791263035,1795791263008,'01a21d801521494e49722d86eaafa1c4','computed',NULL,NULL,1.79579126303699159621e+09);
INSERT INTO "pointer_moves" VALUES('','held','default',1795791263047,1795791263047,'01a21d8014f9630dca31186acb8c45cb','rolled_back','by me',NULL,1.79579126305799341208e+09);
INSERT INTO "pointer_moves" VALUES('','of the branch','feature',1795791263276,1795791263251,'01a21d8016152547fafbfca380a7ce75','computed',NULL,NULL,1.79579126327698230742e+09);
INSERT INTO "pointer_moves" VALUES('','over files','default',1795791262655,1795791262641,'01a21d8013b1651eaf850f500d025fbb','computed',NULL,NULL,1.79579126265799546239e+09);
INSERT INTO "pointer_moves" VALUES('','said','default',1795791262911,1795791262874,'01a21d80149ab5e65e0dca3bca3d37b7','computed',NULL,'run',1.79579126291399908061e+09);
INSERT INTO "pointer_moves" VALUES('','unpinned','default',1795791262731,1795791262669,'01a21d8013ce0ae65478ea8373cd0d44','computed',NULL,NULL,1795791262.73299);
INSERT INTO "pointer_moves" VALUES('','up','branch',1795791263168,1795791263145,'01a21d8015aa6f9fb2cf86c3796a3baf','computed',NULL,NULL,1.79579126316899657248e+09);
INSERT INTO "pointer_moves" VALUES('','up','default',1795791262567,1795791262496,'01a21d801321247d45d5610f51eeb863','computed',NULL,NULL,1.79579126258601856234e+09);
INSERT INTO "pointer_moves" VALUES('','up','default',1795791262634,1795791262625,'01a21d8013a22163268a6c34610db24c','computed',NULL,NULL,1.7957912626349821091e+09);
INSERT INTO "pointer_moves" VALUES('acme','up','default',1795791263131,1795791263089,'01a21d8015715298597512c5f707e378','computed',NULL,NULL,1.79579126313298797611e+09);
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
INSERT INTO "pointers" VALUES('','branch','up','01a21d8015aa6f9fb2cf86c3796a3baf',1795791263145,'',1795791263145,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'cf678d77b9258e15efa32746cb5c8d1eff436577007b949c12e3d3264f64a5fe',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','down','01a21d80138b9dd878c104ee872ea5d2',1795791262602,'',1795791262602,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',2,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','dropped',NULL,1795791262823,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','held','01a21d8014f9630dca31186acb8c45cb',1795791263047,'',1795791262968,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',NULL,NULL,1.79579126305899906164e+09,'me',NULL);
INSERT INTO "pointers" VALUES('','default','over files','01a21d8013b1651eaf850f500d025fbb',1795791262641,'',1795791262641,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',3,'[1, 0]','5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','said','01a21d80149ab5e65e0dca3bca3d37b7',1795791262874,'',1795791262874,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'c3021e69565ec0f56f2fec1ca4e698f75ed769d5067526e700f951b647fb5e5e',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','unpinned','01a21d8013ce0ae65478ea8373cd0d44',1795791262669,'',1795791262669,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',4,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','up','01a21d8013a22163268a6c34610db24c',1795791262625,'',1795791262625,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'1ac4a1d83432fc37745cb352dd87b712a80484bce2057566d0979c60b7dcb065',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','feature','of the branch','01a21d8016152547fafbfca380a7ce75',1795791263251,'',1795791263251,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',5,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('acme','default','up','01a21d8015715298597512c5f707e378',1795791263089,'acme',1795791263089,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'cf678d77b9258e15efa32746cb5c8d1eff436577007b949c12e3d3264f64a5fe',NULL,NULL,NULL,NULL,NULL);
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
INSERT INTO "run_results" VALUES('run','','said','01a21d80149ab5e65e0dca3bca3d37b7');
CREATE INDEX anchor_edges_by_source ON anchor_edges (source);
CREATE INDEX materializations_by_definition ON materializations (definition_hash, anchor_set_id) WHERE status = 'ready';
CREATE INDEX materializations_by_table ON materializations (tenant, table_name, start_sequence);
CREATE INDEX materializations_building ON materializations (lease_expires_at) WHERE status = 'building';
CREATE INDEX pointers_by_materialization ON pointers (materialization_id);
CREATE INDEX pointers_by_anchor_set ON pointers (anchor_set_id);
CREATE INDEX pointers_held ON pointers (tenant, deployment) WHERE held_since IS NOT NULL;
COMMIT;
