/** Image references: their grammar, and the name an image has in a host's cache. */
import { createHash } from 'node:crypto';
import { AppError } from '../domain/failure.ts';

export type RegistryScheme = 'docker' | 'oras' | 'library';

export type ImageRef =
  /** `name` is what stands after `scheme://`; `reference` is the whole, with the tag written out. */
  | { kind: 'registry'; scheme: RegistryScheme; name: string; reference: string }
  /** A file that is on the host already; never pulled, never removed. */
  | { kind: 'sif'; path: string; reference: string };

const SCHEMES: ReadonlySet<string> = new Set(['docker', 'oras', 'library']);
const MAX_REFERENCE_LENGTH = 512;
const READABLE_LENGTH = 60;

/**
 * Understands an image as a user writes it: no scheme means docker, a missing tag means `latest`, and
 * an absolute path (or `file://`) that ends in `.sif` is a file of the host.
 * @throws IMAGE_REFERENCE_INVALID on anything else.
 */
export function parseImage(text: string): ImageRef {
  if (text === '') throw invalid(text, 'it is empty');
  if (text.length > MAX_REFERENCE_LENGTH) throw invalid(text, 'it is too long');
  if (/\p{Cc}/u.test(text)) throw invalid(text, 'it contains a control character');
  if (text.startsWith('/')) return sifFile(text, text);
  if (text.startsWith('file://')) return sifFile(text, text.slice('file://'.length));
  const scheme = /^([^/]*?):\/\//.exec(text)?.[1];
  if (scheme === undefined) return registryImage(text, 'docker', text);
  if (!isScheme(scheme)) throw invalid(text, `the scheme ${JSON.stringify(scheme)} is not known`);
  return registryImage(text, scheme, text.slice(scheme.length + '://'.length));
}

/** Gives the name of an image in the cache: readable, unique by the full reference, safe as a file name, at most 100 bytes. */
export function imageKey(ref: ImageRef): string {
  const readable = ref.reference.replace(/^\w+:\/\//, '').replaceAll(/[^A-Za-z0-9._-]+/g, '_');
  const hash = createHash('sha256').update(ref.reference).digest('hex').slice(0, 32);
  return `${readable.replace(/^[.-]+/, '').slice(-READABLE_LENGTH)}-${hash}`.replace(/^[.-]+/, '');
}

/** False for what is named by its digest: it is the same for ever. */
export function mayMove({ name }: Extract<ImageRef, { kind: 'registry' }>): boolean {
  return !name.includes('@');
}

/** The registry an image is asked of; a first part without a dot or a port is a name on Docker Hub. */
export function registryOf({ name, scheme }: Extract<ImageRef, { kind: 'registry' }>): string {
  const [first = '', ...rest] = name.split('/');
  const named = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  return named || scheme !== 'docker' ? first : 'docker.io';
}

function isScheme(scheme: string): scheme is RegistryScheme {
  return SCHEMES.has(scheme);
}

/** `..` is refused: what a path means must not depend on links between its parts. */
function sifFile(text: string, path: string): ImageRef {
  if (!path.startsWith('/')) throw invalid(text, 'a SIF path must be absolute');
  if (!path.endsWith('.sif')) throw invalid(text, 'a path must end in .sif');
  if (path.split('/').includes('..')) throw invalid(text, 'a path may not contain ".."');
  return { kind: 'sif', path, reference: `file://${path}` };
}

function registryImage(text: string, scheme: RegistryScheme, name: string): ImageRef {
  if (name === '') throw invalid(text, 'there is no name after the scheme');
  if (name.endsWith('.sif') && scheme === 'docker') {
    throw invalid(text, 'it looks like a relative SIF path; write it absolute');
  }
  if (!/^[A-Za-z0-9][A-Za-z0-9._/:@+-]*$/.test(name)) {
    throw invalid(
      text,
      'a name has letters, digits and . _ - / : @ + and begins with a letter or digit',
    );
  }
  if (name.split('/').some((part) => part === '' || part === '.' || part === '..')) {
    throw invalid(text, 'a part of the name is empty, "." or ".."');
  }
  const full = withTag(text, name);
  return { kind: 'registry', scheme, name: full, reference: `${scheme}://${full}` };
}

/** Splits off tag and digest to check them; without either the tag is `latest`, as the runtime takes it. */
function withTag(text: string, name: string): string {
  const last = name.slice(name.lastIndexOf('/') + 1);
  const shape =
    /^[\w.+-]+(?<tag>:[\w][\w.-]{0,127})?(?<digest>@[A-Za-z0-9+.-]+:[0-9a-fA-F]{32,})?$/;
  const match = shape.exec(last);
  if (match === null) throw invalid(text, 'its tag or digest is malformed');
  return (match.groups?.['tag'] ?? match.groups?.['digest']) ? name : `${name}:latest`;
}

function invalid(text: string, why: string): AppError {
  return new AppError('IMAGE_REFERENCE_INVALID', `image ${JSON.stringify(text)}: ${why}`);
}
