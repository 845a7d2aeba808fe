/** The first schema. Never edited once released: a change is a new file with the next number. */
export const SQL = `
CREATE TABLE meta (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  daemon_id TEXT NOT NULL,
  machine_id TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE submissions (
  key TEXT PRIMARY KEY,
  digest TEXT NOT NULL
) STRICT;

-- ordinal counts submissions: newest first stays right when the clock steps back.
CREATE TABLE tasks (
  ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  version INTEGER NOT NULL,
  state_kind TEXT NOT NULL CHECK (state_kind IN (
    'held', 'waiting', 'queued', 'staging', 'pulling', 'launching', 'running', 'collecting',
    'cancelling', 'succeeded', 'failed', 'error', 'cancelled', 'interrupted')),
  host TEXT,
  attempt INTEGER NOT NULL CHECK (attempt >= 1),
  submitted_at INTEGER NOT NULL,
  idempotency_key TEXT REFERENCES submissions (key),
  spec TEXT NOT NULL,
  state TEXT NOT NULL,
  history TEXT NOT NULL
) STRICT;
CREATE INDEX tasks_by_state ON tasks (state_kind, ordinal);
CREATE INDEX tasks_by_host ON tasks (host, ordinal);
CREATE INDEX tasks_by_key ON tasks (idempotency_key) WHERE idempotency_key IS NOT NULL;

CREATE TABLE tags (
  task TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (task, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  task TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  attempt INTEGER NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  data TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_task ON events (task, seq);

CREATE TABLE effects (
  ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
  task TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  attempt INTEGER NOT NULL,
  kind TEXT NOT NULL,
  UNIQUE (task, attempt, kind)
) STRICT;
`;
