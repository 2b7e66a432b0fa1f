-- What was published of each card, so that a publication names only what changed; parcels and epochs.

-- Of a card that left the feed the row stays: its content number never falls.
CREATE TABLE published_row (
    card INTEGER NOT NULL,
    -- 1 tap, 2 pin.
    tier INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    -- HMAC under the storage key over all that the record says; never the content itself.
    digest BLOB NOT NULL,
    pin_version INTEGER NOT NULL,
    -- The content number that was published; 0 in the tap tier.
    content INTEGER NOT NULL,
    -- The day of the facts that were signed ahead; 0 where there are none.
    facts_day INTEGER NOT NULL,
    -- The row's id in the epoch that is published; NULL when it is not in the feed.
    record BLOB,
    -- The publication that sealed it last.
    sequence INTEGER NOT NULL,
    PRIMARY KEY (card, tier)
) WITHOUT ROWID;

-- When a file of the feed was last named by a manifest: a terminal may be loading it for days after.
CREATE TABLE feed_file (
    sha256 BLOB PRIMARY KEY,
    named INTEGER NOT NULL
) WITHOUT ROWID;

-- The parcel of each live terminal as it was sealed; it is sealed anew only when it holds something else.
CREATE TABLE terminal_parcel (
    terminal INTEGER PRIMARY KEY REFERENCES terminal,
    -- HMAC under the storage key over what it holds and the key it is sealed to.
    digest BLOB NOT NULL,
    sealed BLOB NOT NULL,
    made INTEGER NOT NULL,
    -- A certificate for a terminal that has not asked for its next one: in the parcel until it is used.
    certificate BLOB,
    certificate_issued INTEGER,
    certificate_expires INTEGER
);
