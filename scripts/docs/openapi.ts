/** docs/openapi.json from the schemas and the route table. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openApiDocument } from '../../src/protocol/openapi.ts';

/** The OpenAPI document as text; the same schemas give the same text. */
export function generateOpenApi(): string {
  const file = join(import.meta.dirname, '../..', 'package.json');
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return `${JSON.stringify(openApiDocument(version), null, 2)}\n`;
}
