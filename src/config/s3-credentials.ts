/** Keys for S3 as the shared credentials file of AWS has them: those of one section taken out. Pure. */
import { parse } from 'ini';
import { z } from 'zod';

const sectionSchema = z.object({
  aws_access_key_id: z.string().min(1),
  aws_secret_access_key: z.string().min(1),
  aws_session_token: z.string().optional(),
});

export interface S3Credentials {
  accessKeyId: string;
  secretAccessKey: string;
}

/** The keys, or a reason, which must not quote the file: it is secret. */
export function credentialsIn(text: string, profile: string): S3Credentials | { trouble: string } {
  const section = sectionOf(parse(text), profile);
  if (section === undefined) return { trouble: `has no section [${profile}]` };
  const read = sectionSchema.safeParse(section);
  if (!read.success) {
    const lacking = [...new Set(read.error.issues.map(({ path }) => path.join('.')))].join(', ');
    return { trouble: `has no usable ${lacking} in [${profile}]` };
  }
  const { aws_access_key_id, aws_secret_access_key, aws_session_token } = read.data;
  if (aws_session_token !== undefined) {
    const what = 'has keys that are for a session only (aws_session_token)';
    return { trouble: `${what} in [${profile}], which are not supported` };
  }
  return { accessKeyId: aws_access_key_id, secretAccessKey: aws_secret_access_key };
}

/** The ini package makes a section in a section of a name with dots. */
function sectionOf(tree: unknown, profile: string): unknown {
  let at = tree;
  for (const name of profile.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined;
    at = (at as Record<string, unknown>)[name];
  }
  return typeof at === 'object' ? at : undefined;
}
