/** The JSON Schema of workflow files, for editors. */
import { z } from 'zod';
import { wholeFile } from './shape.ts';

export function workflowJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(wholeFile(), { io: 'input', unrepresentable: 'any' });
  const { $schema, ...rest } = schema as Record<string, unknown>;
  return { $schema, title: 'Towline workflow', ...rest };
}
