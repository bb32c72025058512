/**
 * Something the bootstrap cannot repair by itself. The message says what was wrong; `next` says what a person can do,
 * one line each. Anything else that is thrown is a bug and keeps its stack.
 */
export class BootstrapFailure extends Error {
  /**
   * @param {string} message
   * @param {readonly string[]} next
   * @param {unknown} [cause]
   */
  constructor(message, next, cause) {
    super(message, { cause });
    this.name = 'BootstrapFailure';
    this.next = next;
  }
}
