-- The fleet's state, and what is kept for how long.

-- Authentications of cards under way: what was said so far, sealed under the storage key, so that any node can finish
-- what another began. They live for seconds.
CREATE TABLE card_ticket (
    name BLOB PRIMARY KEY,
    terminal INTEGER NOT NULL,
    until INTEGER NOT NULL,
    sealed BLOB NOT NULL
);
CREATE INDEX card_ticket_by_terminal ON card_ticket (terminal, until);

-- When a terminal was last heard, at whatever node, and the newest head that it was given. Within minutes.
CREATE TABLE terminal_heard (
    terminal INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    -- NULL when no head was given to it yet.
    sequence INTEGER
);

-- The newest upload of each terminal, so that nobody has to look through all of them.
CREATE INDEX upload_by_terminal ON upload (terminal, received);

-- Numbers below these were perhaps given out by a central of which this one is a copy: they are never given out again.
CREATE TABLE number_floor (
    what TEXT PRIMARY KEY,
    number INTEGER NOT NULL
);

-- What was deleted because its time was over: the newest of each kind, so that what is missing is explained.
CREATE TABLE retained (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    -- Everything of that kind from before this moment, if nothing was open about it.
    before INTEGER NOT NULL,
    removed INTEGER NOT NULL
);
-- The audit's chain begins anew behind what was deleted: the hash of the last line that was.
CREATE TABLE audit_anchor (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL
);
