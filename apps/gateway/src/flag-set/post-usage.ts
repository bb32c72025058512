import type { UsageOptions } from './usage-documents.js';

const TIMEOUT_MS = 10_000;

export interface CollectorAddress {
  /** Of the collector: `https://telemetry.example.org`. */
  readonly url: string;
  readonly token: string;
}

/** Tells a collector elsewhere. Rejects with what it answered when that is not 202; the same may then be told again. */
export const postUsage = ({ url, token }: CollectorAddress): UsageOptions['tell'] => {
  const address = `${url.replace(/\/+$/, '')}/telemetry/v1/usage`;
  const send = async (usage: Parameters<UsageOptions['tell']>[0]): Promise<void> => {
    const answer = await fetch(address, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ usage }),
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await answer.text();
    if (answer.status !== 202) throw new Error(`${address} answered ${answer.status}: ${text.slice(0, 200)}`);
  };
  return async (usage) => {
    for (let from = 0; from < usage.length; from += PART) await send(usage.slice(from, from + PART));
  };
};

/** Documents of one request: of the longest ones as many as a collector takes at once. */
const PART = 8;
