-- Version 1 had no quarantine, no order of urgency and no receipts; its floor had no key version; its codes no order.

ALTER TABLE outbox RENAME TO outbox_1;

CREATE TABLE outbox (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    key BLOB NOT NULL UNIQUE CHECK (length(key) = 16),
    kind TEXT NOT NULL,
    money INTEGER NOT NULL CHECK (money IN (0, 1)),
    made_ms INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    bytes BLOB,
    state TEXT NOT NULL CHECK (state IN ('queued', 'quarantined', 'sent')),
    attempts INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    receipt BLOB,
    CHECK (state = 'sent' OR bytes IS NOT NULL)
) STRICT;

-- sha256() is lent to the migration by the program. What version 1 sent was never receipted: the bytes stay.
INSERT INTO outbox (key, kind, money, made_ms, hash, bytes, state)
    SELECT key, kind, kind IN ('ledger-entry', 'claim-evidence'), made_ms, sha256(bytes), bytes, CASE sent WHEN 0 THEN 'queued' ELSE 'sent' END
    FROM outbox_1 ORDER BY made_ms, rowid;

DROP TABLE outbox_1;

CREATE INDEX outbox_queued ON outbox (money DESC, position) WHERE state = 'queued';

ALTER TABLE print RENAME TO print_1;

CREATE TABLE print (
    name TEXT PRIMARY KEY,
    intended_ms INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('intended', 'printed', 'not-printed', 'uncertain')),
    failure TEXT
) STRICT, WITHOUT ROWID;

-- Whatever a version-1 outcome said that is not one of these is not known: uncertain, and never printed again.
INSERT INTO print (name, intended_ms, state)
    SELECT name, intended_ms,
        CASE WHEN outcome IS NULL THEN 'intended'
             WHEN outcome IN ('printed', 'not-printed') THEN outcome
             ELSE 'uncertain' END
    FROM print_1;

DROP TABLE print_1;

CREATE INDEX print_open ON print (intended_ms) WHERE state = 'intended';

ALTER TABLE feed_floor RENAME TO feed_floor_1;

CREATE TABLE feed_floor (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    key_version INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    sequence INTEGER NOT NULL
) STRICT;

INSERT INTO feed_floor (one, key_version, epoch, sequence) SELECT one, 0, epoch, sequence FROM feed_floor_1;

DROP TABLE feed_floor_1;

ALTER TABLE document_code RENAME TO document_code_1;

CREATE TABLE document_code (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    code BLOB NOT NULL UNIQUE CHECK (length(code) = 16),
    taken_ms INTEGER
) STRICT;

INSERT INTO document_code (code, taken_ms) SELECT code, taken_ms FROM document_code_1 ORDER BY code;

DROP TABLE document_code_1;

CREATE INDEX document_code_unused ON document_code (position) WHERE taken_ms IS NULL;
