-- What the scripts of versions 7 and 8 make today, for databases that were made by them as they first were.
CREATE INDEX IF NOT EXISTS quarantine_open_of ON quarantine (terminal) WHERE state = 'open';
CREATE INDEX IF NOT EXISTS anomaly_once ON anomaly (terminal, kind, detail);
CREATE TABLE IF NOT EXISTS pin_failure_at (
    terminal INTEGER NOT NULL,
    day INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    PRIMARY KEY (terminal, day)
);

-- A holder may have booked more than one thing; terminals are told of the day's.
CREATE TABLE booking_10 (
    holder INTEGER NOT NULL REFERENCES holder,
    service INTEGER NOT NULL,
    -- Milliseconds since 1970.
    starts INTEGER NOT NULL,
    place TEXT NOT NULL,
    PRIMARY KEY (holder, starts, service)
);
INSERT INTO booking_10 (holder, service, starts, place) SELECT holder, service, starts, place FROM booking;
DROP TABLE booking;
ALTER TABLE booking_10 RENAME TO booking;
CREATE INDEX booking_by_start ON booking (starts);

-- When it was last begun to let go what is over: once a day, by whichever node comes first.
CREATE TABLE retention_run (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    at INTEGER NOT NULL
);

-- The sights with the highest counters, and those that were made for a claim: a decision reads no others.
DROP INDEX card_seen_by_card;
CREATE INDEX card_seen_by_counter ON card_seen (card, generation, counter, id);
CREATE INDEX card_seen_by_claim ON card_seen (claim, id);
-- The oldest open claims of a card, and the orders that live.
CREATE INDEX claim_open_of_card ON claim (card, generation, opened, top_up) WHERE state = 'open';
CREATE INDEX credit_order_of_card ON credit_order (card, generation) WHERE ended IS NULL;
CREATE INDEX credit_order_by_issue ON credit_order (issued);
-- The newest batch of codes, and how many a terminal was given lately.
CREATE INDEX code_by_batch ON code (batch);
CREATE INDEX code_by_terminal ON code (terminal, issued, batch);
-- What nobody has explained.
CREATE INDEX anomaly_open ON anomaly (kind) WHERE explained IS NULL;
-- The newest documents.
CREATE INDEX document_by_arrival ON document (received, code);

-- How many uploads each terminal has sent, so that nobody has to count them.
CREATE TABLE upload_count (
    terminal INTEGER PRIMARY KEY,
    uploads INTEGER NOT NULL
);
INSERT INTO upload_count (terminal, uploads) SELECT terminal, count(*) FROM upload GROUP BY terminal;

-- The batch of verification codes that a terminal's parcel carries, as it was signed, until one of them was used.
ALTER TABLE terminal_parcel ADD COLUMN codes BLOB;
CREATE INDEX document_by_terminal ON document (terminal, issued);

-- Of what a person has closed: it is asked for at every commit.
CREATE INDEX quarantine_closed_of ON quarantine (terminal, sha256) WHERE state = 'closed';
-- A card that was replaced is blocked: what is left on it falls due once the validators have its block.
INSERT INTO card_block (card, generation, blocked, officer)
    SELECT number, generation, replaced, 'replacement' FROM balance_move WHERE moved IS NULL
    ON CONFLICT DO NOTHING;
