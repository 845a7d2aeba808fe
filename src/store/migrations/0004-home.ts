/** Schema 4: where the database is, to tell a copy on the same machine. NULL: not known yet. */
export const SQL = `
ALTER TABLE meta ADD COLUMN home_path TEXT;
ALTER TABLE meta ADD COLUMN home_inode TEXT;
`;
