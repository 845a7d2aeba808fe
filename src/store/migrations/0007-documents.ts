/** Schema 7: tasks that came in by another protocol keep the document they were written as. */
export const SQL = `
CREATE TABLE documents (
  task TEXT PRIMARY KEY REFERENCES tasks (id) ON DELETE CASCADE,
  -- as the document has it; the task itself may be called otherwise
  name TEXT,
  body TEXT NOT NULL
) STRICT;

-- What a poll asks for, without the rest of the row.
CREATE INDEX tasks_in_order ON tasks (ordinal, id, state_kind);
`;
