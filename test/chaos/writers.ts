import { randomUUID } from 'node:crypto';

/** One acknowledged write: what the client was told. */
export interface AcknowledgedWrite {
  readonly commandId: string;
  readonly position: number;
  readonly hash: string;
  readonly attempts: number;
}

export interface WriterOptions {
  readonly url: string;
  readonly token: string;
  readonly random: () => number;
  /** Waits until the next write is due; resolves false when there is none. */
  readonly next: () => Promise<boolean>;
  readonly deadline: () => boolean;
}

const TRY_AGAIN_MS = 60;
const ANSWER_TIMEOUT_MS = 6_000;

/** Creates, kills and revives flags as a person's scripts would: each request is repeated with its own id until it is answered. */
export const write = async (name: string, options: WriterOptions): Promise<readonly AcknowledgedWrite[]> => {
  const flags = '/v1/projects/web/channels/stable/flags';
  const definition = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' };
  const living: string[] = [];
  const killed: string[] = [];
  const done: AcknowledgedWrite[] = [];
  for (let count = 0; await options.next(); count += 1) {
    const choice = options.random();
    if (choice < 0.4 || living.length === 0) {
      const key = `${name}-${count}`;
      done.push(await insist(flags, { key, definition, why: 'chaos' }, options));
      living.push(key);
    } else if (choice < 0.7 || killed.length === 0) {
      const key = living.splice(Math.floor(options.random() * living.length), 1)[0] as string;
      done.push(await insist(`${flags}/${key}/kill`, { why: 'chaos' }, options));
      killed.push(key);
    } else {
      const key = killed.splice(Math.floor(options.random() * killed.length), 1)[0] as string;
      done.push(await insist(`${flags}/${key}/lift-kill`, { why: 'chaos' }, options));
      living.push(key);
    }
  }
  return done;
};

/** No answer, or one that says "try again", is no acknowledgement; any other refusal is a fault of the installation. */
export const insist = async (
  path: string,
  body: unknown,
  { url, token, deadline }: Pick<WriterOptions, 'url' | 'token' | 'deadline'>,
): Promise<AcknowledgedWrite> => {
  const commandId = randomUUID();
  for (let attempts = 1; ; attempts += 1) {
    const answer = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'idempotency-key': commandId,
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    }).catch(() => null);
    const text = answer ? await answer.text().catch(() => null) : null;
    if (answer?.ok && text !== null) {
      const { position, hash } = JSON.parse(text) as { position: number; hash: string };
      return { commandId, position, hash, attempts };
    }
    if (answer && text !== null && answer.status < 500)
      throw new Error(`POST ${path}: ${answer.status} ${text}`);
    if (deadline())
      throw new Error(`POST ${path} was not acknowledged: ${answer?.status ?? 'no answer'} ${text ?? ''}`);
    await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS));
  }
};
