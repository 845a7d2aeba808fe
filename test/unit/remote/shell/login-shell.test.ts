/** What the first answers of an account tell about its login shell. */
import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { AppError } from '../../../../src/domain/failure.ts';
import {
  explainFirstFailure,
  FIRST_WORDS,
  judgeFirstAnswer,
} from '../../../../src/remote/shell/login-shell.ts';

const CONTEXT = { host: 'box', hostname: 'box.example', port: 22, user: 'ada' };

it('takes the answer of a real /bin/sh and learns the login shell', () => {
  const output = execFileSync('/bin/sh', { input: FIRST_WORDS, env: { SHELL: '/usr/bin/fish' } });
  expect(judgeFirstAnswer(output.toString(), CONTEXT)).toEqual({
    login: 'fish',
    finding: undefined,
  });
});

it.each(['sh', '/usr/bin/dash', '-bash', 'ksh'])('takes %s', (shell) => {
  expect(judgeFirstAnswer(`${shell}\n/bin/bash`, CONTEXT).finding).toBeUndefined();
});

it.each(['zsh', '/bin/zsh', 'fish', '-tcsh', ''])('refuses %j in the place of /bin/sh', (shell) => {
  const { finding } = judgeFirstAnswer(`${shell}\n/bin/bash`, CONTEXT);
  expect(finding?.code).toBe('HOST_SHELL_UNUSABLE');
  expect(finding?.message).toContain('~/.bashrc starts it');
});

it('names the file of the login shell when text broke SFTP, once', () => {
  const bytes = Buffer.from('Welc').readUInt32BE();
  const error = new AppError('SSH_CONNECTION_LOST', `Packet length ${bytes} exceeds max length`);
  const found = explainFirstFailure(error, 'zsh', CONTEXT);
  expect(found.code).toBe('HOST_SHELL_UNUSABLE');
  expect(found.message).toContain('beginning with "Welc"');
  expect(found.message).toContain('look at ~/.zshenv, or');
  const again = explainFirstFailure(found, 'zsh', CONTEXT);
  expect(again.message.match(/Welc/g)).toHaveLength(1);
});

it('names every candidate when the shell ended without a word', () => {
  const error = new AppError('HOST_REPLY_INVALID', 'the shell ended before it answered');
  const { message } = explainFirstFailure(error, undefined, CONTEXT);
  expect(message).toContain('~/.bashrc (bash), ~/.zshenv (zsh), ~/.cshrc (csh)');
});

it('leaves any other failure as it is', () => {
  const lost = new AppError('SSH_CONNECTION_LOST', 'silent for 15000 ms');
  expect(explainFirstFailure(lost, undefined, CONTEXT)).toBe(lost);
  const late = new AppError('HOST_REPLY_INVALID', 'printed more than 4 bytes');
  expect(explainFirstFailure(late, 'bash', CONTEXT)).toBe(late);
});
