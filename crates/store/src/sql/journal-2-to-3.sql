-- Version 2 took no room ahead.

CREATE TABLE reserve (
    filler BLOB NOT NULL
) STRICT;
