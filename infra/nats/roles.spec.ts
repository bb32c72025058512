import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedNats, inboxPrefix, NATS_ROLES, type NatsRole, startNats } from '@headgate/embedded';
import { createInbox } from '@nats-io/transport-node';
import { type Client, clientOf, outcome, serveText } from './nats-clients.js';

/** Which role may write and read what: written down a second time, so that a slip in one place shows. */
const MAY_WRITE: Readonly<Record<string, readonly NatsRole[]>> = {
  'hg.log.p.flag.x': ['control', 'rollouts', 'analysis'],
  'hg.flags.p.stable.c.1': ['publisher'],
  'hg.telemetry.p': ['collector'],
  'hg.dlq.notifier': ['notifier', 'analysis'],
  'hg.dlq.usage': ['notifier', 'analysis', 'projector'],
};
const MAY_READ: Readonly<Record<string, readonly NatsRole[]>> = {
  LOG: ['admin', 'control', 'rollouts', 'analysis', 'publisher', 'projector', 'notifier'],
  FLAGS: ['admin', 'control', 'rollouts', 'analysis', 'publisher', 'gateway'],
  TELEMETRY: ['admin', 'analysis', 'projector'],
  DLQ: ['admin'],
};
const STREAM_SUBJECTS = {
  LOG: 'hg.log.>',
  FLAGS: 'hg.flags.>',
  TELEMETRY: 'hg.telemetry.>',
  DLQ: 'hg.dlq.>',
};
const DENIED = /Permissions Violation/i;

let dataDir: string;
let server: EmbeddedNats;
const clients = new Map<NatsRole, Client>();
const as = (role: NatsRole): Client => clients.get(role) as Client;

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'hg-roles-'));
  server = await startNats({ dataDir, leaf: { root: 'up' } });
  await server.enrolVendor('acme');
  for (const role of NATS_ROLES) clients.set(role, await clientOf(server.credentials(role)));
  await declare(as('admin'));
});

afterAll(async () => {
  for (const { nc } of clients.values()) await nc.close();
  await server?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

async function declare({ jsm }: Client): Promise<void> {
  for (const [name, subject] of Object.entries(STREAM_SUBJECTS)) {
    await jsm.streams.add({ name, subjects: [subject], allow_direct: true });
  }
}

const stored = async (stream: string) => (await as('admin').jsm.streams.info(stream)).state.messages;

describe.each(Object.entries(MAY_WRITE))('%s', (subject, writers) => {
  const stream =
    Object.entries(STREAM_SUBJECTS).find(([, all]) => subject.startsWith(all.slice(0, -1)))?.[0] ?? '';

  test.each(NATS_ROLES.map((role) => [role, writers.includes(role)] as const))(
    '%s may write it: %s',
    async (role, isAllowed) => {
      const before = await stored(stream);
      const result = await outcome(() => as(role).js.publish(subject, 'x'));
      if (isAllowed) expect(result).toBe('done');
      else expect(result).toMatch(DENIED);
      expect(await stored(stream)).toBe(before + (isAllowed ? 1 : 0));
    },
  );
});

describe.each(Object.entries(MAY_READ))('stream %s', (stream, readers) => {
  beforeAll(async () => {
    const subject = Object.keys(MAY_WRITE).find((name) =>
      name.startsWith(STREAM_SUBJECTS[stream as 'LOG'].slice(0, -1)),
    );
    const writer = MAY_WRITE[subject ?? '']?.[0] as NatsRole;
    await as(writer).js.publish(subject ?? '', `only in ${stream}`);
  });

  test.each(NATS_ROLES.map((role) => [role, readers.includes(role)] as const))(
    '%s may read it by every way there is: %s',
    async (role, isAllowed) => {
      const { nc, js, jsm } = as(role);
      const follow = async () => {
        const consumer = await js.consumers.get(stream);
        const message = await consumer.next({ expires: 1_000 });
        expect(message).not.toBeNull();
        await consumer.delete();
      };
      const push = async () => {
        const inbox = createInbox(inboxPrefix(role));
        const messages = nc.subscribe(inbox, { max: 1 });
        await jsm.consumers.add(stream, {
          name: `push_${role}`,
          deliver_subject: inbox,
          ack_policy: 'none',
          flow_control: true,
          idle_heartbeat: 1_000_000_000,
        });
        for await (const message of messages) expect(message.string()).not.toBe('');
        await jsm.consumers.delete(stream, `push_${role}`);
      };
      const ways = [
        () => jsm.streams.getMessage(stream, { last_by_subj: STREAM_SUBJECTS[stream as 'LOG'] }),
        () => jsm.direct.getMessage(stream, { last_by_subj: STREAM_SUBJECTS[stream as 'LOG'] }),
        push,
        follow,
      ];
      for (const way of ways) {
        const result = await outcome(way);
        if (isAllowed) expect(result).toBe('done');
        else expect(result).toMatch(DENIED);
      }
    },
  );
});

const OTHERS = NATS_ROLES.filter((role) => role !== 'admin');

test.each(OTHERS)('%s cannot make, change, purge or delete a stream, nor delete a message', async (role) => {
  const { jsm } = as(role);
  const before = await stored('LOG');
  const attacks = [
    () => jsm.streams.add({ name: 'MINE', subjects: ['mine.>'] }),
    () => jsm.streams.add({ name: 'COPY', sources: [{ name: 'LOG' }] }),
    () => jsm.streams.update('LOG', { max_msgs: 1 }),
    () => jsm.streams.purge('LOG'),
    () => jsm.streams.delete('LOG'),
    () => jsm.streams.deleteMessage('LOG', 1),
  ];
  for (const attack of attacks) expect(await outcome(attack)).toMatch(DENIED);
  expect(await stored('LOG')).toBe(before);
});

test.each(OTHERS)("%s hears neither others' inboxes nor what is published", async (role) => {
  const { nc } = as(role);
  const hears = new Set(['control', 'rollouts'].includes(role) ? ['hg.looks.>'] : []);
  for (const subject of [
    '>',
    'hg.log.>',
    'hg.flags.>',
    'hg.looks.>',
    '_INBOX.>',
    '_INBOX.admin.>',
    '$JS.>',
    '$SYS.>',
  ]) {
    const result = await outcome(
      () =>
        new Promise<void>((resolve, reject) => {
          const subscription = nc.subscribe(subject, {
            callback: (error) => {
              if (error) reject(error);
            },
          });
          void nc.flush().then(() => {
            subscription.unsubscribe();
            resolve();
          });
        }),
    );
    if (hears.has(subject)) expect(result).toBe('done');
    else expect(result).toMatch(DENIED);
  }
});

test('a reader cannot have the server write to the log for it', async () => {
  const before = await stored('LOG');
  for (const [role, stream] of [
    ['gateway', 'FLAGS'],
    ['publisher', 'FLAGS'],
    ['projector', 'LOG'],
    ['projector', 'TELEMETRY'],
  ] as const) {
    await outcome(() =>
      as(role).jsm.consumers.add(stream, {
        durable_name: `smuggle_${role}`,
        deliver_subject: 'hg.log.p.flag.smuggled',
        ack_policy: 'none',
      }),
    );
  }
  // a message that would be delivered, and an answered request behind it on the same server
  await as('publisher').js.publish('hg.flags.p.stable.c.2', 'x');
  await as('control').js.publish('hg.log.p.flag.honest', 'x');
  expect(await stored('LOG')).toBe(before + 1);
  await expect(
    as('admin').jsm.streams.getMessage('LOG', { last_by_subj: 'hg.log.p.flag.smuggled' }),
  ).resolves.toBeNull();
});

test('a reader cannot touch the consumer that feeds a vendor', async () => {
  await as('admin').jsm.consumers.add('FLAGS', { durable_name: 'fed_up_acme', ack_policy: 'explicit' });
  for (const role of ['gateway', 'publisher', 'control'] as const) {
    const { jsm } = as(role);
    expect(await outcome(() => jsm.consumers.delete('FLAGS', 'fed_up_acme'))).toMatch(DENIED);
    expect(
      await outcome(() =>
        jsm.consumers.add('FLAGS', {
          durable_name: 'fed_up_acme',
          ack_policy: 'explicit',
          filter_subject: 'hg.flags.nothing',
        }),
      ),
    ).toMatch(DENIED);
  }
  expect(
    (await as('admin').jsm.consumers.info('FLAGS', 'fed_up_acme')).config.filter_subject,
  ).toBeUndefined();
});

test('analysis and notifier acknowledge what they work through', async () => {
  for (const [role, stream] of [
    ['analysis', 'TELEMETRY'],
    ['notifier', 'LOG'],
  ] as const) {
    await as(role).jsm.consumers.add(stream, { durable_name: `work_${role}`, ack_policy: 'explicit' });
    const consumer = await as(role).js.consumers.get(stream, `work_${role}`);
    const message = await consumer.next({ expires: 2_000 });
    expect(await message?.ackAck()).toBe(true);
  }
});

test("a wrong password, no password and a vendor's password do not open the client port", async () => {
  const good = server.credentials('control');
  const { password } = await server.enrolVendor('acme');
  for (const bad of [
    { ...good, pass: 'wrong' },
    { ...good, user: '', pass: '' },
    { ...good, user: 'vendor-acme', pass: password },
  ]) {
    expect(await outcome(() => clientOf(bad))).toMatch(/authorization violation/i);
  }
});

test('the system user reads the effective configuration, and no stream', async () => {
  const { nc, jsm } = await clientOf(server.credentials('system'));
  const varz = (await nc.request('$SYS.REQ.SERVER.PING.VARZ', '', { timeout: 2_000 })).json<{
    data: { jetstream: { config: { sync_interval: number; sync_always: boolean } } };
  }>();
  expect(varz.data.jetstream.config.sync_always).toBe(true);
  expect(await outcome(() => jsm.streams.info('LOG'))).not.toBe('done');
  await nc.close();
});

describe('control: with the permissions taken out of the same configuration', () => {
  test('gateway writes the log, purges it and deletes it', async () => {
    const port = Number(new URL(server.url).port) + 1;
    const text = readFileSync(join(dataDir, 'nats-server.conf'), 'utf8')
      .replace(/^ {6,}permissions: \{\n[\s\S]*?^ {8}\}\n/gm, '')
      .replace(/^listen: .*$/m, `listen: "127.0.0.1:${port}"`)
      .replace(/^leafnodes: \{\n[\s\S]*?^\}\n/m, '')
      .replace(/^log_file: .*$/m, '')
      .replace(/store_dir: .*/, `store_dir: "${join(dataDir, 'control-store')}"`);
    expect(text).not.toContain('permissions');
    const open = await serveText(server.program, text, port);
    const credentials = { ...server.credentials('gateway'), servers: `nats://127.0.0.1:${port}` };
    const { nc, js, jsm } = await clientOf(credentials);
    try {
      await declare({ nc, js, jsm });
      expect(await outcome(() => js.publish('hg.log.p.flag.x', 'forged'))).toBe('done');
      expect(await outcome(() => jsm.streams.purge('LOG'))).toBe('done');
      expect(await outcome(() => jsm.streams.delete('LOG'))).toBe('done');
    } finally {
      await nc.close();
      await open.stop();
    }
  });
});
