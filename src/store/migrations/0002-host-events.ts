/** Hosts are paused, drained and resumed; the last event of a host is its mode. */
export const SQL = `
-- seq is one of the numbers of events: to the world both are one stream.
CREATE TABLE host_events (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  host TEXT NOT NULL,
  mode TEXT NOT NULL CHECK (mode IN ('open', 'draining', 'paused'))
) STRICT;
CREATE INDEX host_events_by_host ON host_events (host, seq);
`;
