/** The job of a host's scheduler that runs a task. */
import { z } from 'zod';

export const jobView = z.object({
  id: z.string(),
  name: z.string(),
  /** The line that submitted it. */
  command: z.string(),
  submittedAt: z.iso.datetime(),
  /** It runs other tasks, too, one after the other. */
  pilot: z.boolean(),
  notes: z.array(z.string()).optional(),
});
