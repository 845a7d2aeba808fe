/** Which registries the tasks of a host need, as far as the configuration tells. */
import type { AskedRegistry } from '../../script/doctor-more.ts';
import { parseImage, registryOf } from '../../script/image-ref.ts';
import type { HostPolicy } from '../settings.ts';

/** Those named in the host's section, and that of the default images; none for a host that never pulls itself. */
export function registriesOf(
  { insecureRegistries, imageSource }: Pick<HostPolicy, 'insecureRegistries' | 'imageSource'>,
  defaultImages: readonly string[],
): AskedRegistry[] {
  if (imageSource === 'upload') return [];
  const names = new Set([...insecureRegistries, ...defaultImages.flatMap(nameOf)]);
  return [...names].map((name) => ({ name, secure: !insecureRegistries.includes(name) }));
}

/** The library is asked for its address by another name first: only the runtime knows where it is. */
function nameOf(image: string): string[] {
  const ref = parseImage(image);
  return ref.kind === 'sif' || ref.scheme === 'library' ? [] : [registryOf(ref)];
}
