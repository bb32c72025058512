import { randomBytes } from 'node:crypto';
import { SYSTEM_PROJECT, type TokenRole } from '@headgate/contracts';
import { type EventStore, openMemoryEventStore } from '@headgate/event-store';
import { Log, type RunningService, runService, secretHash, uuidV7Source } from '@headgate/service-kit';
import type { MemoryStreams } from '@headgate/streams';
import { ControlModule } from './control.module.js';
import type { ControlParts } from './control-parts.js';

export interface OpenedControl {
  readonly service: RunningService;
  readonly store: EventStore;
  readonly streams: MemoryStreams;
  readonly lines: string[];
  /** What the clock says; specs move it. */
  readonly clock: { ms: number };
  token(role: TokenRole, project?: string, expiresAt?: number): Promise<{ id: string; secret: string }>;
  call(
    method: string,
    path: string,
    options?: { token?: string; body?: unknown; headers?: Record<string, string> },
  ): Promise<Answer>;
  close(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: specs look into any answer
  readonly body: any;
  readonly headers: Headers;
}

/** A control on a free port over the log in memory. */
export const openControl = async (parts: Partial<ControlParts> = {}): Promise<OpenedControl> => {
  const clock = { ms: 1_780_000_000_000 };
  const now = (): number => clock.ms;
  const newId = uuidV7Source(now);
  const { store, streams } = await openMemoryEventStore({
    clock: now,
    newId,
    newSalt: () => randomBytes(16).toString('hex'),
    patienceMs: 300,
  });
  const lines: string[] = [];
  const log = new Log({ service: 'control', level: 'info', now, write: (line) => lines.push(line) });
  const service = await runService({
    name: 'control',
    modules: [ControlModule.register({ store, streams, now, newId, random: randomBytes, ...parts })],
    log,
    drainMs: 200,
  });
  return {
    service,
    store,
    streams,
    lines,
    clock,
    token: async (role, project, expiresAt) => {
      const secret = `hg_${randomBytes(32).toString('base64url')}`;
      const { id } = await store.handle(
        {
          type: 'create-token',
          project: SYSTEM_PROJECT,
          tokenId: newId(),
          name: role,
          role,
          secretHash: secretHash(secret),
          ...(project === undefined ? {} : { scope: project }),
          ...(expiresAt === undefined ? {} : { expiresAt }),
          why: 'spec',
        },
        { commandId: newId(), actor: 'spec' },
      );
      return { id, secret };
    },
    call: async (method, path, { token, body, headers = {} } = {}) => {
      const answer = await fetch(`${service.url}${path}`, {
        method,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await answer.text();
      return { status: answer.status, body: text === '' ? null : JSON.parse(text), headers: answer.headers };
    },
    close: async () => {
      await service.close();
      await store.close();
      await streams.close();
    },
  };
};

export const DEFINITION = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' };

/** A project "web" with channel "stable" and flag "new-parser". */
export const prepare = async (control: OpenedControl): Promise<{ admin: string; flag: string }> => {
  const { secret: admin } = await control.token('admin');
  const made = [
    await control.call('POST', '/v1/projects', { token: admin, body: { slug: 'web', why: 'start' } }),
    await control.call('POST', '/v1/projects/web/channels', {
      token: admin,
      body: { slug: 'stable', why: 'start' },
    }),
    await control.call('POST', '/v1/projects/web/channels/stable/flags', {
      token: admin,
      body: { key: 'new-parser', definition: DEFINITION, why: 'faster' },
    }),
  ];
  for (const { status, body } of made) if (status !== 201) throw new Error(JSON.stringify(body));
  return { admin, flag: '/v1/projects/web/channels/stable/flags/new-parser' };
};
