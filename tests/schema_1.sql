PRAGMA user_version = 1;
PRAGMA application_id = 1718383971;
BEGIN TRANSACTION;
CREATE TABLE change (id INTEGER PRIMARY KEY, run INTEGER REFERENCES run, path TEXT NOT NULL, image_id TEXT,
        before TEXT, before_author TEXT, after TEXT, author TEXT NOT NULL, at TEXT NOT NULL, written INTEGER NOT NULL);
INSERT INTO "change" VALUES(1,1,'1.txt','0000000000000000000000000000000000000000000000000000000000000001',NULL,NULL,'a caption','fluxcap','2026-11-23T10:13:31+00:00',1);
CREATE TABLE evidence (observation INTEGER NOT NULL REFERENCES observation, place INTEGER NOT NULL, slot TEXT NOT NULL,
        value TEXT NOT NULL, tags TEXT NOT NULL, confidence REAL NOT NULL, PRIMARY KEY (observation, place)) WITHOUT ROWID;
INSERT INTO "evidence" VALUES(1,0,'hair','red','a
b',0.5);
CREATE TABLE file (path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
        image INTEGER NOT NULL REFERENCES image) WITHOUT ROWID;
INSERT INTO "file" VALUES('1.jpg',100,5,1);
CREATE TABLE image (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, width INTEGER NOT NULL, height INTEGER NOT NULL);
INSERT INTO "image" VALUES(1,'0000000000000000000000000000000000000000000000000000000000000001',10,20);
CREATE TABLE met (path TEXT PRIMARY KEY) WITHOUT ROWID
    ;
INSERT INTO "met" VALUES('1.txt');
CREATE TABLE observation (key INTEGER PRIMARY KEY, image INTEGER NOT NULL REFERENCES image, source TEXT NOT NULL,
        about TEXT NOT NULL, version TEXT NOT NULL, inputs_hash TEXT NOT NULL, created_at TEXT NOT NULL,
        counts INTEGER NOT NULL);
INSERT INTO "observation" VALUES(1,1,'measure:x','','1','h','2030-01-01T00:00:00+00:00',1);
CREATE TABLE run (id INTEGER PRIMARY KEY AUTOINCREMENT, command TEXT NOT NULL, undoes INTEGER REFERENCES run,
        started_at TEXT NOT NULL, finished_at TEXT);
INSERT INTO "run" VALUES(1,'run',NULL,'2026-11-23T10:13:31+00:00','2026-11-23T10:13:31+00:00');
CREATE INDEX file_image ON file (image);
CREATE INDEX observation_asked ON observation (source, version, inputs_hash, image);
CREATE UNIQUE INDEX observation_counts ON observation (image, source, about) WHERE counts;
CREATE INDEX change_path ON change (path, id);
CREATE INDEX change_image ON change (image_id, id) WHERE image_id IS NOT NULL;
CREATE INDEX change_run ON change (run, id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('run',1);
COMMIT;
