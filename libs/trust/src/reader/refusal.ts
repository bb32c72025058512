/** Why a reader would not take what it was offered; the state it had stands. */
export type RefusalCode =
  | 'malformed'
  | 'too-large'
  | 'no-trust'
  | 'untrusted'
  | 'bad-signature'
  | 'wrong-channel'
  | 'wrong-epoch'
  | 'rolled-back'
  | 'gap'
  | 'digest-mismatch'
  | 'equivocation';

/** Thrown inside the verifier only; readers answer with a value. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  constructor(
    readonly code: RefusalCode,
    message: string,
  ) {
    super(message);
  }
}
