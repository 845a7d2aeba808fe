/** Schema 6: hashes of local files by what the file system tells of each, the oldest first. */
export const SQL = `
CREATE TABLE file_hashes (
  ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
  identity TEXT NOT NULL UNIQUE,
  sha256 TEXT NOT NULL
) STRICT;
`;
