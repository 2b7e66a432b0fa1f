-- Uploads with their terminals' signatures, those that no book could take, and what terminals say of themselves.

-- The public keys by which uploads were ever verified. A terminal that is enrolled anew has another one; what it said
-- before is verified by the former.
CREATE TABLE signing_key (
    -- The first eight bytes of SHA-256 of the key.
    id BLOB PRIMARY KEY,
    terminal INTEGER NOT NULL,
    -- Ed25519.
    public_key BLOB NOT NULL,
    first_used INTEGER NOT NULL
);

-- NULL for what came over loopback from a terminal without keys of its own, and for what came before there were any.
ALTER TABLE upload ADD COLUMN signature BLOB;
ALTER TABLE upload ADD COLUMN signed_by BLOB;

-- What a terminal said and no book could take. Rows are never deleted.
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY,
    terminal INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    received INTEGER NOT NULL,
    -- The kind of upload, or 'unreadable'.
    kind TEXT NOT NULL,
    -- The problem: its code's stable name, and what it says.
    problem TEXT NOT NULL,
    detail TEXT NOT NULL,
    -- The office's role that looks after it.
    owner TEXT NOT NULL,
    -- Under the storage key.
    sealed BLOB NOT NULL,
    signature BLOB,
    signed_by BLOB,
    state TEXT NOT NULL CHECK (state IN ('open', 'taken', 'closed')),
    ended INTEGER,
    note TEXT,
    UNIQUE (terminal, sha256)
);
CREATE INDEX quarantine_open ON quarantine (id) WHERE state = 'open';
-- How much of it is one terminal's.
CREATE INDEX quarantine_open_of ON quarantine (terminal) WHERE state = 'open';
-- The same thing is noticed once: whether it was is asked for every refused upload.
CREATE INDEX anomaly_once ON anomaly (terminal, kind, detail);

-- The newest status of each terminal.
CREATE TABLE terminal_status (
    terminal INTEGER PRIMARY KEY,
    -- By the terminal's clock.
    written INTEGER NOT NULL,
    received INTEGER NOT NULL,
    version TEXT NOT NULL,
    feed_sequence INTEGER,
    feed_epoch INTEGER,
    queued INTEGER NOT NULL,
    quarantined INTEGER NOT NULL,
    oldest_waiting INTEGER,
    -- JSON: [[kind, queued, quarantined], ...].
    waiting TEXT NOT NULL,
    printer TEXT,
    reader TEXT,
    payment TEXT,
    free_disk_bytes INTEGER,
    clock_ahead_ms INTEGER
);
