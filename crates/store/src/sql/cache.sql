-- The cache, version 2. Everything here can be fetched again.

-- The head that is served, with its manifest, and how far the rows have come: all below belongs to it.
CREATE TABLE head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    keys_note TEXT NOT NULL,
    head_note TEXT NOT NULL,
    manifest BLOB NOT NULL,
    loaded_ms INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    sequence INTEGER NOT NULL
) STRICT;

-- The public files of the served feed.
CREATE TABLE file (
    position INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    bytes BLOB NOT NULL,
    UNIQUE (kind, name)
) STRICT;

-- The base: its segments lie as files of their hash in the folder beside the database. The fences say where in a file
-- an id would stand, and what the bytes there were when the file was checked.
CREATE TABLE base (
    tier INTEGER NOT NULL,
    part INTEGER NOT NULL CHECK (part BETWEEN 0 AND 63),
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    bytes INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    fences BLOB NOT NULL,
    PRIMARY KEY (tier, part)
) STRICT, WITHOUT ROWID;

-- What changed since the base: a row in place of the base's, or none where it is gone. The mark is of the row's bytes.
CREATE TABLE tap_change (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    row BLOB,
    mark BLOB CHECK ((mark IS NULL) = (row IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE pin_change (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    row BLOB,
    mark BLOB CHECK ((mark IS NULL) = (row IS NULL))
) STRICT, WITHOUT ROWID;

-- Public files fetched and checked for a feed that is not complete yet: a download goes on where it stopped.
CREATE TABLE staged (
    sha256 BLOB PRIMARY KEY CHECK (length(sha256) = 32),
    bytes BLOB NOT NULL
) STRICT;
