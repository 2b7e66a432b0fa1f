-- The office: who may do what, and what was done.

-- What people did. Rows are only added; each bears the hash of the one before, so that one taken away or changed shows.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    role TEXT NOT NULL,
    what TEXT NOT NULL,
    -- The thing it was done to, by number or name; never personal data.
    about TEXT NOT NULL,
    hash BLOB NOT NULL
);
