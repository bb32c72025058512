import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type EmbeddedNats,
  mirrorConsumerConfig,
  mirrorStreamConfig,
  type NatsRole,
  startNats,
} from '@headgate/embedded';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { type Client, clientOf, eventually, outcome, serveText } from './nats-clients.js';

const SUBJECTS = { LOG: 'hg.log.>', FLAGS: 'hg.flags.>', TELEMETRY: 'hg.telemetry.>' } as const;
type Home = keyof typeof SUBJECTS;

let folder: string;
const installations = new Map<string, EmbeddedNats>();
const connections: NatsConnection[] = [];

const server = (name: string) => installations.get(name) as EmbeddedNats;

async function client(name: string, role: NatsRole): Promise<Client> {
  const made = await clientOf(server(name).credentials(role));
  connections.push(made.nc);
  return made;
}

async function install(name: string): Promise<void> {
  installations.set(name, await startNats({ dataDir: join(folder, name), leaf: { root: name } }));
  const { jsm } = await client(name, 'admin');
  for (const [stream, subject] of Object.entries(SUBJECTS)) {
    await jsm.streams.add({
      name: stream,
      subjects: [subject],
      allow_direct: true,
      ...(stream === 'FLAGS' && { max_msgs_per_subject: 1 }),
    });
  }
}

/** What `headgate vendor add` and `headgate join` do. */
async function joinAs(vendor: string, root: string): Promise<void> {
  const link = { root, vendor };
  const { stream, config } = mirrorConsumerConfig(link);
  const bundle = await server(root).enrolVendor(vendor);
  await (await client(root, 'admin')).jsm.consumers.add(stream, config);
  await server(vendor).joinUpstream(bundle);
  await (await client(vendor, 'admin')).jsm.streams.add(mirrorStreamConfig(link));
}

const publishers = new Map<string, Client>();
const WRITERS: Readonly<Record<Home, NatsRole>> = {
  LOG: 'control',
  FLAGS: 'publisher',
  TELEMETRY: 'collector',
};

async function publish(name: string, stream: Home, subject: string, text = 'x'): Promise<void> {
  const key = `${name} ${stream}`;
  const writer = publishers.get(key) ?? (await client(name, WRITERS[stream]));
  publishers.set(key, writer);
  const ack = await writer.js.publish(subject, text);
  expect(ack.stream).toBe(stream);
}

async function stored(name: string, stream: string): Promise<number> {
  const { jsm } = await client(name, 'admin');
  return (await jsm.streams.info(stream)).state.last_seq;
}

async function holds(name: string, stream: string, subject: string, text: string): Promise<void> {
  const { jsm } = await client(name, 'admin');
  await eventually(`${name} holds ${subject} = ${text} in ${stream}`, async () => {
    const message = await jsm.streams.getMessage(stream, { last_by_subj: subject }).catch(() => null);
    return message?.string() === text;
  });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hg-mirror-'));
  for (const name of ['up', 'acme', 'beta']) await install(name);
  await publish('up', 'FLAGS', 'hg.flags.p.stable.c.1', 'before anybody joined');
  await joinAs('acme', 'up');
});

afterAll(async () => {
  for (const nc of connections) await nc.close();
  for (const nats of installations.values()) await nats.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("what the upstream published before and after a vendor joined is in the vendor's mirror", async () => {
  await holds('acme', 'UP_up', 'hg.flags.p.stable.c.1', 'before anybody joined');
  await publish('up', 'FLAGS', 'hg.flags.p.stable.c.2', 'after');
  await holds('acme', 'UP_up', 'hg.flags.p.stable.c.2', 'after');
});

test('a gateway of the vendor reads the mirror', async () => {
  await publish('up', 'FLAGS', 'hg.flags.p.stable.beat', 'beat');
  await holds('acme', 'UP_up', 'hg.flags.p.stable.beat', 'beat');
  const { js, jsm } = await client('acme', 'gateway');
  const consumer = await js.consumers.get('UP_up', { filter_subjects: 'hg.flags.p.stable.beat' });
  expect((await consumer.next({ expires: 5_000 }))?.string()).toBe('beat');
  expect((await jsm.direct.getMessage('UP_up', { last_by_subj: 'hg.flags.p.stable.beat' }))?.string()).toBe(
    'beat',
  );
});

test('appends to log, telemetry and flags on each side grow nothing on the other but the mirror', async () => {
  await holds('acme', 'UP_up', 'hg.flags.p.stable.c.1', 'before anybody joined');
  const streams = Object.keys(SUBJECTS) as Home[];
  const count = async () =>
    Object.fromEntries(
      await Promise.all(
        ['up', 'acme'].flatMap((name) =>
          streams.map(async (stream) => [`${name} ${stream}`, await stored(name, stream)]),
        ),
      ),
    ) as Record<string, number>;
  const before = await count();
  const mirrored = await stored('acme', 'UP_up');
  for (const [name, times] of [
    ['up', 3],
    ['acme', 2],
  ] as const) {
    for (let i = 0; i < times; i++) {
      await publish(name, 'LOG', `hg.log.p.flag.${name}-${i}`);
      await publish(name, 'TELEMETRY', 'hg.telemetry.p');
      await publish(name, 'FLAGS', `hg.flags.p.apart.c.${i}`, `${name} ${i}`);
    }
  }
  // all that went over the link before this has arrived when this has: it is one connection, in order
  await publish('up', 'FLAGS', 'hg.flags.p.apart.beat', 'last');
  await holds('acme', 'UP_up', 'hg.flags.p.apart.beat', 'last');
  await holds('acme', 'UP_up', 'hg.flags.p.apart.c.1', 'up 1');
  const after = await count();
  expect(
    Object.fromEntries(Object.keys(after).map((key) => [key, (after[key] ?? 0) - (before[key] ?? 0)])),
  ).toEqual({
    'up LOG': 3,
    'up TELEMETRY': 3,
    'up FLAGS': 4,
    'acme LOG': 2,
    'acme TELEMETRY': 2,
    'acme FLAGS': 2,
  });
  expect((await stored('acme', 'UP_up')) - mirrored).toBe(4);
});

test('a vendor is added while the upstream runs: same process, no connection lost', async () => {
  const { pid } = server('up');
  const { nc, js } = await client('up', 'control');
  const gateway = await client('up', 'gateway');
  const seen: string[] = [];
  void (async () => {
    for await (const { type } of nc.status()) seen.push(type);
  })();
  await joinAs('beta', 'up');
  await publish('up', 'FLAGS', 'hg.flags.p.stable.c.3', 'for both');
  await holds('beta', 'UP_up', 'hg.flags.p.stable.c.1', 'before anybody joined');
  await holds('beta', 'UP_up', 'hg.flags.p.stable.c.3', 'for both');
  await holds('acme', 'UP_up', 'hg.flags.p.stable.c.3', 'for both');
  expect((await js.publish('hg.log.p.flag.still-here', 'x')).stream).toBe('LOG');
  expect(server('up').pid).toBe(pid);
  // rights that changed hold for connections from before as well
  expect(await outcome(() => gateway.jsm.consumers.delete('FLAGS', 'fed_up_beta'))).toMatch(
    /Permissions Violation/,
  );
  expect(seen.filter((type) => type !== 'ping')).toEqual([]);
});

test('the upstream is killed and comes back: the vendor reads on meanwhile and catches up', async () => {
  await publish('up', 'FLAGS', 'hg.flags.p.stable.c.4', 'before the crash');
  await holds('acme', 'UP_up', 'hg.flags.p.stable.c.4', 'before the crash');
  process.kill(server('up').pid, 'SIGKILL');
  await holds('acme', 'UP_up', 'hg.flags.p.stable.c.4', 'before the crash');
  await server('up').restart();
  await eventually('the publisher is connected again', async () => {
    return (
      (await outcome(() => publish('up', 'FLAGS', 'hg.flags.p.stable.c.4', 'after the crash'))) === 'done'
    );
  });
  await holds('acme', 'UP_up', 'hg.flags.p.stable.c.4', 'after the crash');
});

describe('a hostile vendor, with the leaf credentials in its hands', () => {
  /** Its own nats-server, configured as it likes: the account behind the leaf allows everything. */
  async function hostile<T>(work: (nc: NatsConnection) => Promise<T>): Promise<T> {
    const { url, password } = await server('up').enrolVendor('acme');
    const port = Number(new URL(server('acme').url).port) + 7;
    const evil = await serveText(
      server('acme').program,
      `listen: "127.0.0.1:${port}"
accounts: { EVIL: { users: [ { user: evil, password: evil } ] } }
leafnodes: { reconnect: "1s", remotes: [ { url: "${url.replace('://', `://vendor-acme:${password}@`)}", account: EVIL } ] }
`,
      port,
    );
    const nc = await connect({
      servers: `nats://127.0.0.1:${port}`,
      user: 'evil',
      pass: 'evil',
      reconnect: false,
    });
    try {
      return await work(nc);
    } finally {
      await nc.close();
      await evil.stop();
    }
  }

  test('writes nothing upstream, makes no consumer there, and sees no subject but its own', async () => {
    const before = await Promise.all(Object.keys(SUBJECTS).map((stream) => stored('up', stream)));
    const { jsm } = await client('up', 'admin');
    const consumers = async () => (await jsm.consumers.list('FLAGS').next()).map(({ name }) => name).sort();
    const consumersBefore = await consumers();
    await hostile(async (nc) => {
      const heard: { readonly subject: string; readonly reply: string }[] = [];
      for (const subject of ['>', 'fed.>', 'fed.up.acme.d', 'fed.up.beta.d', 'hg.>', '$JS.>', '_INBOX.>']) {
        nc.subscribe(subject, {
          callback: (_error, { subject, reply = '' }) => {
            heard.push({ subject, reply });
          },
        });
      }
      // what the upstream sends this vendor it hears, which shows that its link is up
      const isOwn = ({ subject, reply }: { readonly subject: string; readonly reply: string }) =>
        subject === 'fed.up.acme.d' || reply.startsWith('$JS.ACK.FLAGS.fed_up_acme.');
      await eventually('the hostile leaf hears its own deliveries', async () => {
        await publish('up', 'FLAGS', 'hg.flags.p.stable.beat', 'again');
        return heard.some(isOwn);
      });
      const attempts = [
        'hg.flags.p.stable.c.666',
        'hg.log.p.flag.evil',
        'hg.telemetry.p',
        '$JS.API.STREAM.PURGE.FLAGS',
        '$JS.API.STREAM.DELETE.LOG',
        '$JS.API.CONSUMER.CREATE.FLAGS.evil',
        '$JS.API.CONSUMER.DELETE.FLAGS.fed_up_beta',
        '$JS.API.CONSUMER.RESET.FLAGS.fed_up_beta',
        'fedapi.up.CONSUMER.RESET.FLAGS.fed_up_beta',
        'fedapi.up.CONSUMER.CREATE.FLAGS.evil',
        'fed.up.beta.d',
        '$SYS.REQ.SERVER.PING',
      ];
      const config = {
        stream_name: 'FLAGS',
        config: { name: 'evil', deliver_subject: 'hg.log.p.flag.evil' },
      };
      for (const subject of attempts) {
        const answer = await outcome(() => nc.request(subject, JSON.stringify(config), { timeout: 250 }));
        expect([subject, answer]).not.toEqual([subject, 'done']);
      }
      await publish('up', 'LOG', 'hg.log.p.flag.secret');
      await publish('up', 'TELEMETRY', 'hg.telemetry.p');
      const early = heard.splice(0);
      await publish('up', 'FLAGS', 'hg.flags.p.stable.beat', 'the last');
      await eventually('the hostile leaf hears what came after', async () => heard.some(isOwn));
      expect(heard.filter((message) => !isOwn(message))).toEqual([]);
      expect(early.filter((message) => !isOwn(message) && !attempts.includes(message.subject))).toEqual([]);
    });
    const after = await Promise.all(Object.keys(SUBJECTS).map((stream) => stored('up', stream)));
    expect((after[0] ?? 0) - (before[0] ?? 0)).toBe(1);
    expect((after[2] ?? 0) - (before[2] ?? 0)).toBe(1);
    expect(
      await outcome(() =>
        jsm.streams
          .getMessage('FLAGS', { last_by_subj: 'hg.flags.p.stable.c.666' })
          .then((m) => m && 'there'),
      ),
    ).toBe('done');
    expect(await jsm.streams.getMessage('FLAGS', { last_by_subj: 'hg.flags.p.stable.c.666' })).toBeNull();
    expect(await consumers()).toEqual(consumersBefore);
  });

  test('a password of a service does not open the leaf port', async () => {
    const { user, pass } = server('up').credentials('publisher');
    const port = Number(new URL(server('acme').url).port) + 8;
    const evil = await serveText(
      server('acme').program,
      `listen: "127.0.0.1:${port}"
leafnodes: { remotes: [ { url: "${server('up').leafUrl?.replace('://', `://${user}:${pass}@`)}" } ] }
`,
      port,
    );
    const nc = await connect({ servers: `nats://127.0.0.1:${port}` });
    const before = await stored('up', 'FLAGS');
    expect(await outcome(() => nc.request('hg.flags.p.stable.c.667', 'x', { timeout: 500 }))).not.toBe(
      'done',
    );
    expect(await stored('up', 'FLAGS')).toBe(before);
    await nc.close();
    await evil.stop();
  });
});

test('a vendor that is withdrawn hears no more; the others do', async () => {
  await server('up').withdrawVendor('beta');
  const behind = await stored('beta', 'UP_up');
  await publish('up', 'FLAGS', 'hg.flags.p.stable.c.5', 'not for beta');
  await publish('up', 'FLAGS', 'hg.flags.p.stable.c.6', 'not for beta');
  await publish('up', 'FLAGS', 'hg.flags.p.stable.c.7', 'not for beta');
  await holds('acme', 'UP_up', 'hg.flags.p.stable.c.5', 'not for beta');
  expect(await stored('beta', 'UP_up')).toBe(behind);
});

describe('control: both ends of the leaf bound to one account', () => {
  test('an append on one side lands in the log of the other', async () => {
    const port = Number(new URL(server('up').url).port) + 20;
    const { program } = server('up');
    const text = (own: number, store: string, leaf: string) => `listen: "127.0.0.1:${own}"
server_name: "${store}"
jetstream: { store_dir: "${join(folder, store)}", domain: "${store}" }
accounts: { HG: { jetstream: enabled, users: [ { user: u, password: u } ] } }
leafnodes: { ${leaf} }
`;
    const up = await serveText(program, text(port, 'one', `listen: "127.0.0.1:${port + 1}"`), port);
    const vendor = await serveText(
      program,
      text(port + 2, 'two', `remotes: [ { url: "nats-leaf://u:u@127.0.0.1:${port + 1}", account: HG } ]`),
      port + 2,
    );
    const credentials = (at: number) => ({
      servers: `nats://127.0.0.1:${at}`,
      user: 'u',
      pass: 'u',
      inboxPrefix: '_INBOX',
    });
    const [one, two] = [await clientOf(credentials(port)), await clientOf(credentials(port + 2))];
    try {
      for (const { jsm } of [one, two]) await jsm.streams.add({ name: 'LOG', subjects: [SUBJECTS.LOG] });
      await eventually("an append upstream is in the vendor's log", async () => {
        await one.js.publish('hg.log.p.flag.x', 'x');
        return (await two.jsm.streams.info('LOG')).state.messages > 0;
      });
    } finally {
      await one.nc.close();
      await two.nc.close();
      await vendor.stop();
      await up.stop();
    }
  });
});
