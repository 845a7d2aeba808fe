/** The room for a read: the caller's own, or a new one of so many bytes. */
export function roomOf(wanted: number | Buffer): Buffer {
  return typeof wanted === 'number' ? Buffer.allocUnsafe(wanted) : wanted;
}
