import { ConfigError } from '../config/config-error.js';
import { redactText } from '../log/redact.js';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * The body of a thin `main.ts`: starts, waits for SIGINT or SIGTERM, closes, and lets the process end with 0. A second signal ends
 * it at once (130). A configuration that cannot be used ends with 4, any other failure to start or close with 1, said in one message.
 */
export const serveUntilSignal = async (start: () => Promise<{ close(): Promise<void> }>): Promise<void> => {
  let onFirst: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => {
    onFirst = resolve;
  });
  let isAsked = false;
  const onSignal = (): void => {
    if (isAsked) process.exit(130);
    isAsked = true;
    onFirst();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    const service = await start();
    await asked;
    await service.close();
    process.exitCode = 0;
  } catch (cause) {
    process.stderr.write(`${explain(cause)}\n`);
    process.exit(cause instanceof ConfigError ? 4 : 1);
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
};

/** Errors that say what to do need no stack; a bug's own kinds do. */
const explain = (cause: unknown): string => {
  if (!(cause instanceof Error)) return redactText(String(cause));
  const isBug = cause instanceof TypeError || cause instanceof ReferenceError || cause instanceof RangeError;
  return redactText(isBug ? (cause.stack ?? cause.message) : cause.message);
};
