-- The books of one top-up as version 3 kept them.
INSERT INTO entry (id, top_up, kind, terminal, journal_generation, seq, at, card, amount, prev, hash, bytes, upload) VALUES
    (1, x'09090909090909090909090909090909', 1, 3, 1, 1, 1795345200000, 3300000017, 2000, x'00', x'11', x'8D', 1),
    (4, x'09090909090909090909090909090909', 2, 3, 1, 2, 1795345200001, 3300000017, 2000, x'11', x'22', x'8D', 2);
INSERT INTO posting (entry, line, account, amount) VALUES (4, 1, 'acquirer', 2000), (4, 2, 'transit', -2000);
INSERT INTO chain (terminal, journal_generation, next_seq, head) VALUES (3, 1, 3, x'22');
