/** What may follow the question mark of the TES routes. */
import { z } from 'zod';
import { TES_VIEWS } from './schema.ts';
import { TES_STATES } from './states.ts';

/** The specification wants less than 2048. */
const PAGE_SIZE_MAX = 2047;
export const PAGE_SIZE_DEFAULT = 256;

const repeated = z.union([z.string().transform((one) => [one]), z.array(z.string())]);

export const tesViewQuery = z.object({ view: z.enum(TES_VIEWS).default('MINIMAL') });

export const tesListQuery = tesViewQuery.extend({
  name_prefix: z.string().optional(),
  state: z.enum(TES_STATES).optional(),
  tag_key: repeated.default([]),
  tag_value: repeated.default([]),
  page_size: z.coerce.number().pipe(z.int().min(1).max(PAGE_SIZE_MAX)).default(PAGE_SIZE_DEFAULT),
  page_token: z.string().optional(),
});
