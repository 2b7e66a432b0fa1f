-- Claims, central's orders, what was seen on cards, and the files of acquirer and validators.

-- A top-up may be finished at another terminal than it began at: both say some kinds of fact, each once. `posted` is 0
-- for an entry whose money another entry has moved already: it is kept with its chain, and moves nothing.
CREATE TABLE entry_4 (
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
    -- 0 for central's own.
    upload INTEGER NOT NULL,
    posted INTEGER NOT NULL,
    UNIQUE (top_up, kind, terminal, journal_generation)
);
INSERT INTO entry_4 (id, top_up, kind, terminal, journal_generation, seq, at, card, amount, prev, hash, bytes, upload, posted)
    SELECT id, top_up, kind, terminal, journal_generation, seq, at, card, amount, prev, hash, bytes, upload, 1 FROM entry;
CREATE TABLE posting_4 (
    entry INTEGER NOT NULL REFERENCES entry_4,
    line INTEGER NOT NULL,
    account TEXT NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (entry, line)
);
INSERT INTO posting_4 (entry, line, account, amount) SELECT entry, line, account, amount FROM posting;
DROP TABLE posting;
DROP TABLE entry;
ALTER TABLE entry_4 RENAME TO entry;
ALTER TABLE posting_4 RENAME TO posting;
CREATE INDEX entry_by_place ON entry (terminal, journal_generation, seq);
CREATE INDEX entry_by_card ON entry (card);

-- What was noticed stays; a person may have explained it.
ALTER TABLE anomaly ADD COLUMN explained INTEGER;
ALTER TABLE anomaly ADD COLUMN explained_by TEXT;
ALTER TABLE anomaly ADD COLUMN explanation TEXT;
-- The top-up it is about, where there is one.
ALTER TABLE anomaly ADD COLUMN top_up BLOB;

-- A card as a terminal saw it: the basis of every decision about a claim, and of the purses' reconciliation.
CREATE TABLE card_seen (
    id INTEGER PRIMARY KEY,
    card INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    terminal INTEGER NOT NULL,
    -- By the terminal's clock, and by central's.
    at INTEGER NOT NULL,
    received INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    movement_counter INTEGER,
    purse INTEGER,
    needs_check INTEGER NOT NULL,
    -- The claim it is evidence for: the terminal knew of it when it saw the card.
    claim BLOB
);
CREATE INDEX card_seen_by_card ON card_seen (card, generation);

CREATE TABLE seen_record (
    seen INTEGER NOT NULL REFERENCES card_seen,
    counter INTEGER NOT NULL,
    top_up BLOB NOT NULL,
    day INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    value_before INTEGER NOT NULL,
    terminal INTEGER NOT NULL,
    PRIMARY KEY (seen, counter, top_up)
);
CREATE INDEX seen_record_by_top_up ON seen_record (top_up);

-- Every claim that was made, as the books have it now.
CREATE TABLE claim (
    top_up BLOB PRIMARY KEY,
    card INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    terminal INTEGER NOT NULL,
    opened INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'credited', 'void', 'lost', 'paid-out', 'nothing-owed')),
    -- What it waits for while it is open.
    waits TEXT NOT NULL,
    closed INTEGER
);
CREATE INDEX claim_by_card ON claim (card, generation, state);

-- Central's orders to finish a claim at any terminal, written before they are signed. At most one of a top-up lives.
CREATE TABLE credit_order (
    id INTEGER PRIMARY KEY,
    top_up BLOB NOT NULL REFERENCES claim,
    card INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    issued INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    ended INTEGER,
    ending TEXT CHECK (ending IN ('expired', 'counter-moved', 'claim-closed', 'blocked'))
);
CREATE UNIQUE INDEX credit_order_alive ON credit_order (top_up) WHERE ended IS NULL;

-- A card that will never be good again. Rows are only added; `reached` is when the operator confirmed that every
-- validator has it.
CREATE TABLE card_block (
    card INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    blocked INTEGER NOT NULL,
    officer TEXT NOT NULL,
    reached INTEGER,
    confirmed_by TEXT,
    PRIMARY KEY (card, generation)
);

-- Claims that a person settled.
CREATE TABLE settlement (
    top_up BLOB PRIMARY KEY REFERENCES claim,
    how TEXT NOT NULL CHECK (how IN ('paid-out', 'nothing-owed')),
    officer TEXT NOT NULL,
    settled INTEGER NOT NULL,
    amount INTEGER NOT NULL
);

-- Files of the acquirer and of the validators, as imported.
CREATE TABLE imported_file (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('settlement', 'debits')),
    name TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    imported INTEGER NOT NULL,
    taken INTEGER NOT NULL,
    known INTEGER NOT NULL,
    rejected INTEGER NOT NULL
);

-- What the acquirer says of one transaction of a payment terminal. A later file may bring its state forward.
CREATE TABLE settlement_line (
    id INTEGER PRIMARY KEY,
    day INTEGER NOT NULL,
    payment_terminal TEXT NOT NULL,
    receipt INTEGER NOT NULL,
    trace INTEGER NOT NULL,
    kind TEXT NOT NULL,
    amount INTEGER NOT NULL,
    state TEXT NOT NULL,
    file INTEGER NOT NULL REFERENCES imported_file,
    line INTEGER NOT NULL,
    UNIQUE (payment_terminal, day, kind, receipt, trace)
);

-- What the validators took off a card.
CREATE TABLE debit (
    id INTEGER PRIMARY KEY,
    card INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    -- The counter of the card's movement record.
    counter INTEGER NOT NULL,
    at INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    file INTEGER NOT NULL REFERENCES imported_file,
    line INTEGER NOT NULL,
    UNIQUE (card, generation, counter)
);
