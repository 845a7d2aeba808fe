/** docs/workflow.schema.json from the shape of workflow files. */
import { workflowJsonSchema } from '../../src/workflow/file-schema.ts';

export function generateWorkflowSchema(): string {
  return `${JSON.stringify(workflowJsonSchema(), null, 2)}\n`;
}
