/** Where the files of a TES task come from and go to, by their addresses. Pure. */

/** What an address names. A path is of the submit host; `other` is a scheme for the storage, or one that nobody knows. */
export type TesAddress = { kind: 'path'; path: string } | { kind: 'other'; scheme: string };

/** `file://` is followed by the path as it is, as most engines write it; some encode it. */
export function addressOf(url: string): TesAddress {
  if (url.startsWith('/')) return { kind: 'path', path: url };
  const file = /^file:(?:\/\/(?:localhost)?)?(\/.*)$/i.exec(url)?.[1];
  if (file !== undefined) return { kind: 'path', path: file };
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(url)?.[1];
  return { kind: 'other', scheme: scheme?.toLowerCase() ?? '' };
}

/** The path that was meant if it was percent-encoded; undefined when it cannot have been. */
export function decodedPath(path: string): string | undefined {
  if (!/%[0-9A-Fa-f]{2}/.test(path)) return undefined;
  try {
    const decoded = decodeURIComponent(path);
    return decoded.includes('\0') || decoded === path ? undefined : decoded;
  } catch {
    return undefined;
  }
}
