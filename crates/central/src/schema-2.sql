-- The city's technicians and their service cards. They are apart from the holders: a service card belongs to the
-- city, and nobody lives on it. Secret and PIN key are sealed under the storage key.

CREATE TABLE technician (
    number INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL,
    -- As the city's staff register has it.
    name TEXT NOT NULL,
    staff_number TEXT NOT NULL,
    uid BLOB NOT NULL UNIQUE,
    secret BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'revoked')),
    pin_version INTEGER NOT NULL,
    pin_key BLOB NOT NULL,
    pin_content INTEGER NOT NULL
);
