-- The journal, version 4. Facts are added, never deleted; what central has receipted is cut to its hash.

CREATE TABLE generation (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    number INTEGER NOT NULL CHECK (number >= 1),
    begun_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE boot (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    count INTEGER NOT NULL
) STRICT;

CREATE TABLE entry (
    seq INTEGER PRIMARY KEY CHECK (seq >= 1),
    top_up BLOB NOT NULL CHECK (length(top_up) = 16),
    kind INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    bytes BLOB NOT NULL,
    UNIQUE (top_up, kind)
) STRICT;

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

CREATE INDEX outbox_queued ON outbox (money DESC, position) WHERE state = 'queued';

CREATE TABLE print (
    name TEXT PRIMARY KEY,
    intended_ms INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('intended', 'printed', 'not-printed', 'uncertain')),
    failure TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX print_open ON print (intended_ms) WHERE state = 'intended';

CREATE TABLE pin_tries (
    card INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    pin_version INTEGER NOT NULL,
    PRIMARY KEY (card, generation)
) STRICT, WITHOUT ROWID;

CREATE TABLE feed_floor (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    key_version INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    sequence INTEGER NOT NULL
) STRICT;

CREATE TABLE clock_floor (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    wall_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE document_code (
    position INTEGER PRIMARY KEY,
    code BLOB NOT NULL UNIQUE CHECK (length(code) = 16),
    taken_ms INTEGER
) STRICT;

CREATE INDEX document_code_unused ON document_code (position) WHERE taken_ms IS NULL;

-- Empty but for the moment in which room is taken ahead: what was deleted from here is free pages.
CREATE TABLE reserve (
    filler BLOB NOT NULL
) STRICT;
