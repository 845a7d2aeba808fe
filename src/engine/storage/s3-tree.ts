/** The files and directories that objects are, by their keys. Whoever may write to a bucket chose those: nothing of them is believed. Pure. */

import { keyProblem } from '../../domain/s3-address.ts';
import { shown } from '../../domain/shown.ts';

export interface S3Object {
  key: string;
  bytes: number;
}

export interface S3Tree {
  /** `path` is below the prefix. */
  files: { key: string; path: string }[];
  /** Below the prefix, each after the one it is in. */
  directories: string[];
  bytes: number;
}

/** What is below a prefix, which is empty or ends with a slash, or why that is no tree of files. */
export function treeOf(prefix: string, objects: readonly S3Object[]): S3Tree | { problem: string } {
  const files = new Map<string, string>();
  const directories = new Set<string>();
  let bytes = 0;
  for (const { key, bytes: size } of objects) {
    if (!key.startsWith(prefix)) return refused(key, 'was not asked for');
    const below = key.slice(prefix.length);
    if (below === '') continue;
    // what people make to have an empty directory
    const isDirectory = below.endsWith('/') && size === 0;
    const path = isDirectory ? below.slice(0, -1) : below;
    const problem = keyProblem(path);
    if (problem !== undefined) return refused(key, problem);
    if (isDirectory) directories.add(path);
    else files.set(path, key);
    for (const parent of parentsOf(path)) directories.add(parent);
    bytes += size;
  }
  const both = [...files].find(([path]) => directories.has(path));
  if (both !== undefined) return refused(both[1], 'is a file and a directory, too');
  return {
    files: [...files].map(([path, key]) => ({ path, key })),
    directories: [...directories].sort(),
    bytes,
  };
}

function parentsOf(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}

function refused(key: string, why: string): { problem: string } {
  return { problem: `the key ${shown(key)} ${why}` };
}
