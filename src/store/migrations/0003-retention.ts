/** Events are kept for a time only, and what gc removed is written down. */
export const SQL = `
-- Of events that were removed: all up to pruned_to are gone, none after last_gone is.
CREATE TABLE events_gone (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  pruned_to INTEGER NOT NULL,
  last_gone INTEGER NOT NULL
) STRICT;
INSERT INTO events_gone (one, pruned_to, last_gone) VALUES (1, 0, 0);

CREATE TABLE removals (
  ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  daemon TEXT NOT NULL,
  kind TEXT NOT NULL,
  what TEXT NOT NULL,
  host TEXT,
  count INTEGER NOT NULL CHECK (count >= 1),
  bytes INTEGER CHECK (bytes >= 0)
) STRICT;
`;
