-- Cards as the card offices made them, and what became of their keys. The secret is sealed under the storage key; no
-- key of a card is ever stored.

CREATE TABLE office (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    token_sha256 BLOB NOT NULL UNIQUE,
    made INTEGER NOT NULL
);

-- A chip that was personalised. The registry's own tables say whose the number is.
CREATE TABLE issued_card (
    uid BLOB PRIMARY KEY,
    number INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    technology TEXT NOT NULL CHECK (technology IN ('desfire-ev1', 'desfire-ev2', 'classic')),
    -- NULL on a Classic card.
    secret BLOB,
    state TEXT NOT NULL CHECK (state IN ('active', 'revoked')),
    office INTEGER NOT NULL REFERENCES office,
    registered INTEGER NOT NULL,
    -- SHA-256 of the registration as it came, and the receipt it got; a repeat gets that receipt again.
    sha256 BLOB NOT NULL,
    receipt_number INTEGER NOT NULL UNIQUE,
    receipt BLOB NOT NULL
);
-- No number has two cards of one generation, not even when one of them is revoked: revocations name both.
CREATE UNIQUE INDEX issued_card_by_number ON issued_card (number, generation);

-- A generation that was replaced by a newer one, of a card that no office registered here.
CREATE TABLE replaced_card (
    number INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    replaced INTEGER NOT NULL,
    PRIMARY KEY (number, generation)
);

-- The version of the read key on each card, as far as central has seen it. `pending` is a change whose reply is not
-- known yet.
CREATE TABLE card_key (
    uid BLOB PRIMARY KEY,
    read_version INTEGER NOT NULL,
    pending INTEGER,
    changed INTEGER NOT NULL
);

-- The shadow of each Classic purse: the newest top-up that was sealed.
CREATE TABLE classic_purse (
    uid BLOB PRIMARY KEY,
    counter INTEGER NOT NULL,
    top_up BLOB NOT NULL,
    amount INTEGER NOT NULL,
    day INTEGER NOT NULL,
    value_before INTEGER NOT NULL,
    value_after INTEGER NOT NULL,
    terminal INTEGER NOT NULL,
    sealed INTEGER NOT NULL
);

-- Every use of a key that stays with central. Never a key, never a cryptogram. Rows are only added.
CREATE TABLE card_key_use (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    day INTEGER NOT NULL,
    terminal INTEGER NOT NULL,
    uid BLOB NOT NULL,
    -- The card's number; NULL for a chip that central does not know.
    card INTEGER,
    role TEXT NOT NULL,
    step TEXT NOT NULL,
    outcome TEXT NOT NULL
);
CREATE INDEX card_key_use_by_terminal ON card_key_use (terminal, day);
CREATE INDEX card_key_use_by_card ON card_key_use (uid, day);
