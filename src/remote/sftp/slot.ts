/** A place for one SFTP session that is opened when needed and replaced when it died or wore out. */
import type { SftpSession } from './session.ts';

export class SessionSlot {
  readonly #open: () => Promise<SftpSession>;
  #session: Promise<SftpSession> | undefined;
  #current: SftpSession | undefined;

  constructor(open: () => Promise<SftpSession>) {
    this.#open = open;
  }

  /** @throws SSH_* */
  async session(): Promise<SftpSession> {
    if (this.#current?.usable === true) return this.#current;
    this.#session ??= this.#renew();
    return await this.#session;
  }

  async #renew(): Promise<SftpSession> {
    try {
      // Work that is under way on a worn-out session finishes there; the channel closes with the link.
      this.#current = await this.#open();
      return this.#current;
    } finally {
      this.#session = undefined;
    }
  }
}
