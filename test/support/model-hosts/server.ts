/**
 * A process of its own with one SSH server, whose users are hosts: each user has an account that is a model, behind a
 * connection and channels that are real. Started by start.ts, which tells it what to do.
 */
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import ssh2, { type Connection, type ServerChannel } from 'ssh2';
import { ModelAccount } from './model-account.ts';
import { readCommands, replyTo } from './read-commands.ts';
import type { Order, Said } from './start.ts';

const [hostKeyFile = '', userKeyFile = ''] = process.argv.slice(2);
const userKey = ssh2.utils.parseKey(readFileSync(userKeyFile));
if (userKey instanceof Error) throw userKey;
const allowed = userKey.getPublicSSH();
const accounts = new Map<string, ModelAccount>();
let channelsAtOnce = 0;
const logins = { count: 0, underWay: 0, most: 0 };

function accountOf(user: string): ModelAccount {
  const account = accounts.get(user) ?? new ModelAccount(user);
  accounts.set(user, account);
  return account;
}

function serve(connection: Connection): void {
  let user = '';
  // keys are exchanged, and nobody is in yet
  let isUnderWay = false;
  const toggle = (now: boolean): void => {
    if (now !== isUnderWay) logins.underWay += now ? 1 : -1;
    isUnderWay = now;
    logins.most = Math.max(logins.most, logins.underWay);
  };
  connection.on('handshake', () => toggle(true));
  connection.on('close', () => toggle(false));
  connection.on('authentication', (asked) => {
    user = asked.username;
    if (asked.method === 'publickey' && asked.key.data.equals(allowed)) asked.accept();
    else asked.reject(['publickey']);
  });
  connection.on('ready', () => {
    toggle(false);
    logins.count += 1;
    let channels = 0;
    connection.on('session', (accept) => {
      const session = accept();
      channels += 1;
      channelsAtOnce = Math.max(channelsAtOnce, channels);
      session.on('close', () => (channels -= 1));
      session.on('exec', (take, refuse, { command }) => {
        if (command === '/bin/sh') serveShell(take(), accountOf(user));
        else refuse();
      });
      // opened and asked for nothing: no attempt has streams or files
      session.on('sftp', (take) => void take());
    });
  });
  // a daemon that is killed resets its connections
  connection.on('error', () => {});
}

function serveShell(channel: ServerChannel, account: ModelAccount): void {
  let held = '';
  channel.setEncoding('utf8');
  channel.on('data', (chunk: string) => {
    const { commands, rest } = readCommands(held + chunk);
    held = rest;
    const replies = commands.map((command) => replyTo(command, account.answer(command.text)));
    if (replies.length > 0) channel.write(replies.join(''));
  });
  channel.on('end', () => channel.end());
}

const say = (words: Said): void => void process.send?.(words);

const server = new ssh2.Server({ hostKeys: [readFileSync(hostKeyFile)] }, serve);
server.listen(0, '127.0.0.1', () => say({ port: (server.address() as AddressInfo).port }));
process.on('message', (order: Order) => {
  const all = [...accounts.values()];
  if (order === 'end') for (const account of all) account.endAll();
  const sum = (of: (account: ModelAccount) => number): number =>
    all.reduce((total, account) => total + of(account), 0);
  const attempts = { running: sum(({ running }) => running), kept: sum(({ kept }) => kept) };
  say({ ...attempts, logins: logins.count, loginsAtOnce: logins.most, channelsAtOnce });
});
process.on('disconnect', () => process.exit(0));
