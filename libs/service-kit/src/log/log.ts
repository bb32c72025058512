import { redact, redactText } from './redact.js';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type LogFields = Readonly<Record<string, unknown>>;

export interface LogOptions {
  readonly service: string;
  readonly level: LogLevel;
  readonly now: () => number;
  /** Takes one line, without its line end. */
  readonly write: (line: string) => void;
  /** For people in place of machines. */
  readonly isHuman?: boolean;
  readonly fields?: LogFields;
}

/** Structured log: one line per entry, never a secret (see `redact`). A class, so that Nest can hand it out by its type. */
export class Log {
  constructor(private readonly options: LogOptions) {}

  debug(message: string, fields?: LogFields): void {
    this.write('debug', message, fields);
  }
  info(message: string, fields?: LogFields): void {
    this.write('info', message, fields);
  }
  warn(message: string, fields?: LogFields): void {
    this.write('warn', message, fields);
  }
  error(message: string, fields?: LogFields): void {
    this.write('error', message, fields);
  }

  /** The same log with fields that every entry carries. */
  child(fields: LogFields): Log {
    return new Log({ ...this.options, fields: { ...this.options.fields, ...fields } });
  }

  private write(level: LogLevel, message: string, fields: LogFields = {}): void {
    const { service, now, isHuman, write } = this.options;
    if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(this.options.level)) return;
    const safe = redact({ ...this.options.fields, ...fields });
    const at = new Date(now()).toISOString();
    if (isHuman) write(humanLine(at, level, service, redactText(message), safe));
    else write(JSON.stringify({ at, level, service, message: redactText(message), ...safe }));
  }
}

const humanLine = (
  at: string,
  level: LogLevel,
  service: string,
  message: string,
  fields: Readonly<Record<string, unknown>>,
): string => {
  const rest = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return [at.slice(11, 23), level.toUpperCase().padEnd(5), service, message, ...rest].join(' ');
};

/** The log of a process: to stderr, so that stdout stays data; for people when stderr is a terminal. */
export const processLog = (service: string, level: LogLevel = 'info'): Log =>
  new Log({
    service,
    level,
    now: Date.now,
    isHuman: process.stderr.isTTY === true,
    write: (line) => {
      process.stderr.write(`${line}\n`);
    },
  });
