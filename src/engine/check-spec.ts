/** What can be known to be wrong with a task before it is taken. */
import { AppError } from '../domain/failure.ts';
import type { TaskSpec } from '../domain/task.ts';
import { parseImage } from '../script/image-ref.ts';
import type { ServiceDeps } from './create-service.ts';
import { sampleScript } from './plan.ts';
import { checkInputs } from './staging/local-inputs.ts';

/** @throws TASK_INVALID HOST_UNKNOWN IMAGE_REFERENCE_INVALID STAGE_INPUT_* TASK_NO_HOST_FITS */
export async function checkSpec({ seats, placer }: ServiceDeps, spec: TaskSpec): Promise<void> {
  if (spec.images.length === 0) {
    throw new AppError('TASK_INVALID', 'images: name an image, or set one in [defaults]', {
      context: { field: 'images' },
    });
  }
  for (const image of spec.images) parseImage(image);
  for (const { image } of spec.then ?? []) parseImage(image);
  if (spec.host !== undefined) seats.get(spec.host);
  placer.check(spec);
  await checkInputs(spec.inputs.map((input) => input.source));
  if (spec.stdin !== undefined) await checkInputs([spec.stdin]);
  sampleScript(spec);
}
