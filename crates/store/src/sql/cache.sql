-- The cache, version 1. Everything here can be fetched again.

-- The head that is served, with its manifest: all rows and files below belong to it.
CREATE TABLE head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    keys_note TEXT NOT NULL,
    head_note TEXT NOT NULL,
    manifest BLOB NOT NULL,
    loaded_ms INTEGER NOT NULL
) STRICT;

-- The files of the served feed. Public files keep their bytes; a segment's rows are in tap_row or pin_row.
CREATE TABLE file (
    position INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    bytes BLOB,
    UNIQUE (kind, name)
) STRICT;

CREATE TABLE tap_row (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    file INTEGER NOT NULL,
    row BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE pin_row (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    file INTEGER NOT NULL,
    row BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Files fetched and checked for a feed that is not complete yet: a download goes on where it stopped.
CREATE TABLE staged (
    sha256 BLOB PRIMARY KEY CHECK (length(sha256) = 32),
    bytes BLOB NOT NULL
) STRICT;
