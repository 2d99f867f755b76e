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
INSERT INTO "annotations" VALUES('01a21daf27d793c79c2cf87490c7621d','{"checks":[1]}');
CREATE TABLE catalog_state (
	id INTEGER NOT NULL, 
	catalog_id TEXT NOT NULL, 
	revision BIGINT NOT NULL, 
	start_sequence BIGINT NOT NULL, 
	root_id TEXT, 
	mark TEXT, 
	key_fingerprint TEXT, 
	PRIMARY KEY (id)
);
INSERT INTO "catalog_state" VALUES(1,'c830df61321e41e1a8fc8585f6629455',19,1795794348836,'47a3e0fb4765792ee689b69b2d78c275','020123430dca4f0f',NULL);
CREATE TABLE collection_clocks (
	clock TEXT NOT NULL, 
	clock_seconds FLOAT NOT NULL, 
	database_seconds FLOAT NOT NULL, 
	alive_since FLOAT, 
	suspect_until FLOAT, 
	PRIMARY KEY (clock)
);
INSERT INTO "collection_clocks" VALUES('4aa673fd-0c4f-49fe-a5ce-d3b474b64098',55897.9086639,1.79579434893298745153e+09,NULL,NULL);
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
INSERT INTO "deployments" VALUES('feature','default',NULL,1795794348.62798,NULL,NULL);
CREATE TABLE jammi_alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT jammi_alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "jammi_alembic_version" VALUES('0007');
CREATE TABLE maintenance_stamps (
	stamp TEXT NOT NULL, 
	issued_at FLOAT NOT NULL, 
	PRIMARY KEY (stamp)
);
INSERT INTO "maintenance_stamps" VALUES('5799c3ca63ebeebec50a83564667064b',1.79579434889001846313e+09);
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
	attempt_id TEXT, 
	attempt_size BIGINT, 
	missing_since FLOAT, 
	answers_json TEXT, 
	marked_at FLOAT, 
	mark_plan TEXT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(anchor_set_id) REFERENCES anchor_sets (id)
);
INSERT INTO "materializations" VALUES('01a21daf24de7ad3b699b8c004a59a4f','','default','up','ready','tables/up-75a288c0d6898c5f/01a21daf24de7ad3b699b8c004a59a4f.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795794347229,'2026-11-27T15:45:47.230561+00:00','2026-11-27T15:45:47.356261+00:00',NULL,'library/df12f30071df5b5e',NULL,'3da09c95fdc7203beb7de7ecf0c5e3fa',1,NULL,NULL,1.79579434897499084469e+09,'43c32d5aebd7052a');
INSERT INTO "materializations" VALUES('01a21daf25ee86af0d4bdb344288740d','','default','down','ready','tables/down-908aec4512d80ff4/01a21daf25ee86af0d4bdb344288740d.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',2,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795794347502,'2026-11-27T15:45:47.502753+00:00','2026-11-27T15:45:47.572272+00:00',NULL,'library/a041c6000a2f8727',NULL,'fda0ce792653122debd000ac2ad82b24',1,NULL,'{"up":["default","01a21daf24de7ad3b699b8c004a59a4f"]}',NULL,NULL);
INSERT INTO "materializations" VALUES('01a21daf265966171b22843806a303eb','','default','up','ready','tables/up-75a288c0d6898c5f/01a21daf265966171b22843806a303eb.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'1ac4a1d83432fc37745cb352dd87b712a80484bce2057566d0979c60b7dcb065',518,5,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',1795794347608,'2026-11-27T15:45:47.609375+00:00','2026-11-27T15:45:47.670284+00:00',NULL,'library/eefdc555c0b3a46f',NULL,'066617636654170c695cc7673ddd3735',1,NULL,NULL,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21daf26b3f389dcd27d7b5eabe6ed','','default','over files','ready','tables/over-files-e1f7ab0e7319c099/01a21daf26b3f389dcd27d7b5eabe6ed.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',3,'[1, 0]','5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795794347697,'2026-11-27T15:45:47.699062+00:00','2026-11-27T15:45:47.744514+00:00',NULL,'library/b5ddaef8d861389c',NULL,'d80d50505784165d15ec45c7bdac10f7',1,NULL,NULL,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21daf26facd0d45133c884cba5b35','','default','unpinned','ready','tables/unpinned-a838443ef6b7be75/01a21daf26facd0d45133c884cba5b35.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',4,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795794347770,'2026-11-27T15:45:47.770778+00:00','2026-11-27T15:45:47.828542+00:00',NULL,'library/e04a630e4bd343bd',NULL,'4c845fe2bafbf20e6152046c791d3cc6',1,NULL,NULL,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21daf27565d6f561193770cbedf1a','','default','dropped','ready','tables/dropped-e7cd9c3ab5da1895/01a21daf27565d6f561193770cbedf1a.parquet','9f660d92f4c57215af8ccd91ee73fab7ea2b2abdc5c89edc1869a097e38641a3',1,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795794347861,'2026-11-27T15:45:47.862325+00:00','2026-11-27T15:45:47.916194+00:00',NULL,'library/0cb5a24c12fb799d',NULL,'870810f6a07a0c6d4174e4aca7dc0d59',1,NULL,NULL,1.79579434897499084469e+09,'43c32d5aebd7052a');
INSERT INTO "materializations" VALUES('01a21daf27d793c79c2cf87490c7621d','','default','said','ready','tables/said-fb46c79b7eb7af17/01a21daf27d793c79c2cf87490c7621d.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'c3021e69565ec0f56f2fec1ca4e698f75ed769d5067526e700f951b647fb5e5e',503,2,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',1.5,'run',1795794347991,'2026-11-27T15:45:47.991357+00:00','2026-11-27T15:45:48.024699+00:00',NULL,'run/step',NULL,'3caf442722a2bdf122ff3e6d21485141',1,NULL,NULL,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21daf282994ae5c1e2c3c2114bffb','','default','é[2026-01-01]','building','tables/-2026-01-01--c740ea0230f05162/01a21daf282994ae5c1e2c3c2114bffb.parquet',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'dead',1795794348073,'2026-11-27T15:45:48.073469+00:00',NULL,'ee21eab520669239c3c6bccc08ebdbe7','dead/step',1.79579440807300424578e+09,'e566df8a86fe21ef3a3cfff58d299c93',1,NULL,NULL,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21daf28348c51f9d099a9146d3128','','default','dead','building','tables/dead-28a3a5e81d1e89f0/01a21daf28348c51f9d099a9146d3128.parquet',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'b3783bb1',1795794348083,'2026-11-27T15:45:48.084885+00:00',NULL,'e0e2d370d0b63c60de265e6b22d44a79','b3783bb1/step',1.79579440808499360077e+09,'360f2a69ffa1d302cb7f593ca402fa00',1,NULL,NULL,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21daf286e6b1cabb9d3dacd4ddb06','','default','held','ready','tables/held-c20dea4d876b5b8f/01a21daf286e6b1cabb9d3dacd4ddb06.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',1795794348142,'2026-11-27T15:45:48.142577+00:00','2026-11-27T15:45:48.204260+00:00',NULL,'library/9fbd418ffe5a09fd',NULL,'6278e13d3c4f4d2e714541df5ed88b07',1,NULL,NULL,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21daf28d8f8c7949c0cb3e06af984','','default','held','ready','tables/held-c20dea4d876b5b8f/01a21daf28d8f8c7949c0cb3e06af984.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'c3021e69565ec0f56f2fec1ca4e698f75ed769d5067526e700f951b647fb5e5e',503,2,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',1795794348248,'2026-11-27T15:45:48.248311+00:00','2026-11-27T15:45:48.272168+00:00',NULL,'library/a4258677258e7118',NULL,'122bc41e316f5abc482ad44169c927e5',1,NULL,NULL,1.79579434897499084469e+09,'43c32d5aebd7052a');
INSERT INTO "materializations" VALUES('01a21daf2949d34bf33a233c48287994','acme','default','up','ready','tenants/acme-822b33ad87c148a0/tables/up-75a288c0d6898c5f/01a21daf2949d34bf33a233c48287994.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'cf678d77b9258e15efa32746cb5c8d1eff436577007b949c12e3d3264f64a5fe',526,7,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',1795794348360,'2026-11-27T15:45:48.361653+00:00','2026-11-27T15:45:48.419174+00:00',NULL,'library/2f7d108baeaaacef',NULL,'7b9a7839b6f30c9aa8302b5e2841e942',1,NULL,NULL,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21daf29a66bdc57f1246dcfe24817','','branch','up','ready','tables/up-75a288c0d6898c5f/01a21daf29a66bdc57f1246dcfe24817.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'cf678d77b9258e15efa32746cb5c8d1eff436577007b949c12e3d3264f64a5fe',526,7,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',1795794348454,'2026-11-27T15:45:48.454203+00:00','2026-11-27T15:45:48.488281+00:00',NULL,'library/4fd5b9e20cc473fe',NULL,'3bad13f835a1017976f294cb035abe55',1,NULL,NULL,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21daf2a603cea210171cad36504a1','','feature','of the branch','ready','tables/of-the-branch-eb3001a10b8d9e53/01a21daf2a603cea210171cad36504a1.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',5,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795794348640,'2026-11-27T15:45:48.640976+00:00','2026-11-27T15:45:48.680213+00:00',NULL,'library/9ce87de38ded1bd1',NULL,'996f287b8f20a330b1370c8248d01d2b',1,NULL,'{"up":["default","01a21daf265966171b22843806a303eb"]}',NULL,NULL);
INSERT INTO "materializations" VALUES('01a21daf2aae8a00b98adcb852d24c55','','branch','ahead','ready','tables/ahead-d0b4034c6ca7ee87/01a21daf2aae8a00b98adcb852d24c55.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',1795794348717,'2026-11-27T15:45:48.718136+00:00','2026-11-27T15:45:48.756210+00:00',NULL,'library/d701e65413e91168',NULL,'642b25541fcb71a10cc9ae25c4b6e6b0',1,NULL,NULL,NULL,NULL);
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
INSERT INTO "outbox" VALUES('','default',1795794348310,'held','{"materialization": "01a21daf286e6b1cabb9d3dacd4ddb06", "why": "rolled back by me"}',0,NULL);
INSERT INTO "outbox" VALUES('','default',1795794348344,'up','{}',0,NULL);
INSERT INTO "outbox" VALUES('','default',1795794348836,'ahead','{"materialization": "01a21daf2aae8a00b98adcb852d24c55", "why": "promoted from branch by me"}',0,NULL);
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
INSERT INTO "pointer_moves" VALUES('','ahead','branch',1795794348772,1795794348717,'01a21daf2aae8a00b98adcb852d24c55','computed',NULL,NULL,1.79579434877298021316e+09);
INSERT INTO "pointer_moves" VALUES('','ahead','default',1795794348836,1795794348836,'01a21daf2aae8a00b98adcb852d24c55','promoted','from branch by me',NULL,1.79579434883799695971e+09);
INSERT INTO "pointer_moves" VALUES('','down','default',1795794347579,1795794347502,'01a21daf25ee86af0d4bdb344288740d','computed',NULL,NULL,1.79579434758199906353e+09);
INSERT INTO "pointer_moves" VALUES('','dropped','default',1795794347931,1795794347861,'01a21daf27565d6f561193770cbedf1a','computed',NULL,NULL,1.79579434793299293517e+09);
INSERT INTO "pointer_moves" VALUES('','dropped','default',1795794347946,1795794347946,NULL,'dropped',NULL,NULL,1.79579434795399451251e+09);
INSERT INTO "pointer_moves" VALUES('','held','default',1795794348227,1795794348142,'01a21daf286e6b1cabb9d3dacd4ddb06','computed',NULL,NULL,1.79579434822898817069e+09);
INSERT INTO "pointer_moves" VALUES('','held','default',1795794348290,1795794348248,'01a21daf28d8f8c7949c0cb3e06af984','computed',NULL,NULL,1.79579434829199314116e+09);
INSERT INTO "pointer_moves" VALUES('','held','default',1795794348310,1795794348310,'01a21daf286e6b1cabb9d3dacd4ddb06','rolled_back','by me',NULL,1.79579434832100129134e+09);
INSERT INTO "pointer_moves" VALUES('','of the branch','feature',1795794348698,1795794348640,'01a21daf2a603cea210171cad36504a1','computed',NULL,NULL,1.79579434869999742504e+09);
INSERT INTO "pointer_moves" VALUES('','over files','default',1795794347751,1795794347697,'01a21daf26b3f389dcd27d7b5eabe6ed','computed',NULL,NULL,1.79579434775399565693e+09);
INSERT INTO "pointer_moves" VALUES('','said','default',1795794348045,1795794347991,'01a21daf27d793c79c2cf87490c7621d','computed',NULL,'run',1.7957943480509967804e+09);
INSERT INTO "pointer_moves" VALUES('','unpinned','default',1795794347835,1795794347770,'01a21daf26facd0d45133c884cba5b35','computed',NULL,NULL,1.79579434783699655531e+09);
INSERT INTO "pointer_moves" VALUES('','up','branch',1795794348511,1795794348454,'01a21daf29a66bdc57f1246dcfe24817','computed',NULL,NULL,1.79579434851299381261e+09);
INSERT INTO "pointer_moves" VALUES('','up','default',1795794347380,1795794347229,'01a21daf24de7ad3b699b8c004a59a4f','computed',NULL,NULL,1.79579434745401740071e+09);
INSERT INTO "pointer_moves" VALUES('','up','default',1795794347689,1795794347608,'01a21daf265966171b22843806a303eb','computed',NULL,NULL,1.79579434769099044802e+09);
INSERT INTO "pointer_moves" VALUES('acme','up','default',1795794348427,1795794348360,'01a21daf2949d34bf33a233c48287994','computed',NULL,NULL,1.79579434842898702628e+09);
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
	restored INTEGER, 
	lost_id TEXT, 
	held_since FLOAT, 
	held_by TEXT, 
	held_because TEXT, 
	held_for_definition TEXT, 
	PRIMARY KEY (tenant, deployment, table_name), 
	FOREIGN KEY(materialization_id) REFERENCES materializations (id), 
	FOREIGN KEY(anchor_set_id) REFERENCES anchor_sets (id)
)
 WITHOUT ROWID

;
INSERT INTO "pointers" VALUES('','branch','ahead','01a21daf2aae8a00b98adcb852d24c55',1795794348717,'',1795794348717,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','branch','up','01a21daf29a66bdc57f1246dcfe24817',1795794348454,'',1795794348454,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'cf678d77b9258e15efa32746cb5c8d1eff436577007b949c12e3d3264f64a5fe',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','ahead','01a21daf2aae8a00b98adcb852d24c55',1795794348836,'',1795794348717,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',NULL,NULL,1.79579434883799695971e+09,'me','ahead of the code','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365');
INSERT INTO "pointers" VALUES('','default','down','01a21daf25ee86af0d4bdb344288740d',1795794347502,'',1795794347502,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',2,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','dropped',NULL,1795794347946,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','held','01a21daf286e6b1cabb9d3dacd4ddb06',1795794348310,'',1795794348142,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',NULL,NULL,1.79579434832200717929e+09,'me',NULL,NULL);
INSERT INTO "pointers" VALUES('','default','over files','01a21daf26b3f389dcd27d7b5eabe6ed',1795794347697,'',1795794347697,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',3,'[1, 0]','5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','said','01a21daf27d793c79c2cf87490c7621d',1795794347991,'',1795794347991,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'c3021e69565ec0f56f2fec1ca4e698f75ed769d5067526e700f951b647fb5e5e',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','unpinned','01a21daf26facd0d45133c884cba5b35',1795794347770,'',1795794347770,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',4,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','up','01a21daf265966171b22843806a303eb',1795794347608,'',1795794347608,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'1ac4a1d83432fc37745cb352dd87b712a80484bce2057566d0979c60b7dcb065',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','feature','of the branch','01a21daf2a603cea210171cad36504a1',1795794348640,'',1795794348640,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',5,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('acme','default','up','01a21daf2949d34bf33a233c48287994',1795794348360,'acme',1795794348360,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'cf678d77b9258e15efa32746cb5c8d1eff436577007b949c12e3d3264f64a5fe',NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE promotions (
	tenant TEXT NOT NULL, 
	deployment TEXT NOT NULL, 
	sequence BIGINT NOT NULL, 
	promotion_json TEXT NOT NULL, 
	PRIMARY KEY (tenant, deployment, sequence)
)
 WITHOUT ROWID

;
INSERT INTO "promotions" VALUES('','default',1795794348836,'{"sequence": 1795794348836, "at": "2026-11-27T15:45:48.837997+00:00", "by": "me", "plan": {"format": 1, "source": "branch", "target": "default", "rows": [{"table": "ahead", "materialization": "01a21daf2aae8a00b98adcb852d24c55", "source_sequence": 1795794348772, "target_materialization": null, "target_sequence": null, "definition": "1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365", "code_definition": "56c048e1c42ec87c77f99622226f7d3b61cb5def93437e9cbb3a767f4229dd04", "surfaces": [], "refusal": null}], "tenant": "", "becoming_stale": [], "ahead_of_code": true, "undoes": null, "refusals": {}}, "reason": null}');
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
INSERT INTO "read_leases" VALUES('519f1ee75895b377ecaaa42627633954','01a21daf265966171b22843806a303eb','','pin','the paper',NULL);
CREATE TABLE run_leases (
	run_id TEXT NOT NULL, 
	tenant TEXT NOT NULL, 
	expires_at FLOAT NOT NULL, 
	PRIMARY KEY (run_id, tenant)
)
 WITHOUT ROWID

;
INSERT INTO "run_leases" VALUES('run','',1.79581594805200242992e+09);
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
INSERT INTO "run_results" VALUES('run','','said','01a21daf27d793c79c2cf87490c7621d');
CREATE INDEX pointer_moves_by_materialization ON pointer_moves (materialization_id);
CREATE INDEX anchor_edges_by_source ON anchor_edges (source);
CREATE INDEX materializations_building ON materializations (lease_expires_at) WHERE status = 'building';
CREATE INDEX materializations_by_definition ON materializations (definition_hash, anchor_set_id) WHERE status = 'ready';
CREATE INDEX materializations_collecting ON materializations (tenant) WHERE status = 'collecting';
CREATE INDEX materializations_by_table ON materializations (tenant, table_name, start_sequence);
CREATE INDEX pointers_held ON pointers (tenant, deployment) WHERE held_since IS NOT NULL;
CREATE INDEX pointers_by_materialization ON pointers (materialization_id);
CREATE INDEX pointers_lost ON pointers (lost_id) WHERE lost_id IS NOT NULL;
CREATE INDEX pointers_by_anchor_set ON pointers (anchor_set_id);
CREATE INDEX run_results_by_materialization ON run_results (materialization_id);
CREATE INDEX read_leases_by_owner ON read_leases (owner);
CREATE INDEX read_leases_by_materialization ON read_leases (materialization_id);
COMMIT;
