import { writeFileSync } from 'node:fs';
import { logSubject, projectLogFilter, STREAMS } from '@headgate/contracts';
import { openEventStore } from '@headgate/event-store';
import { connectStreams, declareInstallation, type Streams } from '@headgate/streams';
import { sealEvent } from '@headgate/trust';
import { startSpecServer } from '../support/nats-server.js';
import { sampleCommands } from '../support/sample-commands.js';

/**
 * `npm run bench -- event-store [--json FILE]`: what the log costs above the server it stands on. Each figure has its floor
 * from the same run: commands against publishing the same bytes with the same expectation; folding against plain delivery.
 */
const ROUNDS = 5;
const PER_ROUND = 200;
const REPLAYED = 50_000;
const WINDOW = 500;
const NOW = 1_780_000_000_000;

const commands = sampleCommands();
let ids = 0;
const newId = (): string => commands.uuid(1_000_000 + ++ids);

const perSecond = async (count: number, work: () => Promise<void>): Promise<number> => {
  const begun = performance.now();
  await work();
  return count / ((performance.now() - begun) / 1_000);
};

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const openOn = (streams: Streams) =>
  openEventStore({ streams, clock: () => NOW, newId, newSalt: () => '0'.repeat(32), random: () => 0.5 });

const measureAppend = async () => {
  const server = await startSpecServer();
  const streams = await connectStreams({ url: server.url, name: 'bench' });
  await declareInstallation(streams, { now: NOW });
  const store = await openOn(streams);
  const handle = (command: Parameters<typeof store.handle>[0]) =>
    store.handle(command, { commandId: commands.commandId(), actor: 'bench' });
  const next = () => commands.createChannel('shop', `c${++ids}`);
  await handle(commands.createProject('shop'));
  await handle(next());
  const sample = await streams.last(STREAMS.log, projectLogFilter('shop'));
  if (sample === null) throw new Error('the bench wrote nothing');
  const raw: number[] = [];
  const appended: number[] = [];
  const concurrent: number[] = [];
  let expected = 0;
  for (let round = 0; round < ROUNDS; round++) {
    raw.push(
      await perSecond(PER_ROUND, async () => {
        for (let n = 0; n < PER_ROUND; n++) {
          const ack = await streams.publish(logSubject('floor', 'channel', 'a'), sample.data, {
            expectStream: STREAMS.log,
            expectLastSequence: expected,
            expectFilter: projectLogFilter('floor'),
            msgId: newId(),
          });
          expected = ack.sequence;
        }
      }),
    );
    appended.push(
      await perSecond(PER_ROUND, async () => {
        for (let n = 0; n < PER_ROUND; n++) await handle(next());
      }),
    );
    concurrent.push(
      await perSecond(PER_ROUND, async () => {
        await Promise.all(Array.from({ length: PER_ROUND }, () => handle(next())));
      }),
    );
  }
  await store.close();
  await streams.close();
  await server.remove();
  return {
    rawPerSecond: median(raw),
    commandsPerSecond: median(appended),
    concurrentCommandsPerSecond: median(concurrent),
    ratio: median(appended.map((rate, round) => rate / (raw[round] ?? 1))),
  };
};

const measureReplay = async () => {
  // Filling is not what is measured, so this server does not sync each event.
  const server = await startSpecServer({ sync: null });
  const streams = await connectStreams({ url: server.url, name: 'bench' });
  await declareInstallation(streams, { now: NOW });
  await fill(streams);
  const raw = await perSecond(REPLAYED, async () => {
    let taken = 0;
    for await (const _ of streams.follow(STREAMS.log, { from: 0 })) if (++taken === REPLAYED) break;
  });
  const store = await openOn(streams);
  const checked = await perSecond(REPLAYED, async () => {
    let taken = 0;
    for await (const _ of store.follow({ from: null })) if (++taken === REPLAYED) break;
  });
  const folded = await perSecond(REPLAYED, async () => {
    await store.project('shop');
  });
  await store.close();
  await streams.close();
  await server.remove();
  return { rawPerSecond: raw, checkedPerSecond: checked, foldedPerSecond: folded };
};

const fill = async (streams: Streams): Promise<void> => {
  const sealed = [];
  let previous: ReturnType<typeof sealEvent> | null = null;
  for (let n = 0; n < REPLAYED; n++) {
    const isFirst = n === 0;
    previous = sealEvent(
      {
        id: newId(),
        commandId: newId(),
        commandDigest: 'a'.repeat(64),
        type: isFirst ? 'project-created.v1' : 'channel-created.v1',
        project: 'shop',
        kind: isFirst ? 'project' : 'channel',
        aggregateId: 'a',
        at: NOW + n * 60_000,
        actor: 'bench',
        causationId: '',
        correlationId: '',
        salt: '0'.repeat(32),
        data: isFirst
          ? { slug: 'shop', name: 'shop', why: 'bench' }
          : { slug: `c${n % 100}`, beatLifetimeMs: 1_000, why: 'bench' },
      },
      previous,
      1,
    );
    sealed.push(previous);
  }
  for (let from = 0; from < sealed.length; from += WINDOW)
    await Promise.all(
      sealed
        .slice(from, from + WINDOW)
        .map((event) =>
          streams.publish(
            logSubject('shop', event.kind, event.aggregateId),
            Buffer.from(JSON.stringify(event)),
            { expectStream: STREAMS.log },
          ),
        ),
    );
};

const result = { append: await measureAppend(), replay: await measureReplay() };
const file = process.argv[process.argv.indexOf('--json') + 1];
if (process.argv.includes('--json') && file !== undefined)
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
for (const [part, figures] of Object.entries(result))
  for (const [name, value] of Object.entries(figures))
    console.log(`${part} ${name} ${name === 'ratio' ? value.toFixed(2) : Math.round(value)}`);
