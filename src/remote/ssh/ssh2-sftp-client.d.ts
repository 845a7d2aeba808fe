/** The part of ssh2-sftp-client 12 that we use; it ships no types of its own. */
declare module 'ssh2-sftp-client' {
  import type { ConnectConfig, SFTPWrapper } from 'ssh2';

  interface Callbacks {
    error?: (error: Error) => void;
    end?: () => void;
    close?: () => void;
  }

  // biome-ignore lint: the package exports its class as default
  export default class SftpClient {
    constructor(name?: string, callbacks?: Callbacks);
    connect(config: ConnectConfig): Promise<SFTPWrapper>;
    end(): Promise<boolean>;
    on(event: 'error', listener: (error: Error) => void): void;
    on(event: 'end' | 'close', listener: () => void): void;
  }
}
