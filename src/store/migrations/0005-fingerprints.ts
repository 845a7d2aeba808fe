/** Schema 5: finds tasks by what they ran on what. */
export const FINGERPRINT =
  "coalesce(state ->> '$.launch.fingerprint', state ->> '$.reused.fingerprint')";

export const SQL = `
CREATE INDEX tasks_by_fingerprint ON tasks (${FINGERPRINT}) WHERE state_kind = 'succeeded';
`;
