/** A failure as it goes over the wire, wherever it stands. */
import { z } from 'zod';

export const failureView = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string(),
  context: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
});
