/** Foreign errors become the codes of the registry by the tables, with the cause kept. */
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/domain/failure.ts';
import { classifyFile, classifySftp, classifySsh } from '../../../src/remote/classify.ts';

const doing = { what: 'login to host vm', context: { host: 'vm', port: 22 } };
const coded = (code: string | number, message = 'as told'): Error =>
  Object.assign(new Error(message), { code });

describe('classifySsh', () => {
  it.each([
    [coded('ENOTFOUND'), 'SSH_HOST_NAME_UNKNOWN'],
    [coded('EAI_AGAIN'), 'SSH_HOST_NAME_UNKNOWN'],
    [coded('ECONNREFUSED'), 'SSH_CONNECTION_REFUSED'],
    [coded('ETIMEDOUT'), 'SSH_HOST_UNREACHABLE'],
    [coded('EHOSTUNREACH'), 'SSH_HOST_UNREACHABLE'],
    [coded('ENETUNREACH'), 'SSH_HOST_UNREACHABLE'],
    [coded('ECONNRESET'), 'SSH_CONNECTION_LOST'],
    [coded('EPIPE'), 'SSH_CONNECTION_LOST'],
    [new Error('All configured authentication methods failed'), 'SSH_AUTH_FAILED'],
    [coded(2, 'Too many authentication failures'), 'SSH_AUTH_FAILED'],
    [new Error('Timed out while waiting for handshake'), 'SSH_HOST_UNREACHABLE'],
    [new Error('(SSH) Channel open failure: open failed'), 'SSH_CHANNEL_REFUSED'],
    [new Error('Connection lost before handshake'), 'SSH_CONNECTION_LOST'],
    [new Error('Handshake failed: no matching key exchange algorithm'), 'SSH_PROTOCOL'],
    ['a bare string', 'SSH_PROTOCOL'],
    [Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }), 'SSH_CONNECTION_REFUSED'],
  ])('%s is %s', (error, code) => {
    const result = classifySsh(error, doing);
    expect(result.code).toBe(code);
    expect(result.cause).toBe(error);
    expect(result.message).toMatch(/^login to host vm: ./);
    expect(result.context).toMatchObject({ host: 'vm' });
  });

  it('leaves our own errors as they are', () => {
    const own = new AppError('SSH_HOST_KEY_CHANGED', 'x');
    expect(classifySsh(own, doing)).toBe(own);
  });
});

describe('classifySftp and classifyFile', () => {
  it.each([
    [2, 'SFTP_NOT_FOUND'],
    [3, 'SFTP_DENIED'],
    [4, 'SFTP_FAILED'],
    [7, 'SSH_CONNECTION_LOST'],
    [99, 'SFTP_FAILED'],
  ])('status %i is %s', (status, code) => {
    expect(classifySftp(coded(status), doing).code).toBe(code);
  });

  it('takes an unanswered request for a lost connection', () => {
    expect(classifySftp(new Error('No response from server'), doing).code).toBe(
      'SSH_CONNECTION_LOST',
    );
  });

  it.each([
    ['ENOENT', 'SFTP_NOT_FOUND'],
    ['EACCES', 'SFTP_DENIED'],
    ['ENOSPC', 'HOST_NO_SPACE'],
    ['EDQUOT', 'HOST_NO_SPACE'],
    ['EIO', 'SFTP_FAILED'],
  ])('%s is %s', (errno, code) => {
    expect(classifyFile(coded(errno), doing).code).toBe(code);
  });
});
