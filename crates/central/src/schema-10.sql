-- What the scripts of versions 7 and 8 make today, for databases that were made by them as they first were.
CREATE INDEX IF NOT EXISTS quarantine_open_of ON quarantine (terminal) WHERE state = 'open';
CREATE INDEX IF NOT EXISTS anomaly_once ON anomaly (terminal, kind, detail);
CREATE TABLE IF NOT EXISTS pin_failure_at (
    terminal INTEGER NOT NULL,
    day INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    PRIMARY KEY (terminal, day)
);

-- The batch of verification codes that a terminal's parcel carries, as it was signed, until one of them was used.
ALTER TABLE terminal_parcel ADD COLUMN codes BLOB;
CREATE INDEX code_by_terminal ON code (terminal, issued, batch);
CREATE INDEX document_by_terminal ON document (terminal, issued);
