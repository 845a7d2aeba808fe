/** A workflow file from its text to the tasks to submit, or all that is wrong with it. */
import { type Expanded, type ExpandOptions, expand } from './expand.ts';
import { type Manifest, parseManifest } from './manifest.ts';
import { type Problem, sorted } from './problem.ts';

export interface ReadWorkflow {
  manifest: Manifest;
  expanded: Expanded;
}

export function readWorkflowText(
  text: string,
  options: ExpandOptions,
): ReadWorkflow | { problems: Problem[] } {
  const { manifest, problems } = parseManifest(text);
  if (manifest === undefined) return { problems: sorted(problems) };
  const { problems: more, ...expanded } = expand(manifest, options);
  const all = sorted([...problems, ...more]);
  return all.length > 0 ? { problems: all } : { manifest, expanded };
}
