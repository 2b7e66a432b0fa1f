-- Version 3 numbered uploads and codes by AUTOINCREMENT, whose own table each new row writes besides: where nothing is
-- ever deleted, a row's number rises without it. Its lists of states were looked up in a tree made for each row.

ALTER TABLE outbox RENAME TO outbox_3;

CREATE TABLE outbox (
    position INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE CHECK (length(key) = 16),
    kind TEXT NOT NULL,
    money INTEGER NOT NULL CHECK (money = 0 OR money = 1),
    made_ms INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    bytes BLOB,
    state TEXT NOT NULL CHECK (state = 'queued' OR state = 'quarantined' OR state = 'sent'),
    attempts INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    receipt BLOB,
    CHECK (state = 'sent' OR bytes IS NOT NULL)
) STRICT;

INSERT INTO outbox (position, key, kind, money, made_ms, hash, bytes, state, attempts, reason, receipt)
    SELECT position, key, kind, money, made_ms, hash, bytes, state, attempts, reason, receipt
    FROM outbox_3 ORDER BY position;

DROP TABLE outbox_3;

CREATE INDEX outbox_queued ON outbox (money DESC, position) WHERE state = 'queued';

ALTER TABLE document_code RENAME TO document_code_3;

CREATE TABLE document_code (
    position INTEGER PRIMARY KEY,
    code BLOB NOT NULL UNIQUE CHECK (length(code) = 16),
    taken_ms INTEGER
) STRICT;

INSERT INTO document_code (position, code, taken_ms)
    SELECT position, code, taken_ms FROM document_code_3 ORDER BY position;

DROP TABLE document_code_3;

CREATE INDEX document_code_unused ON document_code (position) WHERE taken_ms IS NULL;
