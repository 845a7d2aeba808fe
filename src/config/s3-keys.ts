/** The keys of [s3]: where the objects of s3:// addresses are, and who asks for them. */
import type { KeyTable } from './key-table.ts';
import { fitting, localPath, matching } from './values.ts';

export const S3_KEYS = {
  endpoint: {
    field: 'endpoint',
    type: fitting('URL', isEndpoint, 'an address like https://minio.example.org:9000'),
    doc: 'The server that has the objects of s3:// addresses.',
    example: 'https://minio.example.org:9000',
    otherwise: { absent: 'that of AWS for the region' },
  },
  region: {
    field: 'region',
    type: matching('word', /^[A-Za-z0-9-]{1,64}$/, 'a region'),
    doc: 'The region that requests are signed for.',
    example: 'eu-central-1',
    otherwise: { default: 'us-east-1' },
  },
  credentials: {
    field: 'credentials',
    type: localPath,
    doc: 'A file with aws_access_key_id and aws_secret_access_key as the tools of AWS have it, read for each use; nobody else may read it.',
    example: '/home/alice/.aws/credentials',
    otherwise: { absent: 'requests are not signed, so only what is public can be had' },
  },
  profile: {
    field: 'profile',
    type: matching('word', /^[A-Za-z0-9_.@-]{1,128}$/, 'the name of a section'),
    doc: 'The section of credentials that counts.',
    example: 'pipelines',
    otherwise: { default: 'default' },
  },
} as const satisfies KeyTable;

function isEndpoint(value: string): boolean {
  const url = URL.parse(value);
  const plain = /^https?:\/\/[^\s?#@]+$/i.test(value);
  return plain && url !== null && url.hostname !== '';
}
