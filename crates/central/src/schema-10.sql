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
