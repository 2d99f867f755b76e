BEGIN TRANSACTION;
CREATE TABLE acceptances (
	tenant TEXT NOT NULL, 
	deployment TEXT NOT NULL, 
	table_name TEXT NOT NULL, 
	sequence BIGINT NOT NULL, 
	materialization_id TEXT NOT NULL, 
	from_definition TEXT NOT NULL, 
	to_definition TEXT NOT NULL, 
	anchor_set_key TEXT NOT NULL, 
	artifact_digest TEXT NOT NULL, 
	accepted_by TEXT NOT NULL, 
	accepted_because TEXT NOT NULL, 
	accepted_at FLOAT NOT NULL, 
	proof TEXT, 
	PRIMARY KEY (tenant, deployment, table_name, sequence)
)
 WITHOUT ROWID

;
INSERT INTO "acceptances" VALUES('','default','accepted',1795795878627,'01a21dc682d12b679f04fe09dfa6e5c5','42a77c067bddbafdab274ee896c0ebd2cc47be364b780fb91f964d1746acc80d','40f7fc757ff60b4277de7e7686512399498525b819d6cd565f6b1ba57101fbb5','1173e4e22622ca3c2c2034caede81ab061d18b1fc3a69e0798edbc94e661cfff','c3021e69565ec0f56f2fec1ca4e698f75ed769d5067526e700f951b647fb5e5e','me','renamed',1.79579587863199257851e+09,NULL);
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
INSERT INTO "annotations" VALUES('01a21dc682280c65c4d4200aef9ad480','{"checks":[1]}');
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
INSERT INTO "catalog_state" VALUES(1,'7171c44011cc49899841321a53d5b963',21,1795795878951,'5d6d15a18952ab6dc2eca8d2251ffcc6','fabf4e8bb498dfa8',NULL);
CREATE TABLE collection_clocks (
	clock TEXT NOT NULL, 
	clock_seconds FLOAT NOT NULL, 
	database_seconds FLOAT NOT NULL, 
	alive_since FLOAT, 
	suspect_until FLOAT, 
	PRIMARY KEY (clock)
);
INSERT INTO "collection_clocks" VALUES('4aa673fd-0c4f-49fe-a5ce-d3b474b64098',57427.980595567,1.79579587900499391562e+09,NULL,NULL);
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
INSERT INTO "deployments" VALUES('feature','default',NULL,1.79579587884599256508e+09,NULL,NULL);
CREATE TABLE jammi_alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT jammi_alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "jammi_alembic_version" VALUES('0008');
CREATE TABLE maintenance_stamps (
	stamp TEXT NOT NULL, 
	issued_at FLOAT NOT NULL, 
	PRIMARY KEY (stamp)
);
INSERT INTO "maintenance_stamps" VALUES('8ce189d332accb3e12c874e744976653',1.79579587898101520541e+09);
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
INSERT INTO "materializations" VALUES('01a21dc6806dac7d4703b5025e5cd361','','default','up','ready','tables/up-75a288c0d6898c5f/01a21dc6806dac7d4703b5025e5cd361.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795795877996,'2026-11-27T16:11:17.997573+00:00','2026-11-27T16:11:18.064206+00:00',NULL,'library/d9400d8eb9fd4c13',NULL,'20397da9be57343c694935c50970c193',1,NULL,NULL,1795795879.04398,'054fe9757793a1ef');
INSERT INTO "materializations" VALUES('01a21dc68105f90a5e56e17f232b506a','','default','down','ready','tables/down-908aec4512d80ff4/01a21dc68105f90a5e56e17f232b506a.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',2,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795795878147,'2026-11-27T16:11:18.149111+00:00','2026-11-27T16:11:18.168279+00:00',NULL,'library/2828ecf1731b1439',NULL,'7fab30901614de1a6572fc7499219404',1,NULL,'{"up":["default","01a21dc6806dac7d4703b5025e5cd361"]}',NULL,NULL);
INSERT INTO "materializations" VALUES('01a21dc681341d5f87c97e684228e759','','default','up','ready','tables/up-75a288c0d6898c5f/01a21dc681341d5f87c97e684228e759.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'1ac4a1d83432fc37745cb352dd87b712a80484bce2057566d0979c60b7dcb065',518,5,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',1795795878195,'2026-11-27T16:11:18.196916+00:00','2026-11-27T16:11:18.220183+00:00',NULL,'library/b83a7dde8ff3312b',NULL,'c67e27e9338aaa0237da3d8a380d548d',1,NULL,NULL,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21dc68158129fd77ade9f8e12d139','','default','over files','ready','tables/over-files-e1f7ab0e7319c099/01a21dc68158129fd77ade9f8e12d139.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',3,'[1, 0]','5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795795878231,'2026-11-27T16:11:18.232305+00:00','2026-11-27T16:11:18.264193+00:00',NULL,'library/02c86f787eda73d5',NULL,'c1db18e59fe6f79a4394deb3d0713383',1,NULL,NULL,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21dc68191ba7e7f766c540c346d89','','default','unpinned','ready','tables/unpinned-a838443ef6b7be75/01a21dc68191ba7e7f766c540c346d89.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',4,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795795878289,'2026-11-27T16:11:18.289565+00:00','2026-11-27T16:11:18.322310+00:00',NULL,'library/563beb61ed6e3bc1',NULL,'59066b39c0db6e6919798b730f185b08',1,NULL,NULL,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21dc681cd04f3378dee253daf3ebf','','default','dropped','ready','tables/dropped-e7cd9c3ab5da1895/01a21dc681cd04f3378dee253daf3ebf.parquet','9f660d92f4c57215af8ccd91ee73fab7ea2b2abdc5c89edc1869a097e38641a3',1,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795795878348,'2026-11-27T16:11:18.349544+00:00','2026-11-27T16:11:18.380317+00:00',NULL,'library/951352925de6fe0d',NULL,'9cbcbb7bdb3d461c9710c08169d5dab3',1,NULL,NULL,1795795879.04398,'054fe9757793a1ef');
INSERT INTO "materializations" VALUES('01a21dc682280c65c4d4200aef9ad480','','default','said','ready','tables/said-fb46c79b7eb7af17/01a21dc682280c65c4d4200aef9ad480.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'c3021e69565ec0f56f2fec1ca4e698f75ed769d5067526e700f951b647fb5e5e',503,2,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',1.5,'run',1795795878440,'2026-11-27T16:11:18.440869+00:00','2026-11-27T16:11:18.464547+00:00',NULL,'run/step',NULL,'6df6c002cab13a333ccbd418b0b573bc',1,NULL,NULL,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21dc682612511ea832773c0999969','','default','é[2026-01-01]','building','tables/-2026-01-01--c740ea0230f05162/01a21dc682612511ea832773c0999969.parquet',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'dead',1795795878497,'2026-11-27T16:11:18.497394+00:00',NULL,'71a66b156fed43d092a5b99bf9fc780f','dead/step',1.79579593849701046946e+09,'b99288bf80c6f998c2676ebe77161979',1,NULL,NULL,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21dc68268e5246cdf5b0b3fd455fc','','default','dead','building','tables/dead-28a3a5e81d1e89f0/01a21dc68268e5246cdf5b0b3fd455fc.parquet',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'20763b71',1795795878504,'2026-11-27T16:11:18.504497+00:00',NULL,'35e357f00d2a1f90bbb4faccbdc8080c','20763b71/step',1.79579593850401115421e+09,'eb3ef10aa01a7fc221a07d4055f26894',1,NULL,NULL,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21dc6827d240d8f62064a3fd63b28','','default','held','ready','tables/held-c20dea4d876b5b8f/01a21dc6827d240d8f62064a3fd63b28.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',1795795878524,'2026-11-27T16:11:18.525104+00:00','2026-11-27T16:11:18.541790+00:00',NULL,'library/8c2b304e762bae29',NULL,'716123cd243444226b4d39bed87efee2',1,NULL,NULL,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21dc68297a257c89db4db16ede731','','default','held','ready','tables/held-c20dea4d876b5b8f/01a21dc68297a257c89db4db16ede731.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'c3021e69565ec0f56f2fec1ca4e698f75ed769d5067526e700f951b647fb5e5e',503,2,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',1795795878551,'2026-11-27T16:11:18.551455+00:00','2026-11-27T16:11:18.585852+00:00',NULL,'library/665340e5adc76b59',NULL,'b1da2277df2d788a0f170a833bcd6e08',1,NULL,NULL,1795795879.04398,'054fe9757793a1ef');
INSERT INTO "materializations" VALUES('01a21dc682d12b679f04fe09dfa6e5c5','','default','accepted','ready','tables/accepted-070c160a6299c543/01a21dc682d12b679f04fe09dfa6e5c5.parquet','42a77c067bddbafdab274ee896c0ebd2cc47be364b780fb91f964d1746acc80d',1,NULL,'c3021e69565ec0f56f2fec1ca4e698f75ed769d5067526e700f951b647fb5e5e',503,2,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795795878608,'2026-11-27T16:11:18.609101+00:00','2026-11-27T16:11:18.615332+00:00',NULL,'library/75a2c6c18420fbd6',NULL,'ffa7449d9714e8f66bc596401bda3f23',1,NULL,NULL,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21dc682ff05389e8d05512566a3fa','acme','default','up','ready','tenants/acme-822b33ad87c148a0/tables/up-75a288c0d6898c5f/01a21dc682ff05389e8d05512566a3fa.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'cf678d77b9258e15efa32746cb5c8d1eff436577007b949c12e3d3264f64a5fe',526,7,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',1795795878655,'2026-11-27T16:11:18.655474+00:00','2026-11-27T16:11:18.697408+00:00',NULL,'library/d7bc78a767c72269',NULL,'5bcf633a1f9527048a50e59bc973f730',1,NULL,NULL,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21dc6834eb41006c1ed3d90d32db1','','branch','up','ready','tables/up-75a288c0d6898c5f/01a21dc6834eb41006c1ed3d90d32db1.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'cf678d77b9258e15efa32746cb5c8d1eff436577007b949c12e3d3264f64a5fe',526,7,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',1795795878733,'2026-11-27T16:11:18.734169+00:00','2026-11-27T16:11:18.776193+00:00',NULL,'library/99121e3413cf71bf',NULL,'2fdf0d839816db604deda24a23bd1444',1,NULL,NULL,NULL,NULL);
INSERT INTO "materializations" VALUES('01a21dc683c8e62e6a86bfc1dffb111f','','feature','of the branch','ready','tables/of-the-branch-eb3001a10b8d9e53/01a21dc683c8e62e6a86bfc1dffb111f.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',5,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}',NULL,NULL,'library',1795795878856,'2026-11-27T16:11:18.856938+00:00','2026-11-27T16:11:18.873144+00:00',NULL,'library/88e0443fa2fce1c2',NULL,'439803224d6cf2d14f1d674fa6d8e007',1,NULL,'{"up":["default","01a21dc681341d5f87c97e684228e759"]}',NULL,NULL);
INSERT INTO "materializations" VALUES('01a21dc683e5440e0a33ec74f35b0391','','default','ahead','ready','tables/ahead-d0b4034c6ca7ee87/01a21dc683e5440e0a33ec74f35b0391.parquet','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',509,3,'{"arrow":"26.0.1","arrow_build":"python-wheel-manylinux228","byte_limit":67108864,"compression":"snappy","compression_level":null,"data_page_size":1048576,"data_page_version":"1.0","dictionary_pagesize_limit":1048576,"name":"jammi-2","row_limit":262144,"version":"2.6"}','diverged',NULL,'library',1795795878951,'2026-11-27T16:11:18.885706+00:00','2026-11-27T16:11:18.900177+00:00',NULL,'library/2f054028fe71b8fb',NULL,'482bc6a8a9490c775a18a57b24819582',1,NULL,NULL,NULL,NULL);
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
INSERT INTO "outbox" VALUES('','default',1795795878597,'held','{"materialization": "01a21dc6827d240d8f62064a3fd63b28", "why": "rolled back by me"}',0,NULL);
INSERT INTO "outbox" VALUES('','default',1795795878643,'up','{}',0,NULL);
INSERT INTO "outbox" VALUES('','default',1795795878951,'ahead','{"materialization": "01a21dc683e5440e0a33ec74f35b0391", "why": "promoted from branch by me"}',0,NULL);
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
INSERT INTO "pointer_moves" VALUES('','accepted','default',1795795878616,1795795878608,'01a21dc682d12b679f04fe09dfa6e5c5','computed',NULL,NULL,1.79579587861698579788e+09);
INSERT INTO "pointer_moves" VALUES('','ahead','branch',1795795878913,1795795878885,'01a21dc683e5440e0a33ec74f35b0391','computed',NULL,NULL,1.79579587891499257087e+09);
INSERT INTO "pointer_moves" VALUES('','ahead','default',1795795878951,1795795878951,'01a21dc683e5440e0a33ec74f35b0391','promoted','from branch by me',NULL,1795795878.95599);
INSERT INTO "pointer_moves" VALUES('','down','default',1795795878183,1795795878147,'01a21dc68105f90a5e56e17f232b506a','computed',NULL,NULL,1.79579587818600845336e+09);
INSERT INTO "pointer_moves" VALUES('','dropped','default',1795795878388,1795795878348,'01a21dc681cd04f3378dee253daf3ebf','computed',NULL,NULL,1.79579587838898444172e+09);
INSERT INTO "pointer_moves" VALUES('','dropped','default',1795795878396,1795795878396,NULL,'dropped',NULL,NULL,1.79579587839900255206e+09);
INSERT INTO "pointer_moves" VALUES('','held','default',1795795878542,1795795878524,'01a21dc6827d240d8f62064a3fd63b28','computed',NULL,NULL,1.79579587854500865931e+09);
INSERT INTO "pointer_moves" VALUES('','held','default',1795795878590,1795795878551,'01a21dc68297a257c89db4db16ede731','computed',NULL,NULL,1.79579587859200096129e+09);
INSERT INTO "pointer_moves" VALUES('','held','default',1795795878597,1795795878597,'01a21dc6827d240d8f62064a3fd63b28','rolled_back','by me',NULL,1.7957958786000072956e+09);
INSERT INTO "pointer_moves" VALUES('','of the branch','feature',1795795878878,1795795878856,'01a21dc683c8e62e6a86bfc1dffb111f','computed',NULL,NULL,1.79579587887898397442e+09);
INSERT INTO "pointer_moves" VALUES('','over files','default',1795795878279,1795795878231,'01a21dc68158129fd77ade9f8e12d139','computed',NULL,NULL,1.79579587828099870678e+09);
INSERT INTO "pointer_moves" VALUES('','said','default',1795795878476,1795795878440,'01a21dc682280c65c4d4200aef9ad480','computed',NULL,'run',1.79579587847798013682e+09);
INSERT INTO "pointer_moves" VALUES('','unpinned','default',1795795878335,1795795878289,'01a21dc68191ba7e7f766c540c346d89','computed',NULL,NULL,1.79579587833700323102e+09);
INSERT INTO "pointer_moves" VALUES('','up','branch',1795795878791,1795795878733,'01a21dc6834eb41006c1ed3d90d32db1','computed',NULL,NULL,1.79579587879300570487e+09);
INSERT INTO "pointer_moves" VALUES('','up','default',1795795878078,1795795877996,'01a21dc6806dac7d4703b5025e5cd361','computed',NULL,NULL,1.79579587810900211334e+09);
INSERT INTO "pointer_moves" VALUES('','up','default',1795795878228,1795795878195,'01a21dc681341d5f87c97e684228e759','computed',NULL,NULL,1.79579587822901749608e+09);
INSERT INTO "pointer_moves" VALUES('acme','up','default',1795795878715,1795795878655,'01a21dc682ff05389e8d05512566a3fa','computed',NULL,NULL,1.79579587871700525284e+09);
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
INSERT INTO "pointers" VALUES('','branch','ahead','01a21dc683e5440e0a33ec74f35b0391',1795795878885,'',1795795878885,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','branch','up','01a21dc6834eb41006c1ed3d90d32db1',1795795878733,'',1795795878733,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'cf678d77b9258e15efa32746cb5c8d1eff436577007b949c12e3d3264f64a5fe',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','accepted','01a21dc682d12b679f04fe09dfa6e5c5',1795795878608,'',1795795878608,'42a77c067bddbafdab274ee896c0ebd2cc47be364b780fb91f964d1746acc80d',1,NULL,'c3021e69565ec0f56f2fec1ca4e698f75ed769d5067526e700f951b647fb5e5e',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','ahead','01a21dc683e5440e0a33ec74f35b0391',1795795878951,'',1795795878951,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',NULL,NULL,1.79579587895699596409e+09,'me','ahead of the code','1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365');
INSERT INTO "pointers" VALUES('','default','down','01a21dc68105f90a5e56e17f232b506a',1795795878147,'',1795795878147,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',2,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','dropped',NULL,1795795878396,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','held','01a21dc6827d240d8f62064a3fd63b28',1795795878597,'',1795795878524,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',NULL,NULL,1.79579587860101318359e+09,'me',NULL,NULL);
INSERT INTO "pointers" VALUES('','default','over files','01a21dc68158129fd77ade9f8e12d139',1795795878231,'',1795795878231,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',3,'[1, 0]','5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','said','01a21dc682280c65c4d4200aef9ad480',1795795878440,'',1795795878440,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'c3021e69565ec0f56f2fec1ca4e698f75ed769d5067526e700f951b647fb5e5e',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','unpinned','01a21dc68191ba7e7f766c540c346d89',1795795878289,'',1795795878289,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',4,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','default','up','01a21dc681341d5f87c97e684228e759',1795795878195,'',1795795878195,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'1ac4a1d83432fc37745cb352dd87b712a80484bce2057566d0979c60b7dcb065',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('','feature','of the branch','01a21dc683c8e62e6a86bfc1dffb111f',1795795878856,'',1795795878856,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',5,NULL,'5efd96c850e083c18814b01aec4231bb3e371b9ce7078a7e21247171a0ae81a5',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pointers" VALUES('acme','default','up','01a21dc682ff05389e8d05512566a3fa',1795795878655,'acme',1795795878655,'1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365',1,NULL,'cf678d77b9258e15efa32746cb5c8d1eff436577007b949c12e3d3264f64a5fe',NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE promotions (
	tenant TEXT NOT NULL, 
	deployment TEXT NOT NULL, 
	sequence BIGINT NOT NULL, 
	promotion_json TEXT NOT NULL, 
	PRIMARY KEY (tenant, deployment, sequence)
)
 WITHOUT ROWID

;
INSERT INTO "promotions" VALUES('','default',1795795878951,'{"sequence": 1795795878951, "at": "2026-11-27T16:11:18.952007+00:00", "by": "me", "plan": {"format": 1, "source": "branch", "target": "default", "rows": [{"table": "ahead", "materialization": "01a21dc683e5440e0a33ec74f35b0391", "source_sequence": 1795795878913, "target_materialization": null, "target_sequence": null, "definition": "1ad53922502b9281587a24e704ba784d1ed02377297cd7a67db357748dfa2365", "code_definition": "56c048e1c42ec87c77f99622226f7d3b61cb5def93437e9cbb3a767f4229dd04", "surfaces": [], "refusal": null}], "tenant": "", "becoming_stale": [], "ahead_of_code": true, "undoes": null, "refusals": {}}, "reason": null}');
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
INSERT INTO "read_leases" VALUES('2fdb1c3d586d2e27e849582287602550','01a21dc681341d5f87c97e684228e759','','pin','the paper',NULL);
CREATE TABLE run_leases (
	run_id TEXT NOT NULL, 
	tenant TEXT NOT NULL, 
	expires_at FLOAT NOT NULL, 
	PRIMARY KEY (run_id, tenant)
)
 WITHOUT ROWID

;
INSERT INTO "run_leases" VALUES('run','',1.79581747847798013683e+09);
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
INSERT INTO "run_results" VALUES('run','','said','01a21dc682280c65c4d4200aef9ad480');
CREATE INDEX pointer_moves_by_materialization ON pointer_moves (materialization_id);
CREATE INDEX anchor_edges_by_source ON anchor_edges (source);
CREATE INDEX materializations_by_definition ON materializations (definition_hash, anchor_set_id) WHERE status = 'ready';
CREATE INDEX materializations_building ON materializations (lease_expires_at) WHERE status = 'building';
CREATE INDEX materializations_collecting ON materializations (tenant) WHERE status = 'collecting';
CREATE INDEX materializations_by_table ON materializations (tenant, table_name, start_sequence);
CREATE INDEX pointers_by_materialization ON pointers (materialization_id);
CREATE INDEX pointers_by_anchor_set ON pointers (anchor_set_id);
CREATE INDEX pointers_held ON pointers (tenant, deployment) WHERE held_since IS NOT NULL;
CREATE INDEX pointers_lost ON pointers (lost_id) WHERE lost_id IS NOT NULL;
CREATE INDEX run_results_by_materialization ON run_results (materialization_id);
CREATE INDEX read_leases_by_materialization ON read_leases (materialization_id);
CREATE INDEX read_leases_by_owner ON read_leases (owner);
COMMIT;
