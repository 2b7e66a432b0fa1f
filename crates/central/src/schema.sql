-- Central's registry, books and archive. Days are days since 1970-01-01, moments milliseconds since then, money
-- euro cents. The same SQL runs on PostgreSQL with BYTEA for BLOB.

CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
);

-- The city pack as published: city.toml and the files beside it.
CREATE TABLE pack_file (
    name TEXT PRIMARY KEY,
    bytes BLOB NOT NULL
);

CREATE TABLE district (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL
);

CREATE TABLE street (
    id INTEGER PRIMARY KEY,
    district INTEGER NOT NULL REFERENCES district,
    name TEXT NOT NULL,
    postal_code TEXT NOT NULL
);

CREATE TABLE household (
    id INTEGER PRIMARY KEY,
    street INTEGER NOT NULL REFERENCES street,
    door TEXT NOT NULL,
    section INTEGER NOT NULL
);

CREATE TABLE holder (
    id INTEGER PRIMARY KEY,
    household INTEGER NOT NULL REFERENCES household,
    name TEXT NOT NULL,
    identity_number TEXT NOT NULL UNIQUE,
    born INTEGER NOT NULL,
    registered INTEGER NOT NULL,
    price_class INTEGER NOT NULL,
    taxes_due INTEGER NOT NULL,
    -- A protected address is never pre-issued.
    protected INTEGER NOT NULL
);

CREATE TABLE entitlement (
    holder INTEGER NOT NULL REFERENCES holder,
    service INTEGER NOT NULL,
    until INTEGER,
    count INTEGER,
    PRIMARY KEY (holder, service)
);

CREATE TABLE booking (
    holder INTEGER PRIMARY KEY REFERENCES holder,
    service INTEGER NOT NULL,
    starts INTEGER NOT NULL,
    place TEXT NOT NULL
);

-- Secret and PIN key are sealed under the storage key.
CREATE TABLE card (
    number INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL,
    holder INTEGER NOT NULL REFERENCES holder,
    uid BLOB NOT NULL UNIQUE,
    secret BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'revoked')),
    pin_version INTEGER NOT NULL,
    pin_key BLOB,
    pin_content INTEGER NOT NULL
);
CREATE INDEX card_by_holder ON card (holder);

CREATE TABLE terminal (
    id INTEGER PRIMARY KEY,
    place TEXT NOT NULL,
    token_sha256 BLOB NOT NULL,
    enrolled INTEGER NOT NULL
);

CREATE TABLE code (
    code BLOB PRIMARY KEY,
    terminal INTEGER NOT NULL REFERENCES terminal,
    batch INTEGER NOT NULL,
    issued INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE publication (
    sequence INTEGER PRIMARY KEY,
    epoch INTEGER NOT NULL,
    issued INTEGER NOT NULL,
    manifest BLOB NOT NULL,
    tap_rows INTEGER NOT NULL,
    pin_rows INTEGER NOT NULL
);

-- Every upload as it came, with the receipt it got; a repeat gets that receipt again.
CREATE TABLE upload (
    key BLOB PRIMARY KEY,
    number INTEGER NOT NULL,
    terminal INTEGER NOT NULL,
    journal_generation INTEGER NOT NULL,
    written INTEGER NOT NULL,
    received INTEGER NOT NULL,
    kind TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    bytes BLOB NOT NULL,
    receipt BLOB NOT NULL
);
CREATE INDEX upload_by_number ON upload (number);

CREATE TABLE entry (
    id INTEGER PRIMARY KEY,
    top_up BLOB NOT NULL,
    kind INTEGER NOT NULL,
    terminal INTEGER NOT NULL,
    journal_generation INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    card INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    prev BLOB NOT NULL,
    hash BLOB NOT NULL,
    bytes BLOB NOT NULL,
    upload INTEGER NOT NULL,
    UNIQUE (top_up, kind)
);
CREATE INDEX entry_by_place ON entry (terminal, journal_generation, seq);

CREATE TABLE posting (
    entry INTEGER NOT NULL REFERENCES entry,
    line INTEGER NOT NULL,
    account TEXT NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (entry, line)
);

-- The newest entry of each journal, so that a rolled-back one is noticed.
CREATE TABLE chain (
    terminal INTEGER NOT NULL,
    journal_generation INTEGER NOT NULL,
    next_seq INTEGER NOT NULL,
    head BLOB NOT NULL,
    PRIMARY KEY (terminal, journal_generation)
);

-- What a person must look at. Never deleted.
CREATE TABLE anomaly (
    id INTEGER PRIMARY KEY,
    noticed INTEGER NOT NULL,
    terminal INTEGER NOT NULL,
    kind TEXT NOT NULL,
    detail TEXT NOT NULL
);

CREATE TABLE document (
    code BLOB PRIMARY KEY,
    kind TEXT NOT NULL,
    terminal INTEGER NOT NULL,
    issued INTEGER NOT NULL,
    received INTEGER NOT NULL,
    offline INTEGER NOT NULL,
    facts BLOB NOT NULL,
    pdf_sha256 BLOB NOT NULL,
    pdf BLOB NOT NULL
);

CREATE TABLE evidence (
    id INTEGER PRIMARY KEY,
    top_up BLOB NOT NULL,
    terminal INTEGER NOT NULL,
    received INTEGER NOT NULL,
    bytes BLOB NOT NULL
);
CREATE INDEX evidence_by_top_up ON evidence (top_up);
