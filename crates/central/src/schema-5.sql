-- Terminals that have keys of their own, their certificates, and the one-time codes they enrol with.

-- The public halves of what a terminal made for itself. A terminal without a row here speaks plain HTTP with a token.
CREATE TABLE terminal_key (
    terminal INTEGER PRIMARY KEY REFERENCES terminal,
    -- Ed25519: signs its uploads.
    signing_key BLOB NOT NULL,
    -- X25519: its parcels are sealed to it.
    parcel_key BLOB NOT NULL,
    enrolled INTEGER NOT NULL
);

-- Every certificate that was ever issued to a terminal. `ended` is when it stopped counting before its time.
CREATE TABLE certificate (
    id INTEGER PRIMARY KEY,
    terminal INTEGER NOT NULL REFERENCES terminal,
    serial BLOB NOT NULL UNIQUE,
    -- SHA-256 of the certificate.
    fingerprint BLOB NOT NULL UNIQUE,
    public_key BLOB NOT NULL,
    issued INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    first_used INTEGER,
    ended INTEGER,
    ending TEXT CHECK (ending IN ('replaced', 'revoked', 'enrolled-anew'))
);
CREATE INDEX certificate_by_terminal ON certificate (terminal, id);

-- A code is good for one request; the same request may come twice, when its answer was lost.
CREATE TABLE enrolment_code (
    code_sha256 BLOB PRIMARY KEY,
    terminal INTEGER NOT NULL,
    place TEXT NOT NULL,
    central TEXT NOT NULL,
    codes INTEGER NOT NULL,
    made INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    used INTEGER,
    request BLOB
);

-- What was done about terminals' trust. Rows are only added.
CREATE TABLE terminal_event (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    terminal INTEGER NOT NULL,
    what TEXT NOT NULL,
    -- The certificate it is about, where there is one.
    serial BLOB
);
CREATE INDEX terminal_event_by_terminal ON terminal_event (terminal, id);
