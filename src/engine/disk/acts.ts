/** What the thread of the disk can be asked to do, by name. */

import { listFiles } from './list-files.ts';
import {
  appendPart,
  closePart,
  endPart,
  lookAt,
  nameParts,
  openPart,
  removeFiles,
  writeParts,
} from './part-files.ts';
import { hashFiles, readBlocks } from './read-files.ts';

export const ACTS = {
  ...{ listFiles, hashFiles, readBlocks },
  ...{ openPart, appendPart, endPart, closePart },
  ...{ writeParts, nameParts, lookAt, removeFiles },
};

export type Acts = typeof ACTS;
