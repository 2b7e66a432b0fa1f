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

-- Who may log in. The password is a PHC string: Argon2id with its parameters and salt in it.
CREATE TABLE account (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL CHECK (role IN ('registry', 'finance', 'technician', 'auditor')),
    password TEXT NOT NULL,
    made INTEGER NOT NULL,
    disabled INTEGER
);

-- Who is logged in. The token itself is the browser's alone.
CREATE TABLE office_session (
    token_sha256 BLOB PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES account,
    began INTEGER NOT NULL,
    seen INTEGER NOT NULL
);
CREATE INDEX office_session_by_account ON office_session (account);

-- Log-ins that failed, by account and address. 0 stands for all of an address, -1 for names that are no account's.
CREATE TABLE login_failure (
    account INTEGER NOT NULL,
    address TEXT NOT NULL,
    failures INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (account, address)
);

-- A card that a holder is to have: it becomes theirs with its registration by a card office.
CREATE TABLE card_order (
    number INTEGER PRIMARY KEY,
    holder INTEGER NOT NULL UNIQUE REFERENCES holder,
    ordered INTEGER NOT NULL
);

-- What is left on a card that was replaced. It is moved once no validator can bring a debit of it any more.
CREATE TABLE balance_move (
    number INTEGER NOT NULL,
    -- The old card's.
    generation INTEGER NOT NULL,
    replaced INTEGER NOT NULL,
    moved INTEGER,
    amount INTEGER,
    officer TEXT,
    PRIMARY KEY (number, generation)
);

-- Holders who are in the city no more, by a complete file of the registry.
CREATE TABLE moved_away (
    holder INTEGER PRIMARY KEY REFERENCES holder,
    since INTEGER NOT NULL
);
CREATE INDEX household_by_door ON household (street, door);
CREATE INDEX street_by_name ON street (name, postal_code);

-- Changes of a PIN at a terminal, with the answer that was given; a repeat gets it again.
CREATE TABLE pin_change (
    key BLOB PRIMARY KEY,
    terminal INTEGER NOT NULL,
    card INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    -- SHA-256 of the request as it was opened.
    sha256 BLOB NOT NULL,
    changed INTEGER NOT NULL,
    pin_version INTEGER NOT NULL
);

-- Wrong PINs that central was asked about, by card and day.
CREATE TABLE pin_failure (
    card INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    day INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    PRIMARY KEY (card, generation, day)
);

-- The same by terminal: whoever has one's keys may ask about any card.
CREATE TABLE pin_failure_at (
    terminal INTEGER NOT NULL,
    day INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    PRIMARY KEY (terminal, day)
);
