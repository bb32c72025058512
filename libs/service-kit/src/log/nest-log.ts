import type { LoggerService } from '@nestjs/common';
import type { Log } from './log.js';

/** Nest's own messages through our log. Nest passes its context as the last parameter, and a stack before it for errors. */
export const nestLog = (log: Log): LoggerService => {
  const fields = (rest: readonly unknown[]): Record<string, unknown> => {
    const context = rest.at(-1);
    const stack = rest.length > 1 ? rest[0] : undefined;
    return {
      ...(typeof context === 'string' ? { context } : {}),
      ...(typeof stack === 'string' ? { stack } : {}),
    };
  };
  const text = (message: unknown): string => (message instanceof Error ? message.message : String(message));
  return {
    // Routes mapped and modules initialised are of interest to us only when we look for a fault.
    log: (message: unknown, ...rest: unknown[]) => log.debug(text(message), fields(rest)),
    debug: (message: unknown, ...rest: unknown[]) => log.debug(text(message), fields(rest)),
    verbose: (message: unknown, ...rest: unknown[]) => log.debug(text(message), fields(rest)),
    warn: (message: unknown, ...rest: unknown[]) => log.warn(text(message), fields(rest)),
    error: (message: unknown, ...rest: unknown[]) =>
      log.error(text(message), { ...fields(rest), ...(message instanceof Error ? { error: message } : {}) }),
    fatal: (message: unknown, ...rest: unknown[]) => log.error(text(message), fields(rest)),
  };
};
