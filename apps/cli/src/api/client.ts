import { setTimeout as wait } from 'node:timers/promises';
import { problem } from '@headgate/contracts';
import type { z } from 'zod';
import { CommandFailed, EXIT, exitOf } from '../exit.js';
import type { Settings } from '../settings/settings.js';
import type { Terminal } from '../terminal.js';

export interface ApiRequest<S extends z.ZodType> {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Segments of the path; each is encoded here. */
  readonly path: readonly string[];
  readonly body?: unknown;
  readonly answer: S;
  /** Id of the command; made up when absent. The same id goes with every repeat, so that repeating is safe. */
  readonly commandId?: string;
  /** For work on the whole log; a minute when absent. */
  readonly timeoutMs?: number;
}

const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 250;
const REQUEST_TIMEOUT_MS = 60_000;
/** Worth another try with the same command id: nothing was decided, or nobody knows whether it was. */
const TRANSIENT = ['log-unavailable', 'outcome-unknown', 'read-model-behind', 'too-many-requests'];

export interface Client {
  call<S extends z.ZodType>(request: ApiRequest<S>): Promise<z.infer<S>>;
  /** An open stream of server-sent events, as text. */
  open(path: readonly string[], signal: AbortSignal): Promise<AsyncIterable<string>>;
}

export const openClient = (settings: Settings, terminal: Terminal): Client => {
  const server = settings.server();
  let token: string | undefined;
  const headers = async (): Promise<Record<string, string>> => {
    token ??= await settings.token();
    return { authorization: `Bearer ${token}`, 'user-agent': 'headgate-cli' };
  };
  const urlOf = (path: readonly string[]): string =>
    `${server}/${path.map((segment) => encodeURIComponent(segment)).join('/')}`;

  const send = async (request: ApiRequest<z.ZodType>, commandId: string): Promise<Response> =>
    fetch(urlOf(request.path), {
      method: request.method,
      headers: {
        ...(await headers()),
        accept: 'application/json',
        ...(request.method === 'GET' ? {} : { 'idempotency-key': commandId }),
        ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      redirect: 'manual',
      signal: AbortSignal.any([
        terminal.interrupted,
        AbortSignal.timeout(request.timeoutMs ?? REQUEST_TIMEOUT_MS),
      ]),
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    });

  return {
    call: async (request) => {
      const commandId = request.commandId ?? terminal.newId();
      for (let attempt = 1; ; attempt++) {
        try {
          const answer = await send(request, commandId);
          if (!answer.ok) throw await failureOf(answer, server);
          return parsed(request.answer, await answer.text(), server);
        } catch (cause) {
          const failure = asFailure(cause, server, terminal);
          if (!(failure instanceof Transient) || attempt >= ATTEMPTS) throw failure;
          await pause(FIRST_PAUSE_MS * 2 ** (attempt - 1), terminal);
        }
      }
    },
    open: async (path, signal) => {
      try {
        const answer = await fetch(urlOf(path), {
          headers: { ...(await headers()), accept: 'text/event-stream' },
          redirect: 'manual',
          signal: AbortSignal.any([terminal.interrupted, signal]),
        });
        if (!answer.ok) throw await failureOf(answer, server);
        if (!answer.body) throw new Error('the server sent no stream');
        return textOf(answer.body);
      } catch (cause) {
        throw asFailure(cause, server, terminal);
      }
    },
  };
};

/** A failure that another try may mend. */
export class Transient extends CommandFailed {}

export const asFailure = (cause: unknown, server: string, terminal: Terminal): CommandFailed => {
  if (cause instanceof CommandFailed) return cause;
  if (terminal.interrupted.aborted)
    return new CommandFailed(EXIT.interrupted, 'interrupted', 'Nothing to do.');
  const { name, message, cause: inner } = cause as Error & { cause?: { code?: string; message?: string } };
  const why = name === 'TimeoutError' ? 'no answer in time' : (inner?.code ?? inner?.message ?? message);
  return new Transient(
    EXIT.unreachable,
    `cannot reach Headgate at ${server} (${why})`,
    'Start it with `npm start`, or name another with --server or HEADGATE_SERVER.',
  );
};

const pause = async (ms: number, terminal: Terminal): Promise<void> => {
  await wait(ms, undefined, { signal: terminal.interrupted }).catch(() => undefined);
};

const failureOf = async (answer: Response, server: string): Promise<CommandFailed> => {
  const text = await answer.text();
  const body = problem.safeParse(jsonOrNull(text));
  if (!body.success) {
    const message = `${server} answered ${answer.status} and no Headgate problem`;
    return new CommandFailed(exitOf('', answer.status), message, 'Is there a Headgate at this address?');
  }
  const { code, message, next, details = [], correlationId } = body.data.error;
  const Kind = TRANSIENT.includes(code) ? Transient : CommandFailed;
  const trace = answer.status >= 500 && correlationId ? ` (correlation id ${correlationId})` : '';
  return new Kind(exitOf(code, answer.status), `${message}${trace}`, next, details);
};

const parsed = <S extends z.ZodType>(schema: S, text: string, server: string): z.infer<S> => {
  const result = schema.safeParse(jsonOrNull(text));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new CommandFailed(
    EXIT.unexpected,
    `the answer of ${server} makes no sense (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''})`,
    'Check that the server and this command line are of compatible versions.',
  );
};

const jsonOrNull = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
};

async function* textOf(body: ReadableStream<Uint8Array>): AsyncIterable<string> {
  const decoder = new TextDecoder();
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    yield decoder.decode(chunk, { stream: true });
  }
}
