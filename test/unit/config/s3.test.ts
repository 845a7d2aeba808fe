/** Goal: the keys for S3 are read as the tools of AWS write them, and nothing of the file is told. Method: texts of such files, and one on disk. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { credentialsIn } from '../../../src/config/s3-credentials.ts';
import { S3_KEYS } from '../../../src/config/s3-keys.ts';
import { engineSettings } from '../../../src/host-settings.ts';
import { withoutSecrets } from '../../../src/secrets.ts';
import { load, temporaryDirectory } from './support.ts';

const FILE = `
# made by hand
[default]
aws_access_key_id = AKIADEFAULT
aws_secret_access_key = ab/c+d==ef

[my.team]
aws_access_key_id=AKIATEAM
aws_secret_access_key="quoted"
region = eu-central-1

[half]
aws_access_key_id = AKIAHALF

[session]
aws_access_key_id = AKIASESSION
aws_secret_access_key = SECRET-OF-SESSION
aws_session_token = TOKEN-OF-SESSION
`;

test('the section that is asked for counts', () => {
  expect(credentialsIn(FILE, 'default')).toEqual({
    accessKeyId: 'AKIADEFAULT',
    secretAccessKey: 'ab/c+d==ef',
  });
  expect(credentialsIn(FILE, 'my.team')).toEqual({
    accessKeyId: 'AKIATEAM',
    secretAccessKey: 'quoted',
  });
});

test.each([
  ['nobody', 'has no section [nobody]'],
  ['my', 'has no usable aws_access_key_id, aws_secret_access_key in [my]'],
  ['half', 'has no usable aws_secret_access_key in [half]'],
  [
    'session',
    'has keys that are for a session only (aws_session_token) in [session], which are not supported',
  ],
  ['__proto__', 'has no section [__proto__]'],
])('%j is refused', (profile, trouble) => {
  expect(credentialsIn(FILE, profile)).toEqual({ trouble });
  expect(JSON.stringify(credentialsIn(FILE, profile))).not.toMatch(/AKIA|SECRET-OF|TOKEN-OF/);
});

test.each([
  ['https://s3.example.org', true],
  ['http://127.0.0.1:9000/base', true],
  ['s3.example.org', false],
  ['ftp://s3.example.org', false],
  ['https://user:word@s3.example.org', false],
  ['https://s3.example.org?x=1', false],
  ['https://', false],
])('%j is an endpoint: %j', (text, fits) => {
  const schema = S3_KEYS.endpoint.type.schema({ home: '/home/alice' });
  expect(schema.safeParse(text).success).toBe(fits);
});

test('the engine has the server, and the keys as they are in the file at the time, which the log never tells', async () => {
  const file = join(temporaryDirectory(), 'credentials');
  const settings = (text: string) => engineSettings(load(text), console as never).s3;
  expect(await settings('')?.keys()).toBeUndefined();
  expect(settings('[s3]\nregion = eu-central-1')).toMatchObject({
    ...{ endpoint: 'https://s3.eu-central-1.amazonaws.com', region: 'eu-central-1' },
  });
  const s3 = settings(`[s3]\nendpoint = https://h:9000/\ncredentials = ${file}\nprofile = my.team`);
  expect(s3).toMatchObject({ endpoint: 'https://h:9000', region: 'us-east-1' });
  expect(await s3?.keys()).toEqual({ trouble: `${file} is not there` });
  writeFileSync(file, FILE.replace('quoted', 'told-to-nobody'), { mode: 0o600 });
  expect(await s3?.keys()).toEqual({ accessKeyId: 'AKIATEAM', secretAccessKey: 'told-to-nobody' });
  expect(withoutSecrets('it is told-to-nobody')).toBe('it is [redacted]');
});
