/** Logins of registries, as a Docker config.json has them: that of one registry taken out. */
import { z } from 'zod';

const entrySchema = z.object({
  auth: z.string().optional(),
  identitytoken: z.string().optional(),
  registrytoken: z.string().optional(),
});
const fileSchema = z.object({ auths: z.record(z.string(), entrySchema) });

export interface RegistryLogin {
  /** A config.json with this login alone. */
  json: string;
  /** What must never be told. */
  secrets: string[];
}

/** Names under which Docker Hub stands in such files. */
const HUB = ['docker.io', 'index.docker.io', 'registry-1.docker.io'];

/** The login for a registry, if there is one; a reason when the text is not such a file. */
export function loginFor(
  text: string,
  registry: string,
): RegistryLogin | { trouble: string } | undefined {
  const file = read(text);
  if (file === undefined)
    return { trouble: 'is no Docker config.json: {"auths": {"REGISTRY": …}}' };
  const wanted = HUB.includes(registry) ? HUB : [registry];
  const found = Object.entries(file.auths).find(([name]) => wanted.includes(hostOf(name)));
  if (found === undefined) return undefined;
  const [name, entry] = found;
  const decoded = Buffer.from(entry.auth ?? '', 'base64').toString('utf8');
  const password = decoded.slice(decoded.indexOf(':') + 1);
  const values = [password, entry.auth, entry.identitytoken, entry.registrytoken];
  const secrets = values.flatMap((value) => (value ? [value] : []));
  return { json: JSON.stringify({ auths: { [name]: entry } }), secrets };
}

/** The reason must not quote the file: it is secret. */
function read(text: string): z.output<typeof fileSchema> | undefined {
  try {
    return fileSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function hostOf(name: string): string {
  return name.replace(/^https?:\/\//, '').split('/')[0] ?? '';
}
