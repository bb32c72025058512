import type { EventStore, FollowedLog, StoredEvent } from '@headgate/event-store';
import { until } from '../../../test/support/until.js';
import { type Installation, openInstallation, PLACE } from './installation.fixture.js';

/** Deeper than canonical JSON goes. */
const tooDeep = (): unknown => JSON.parse(`${'['.repeat(600)}${']'.repeat(600)}`);

/** The log as a release might leave it that accepts what this one cannot sign: definitions of default variant "on" are broken. */
const brokenDefinitions = (store: EventStore): EventStore => {
  const broken = (stored: StoredEvent): StoredEvent => {
    const data = stored.event.data as { definition?: { defaultVariant?: string } } | null;
    if (data?.definition?.defaultVariant !== 'on') return stored;
    const definition = { ...data.definition, variants: { on: tooDeep(), off: false } };
    return {
      ...stored,
      event: { ...stored.event, data: { ...data, definition } } as unknown as StoredEvent['event'],
    };
  };
  const follow: EventStore['follow'] = (options) => {
    const inner = store.follow(options);
    const followed: FollowedLog = {
      checkpoint: () => inner.checkpoint(),
      caughtUp: inner.caughtUp,
      close: () => inner.close(),
      async *[Symbol.asyncIterator]() {
        for await (const stored of inner) yield broken(stored);
      },
    };
    return followed;
  };
  return new Proxy(store, {
    get: (target, name) => (name === 'follow' ? follow : Reflect.get(target, name)),
  });
};

describe('a document that cannot be signed', () => {
  let at: Installation;
  let [bad, good]: string[] = [];
  beforeEach(async () => {
    at = await openInstallation('in memory');
    bad = await at.createFlag('bad');
    good = await at.createFlag('good');
  });
  afterEach(() => at.close());

  const document = async (flagId = '') => (await at.coldRead()).state?.documents.get(flagId);
  const kill = (flagId = '') => at.handle(at.commands.killFlag(PLACE.project, flagId));
  const start = () => at.publisher({ store: brokenDefinitions(at.store) });
  const begin = async () => {
    const started = start();
    await until(
      'both flags',
      async () => (await document(bad)) !== undefined && (await document(good)) !== undefined,
    );
    return started;
  };

  it('does not hold up the kill of another flag, and is named once', async () => {
    const { publisher, notes } = await begin();
    await at.changeFlag(bad ?? '', 'on');
    await kill(good);
    await until('the kill', async () => (await document(good))?.killed !== undefined);
    expect((await document(bad))?.defaultVariant).toBe('off');
    expect(publisher.trouble).toBeNull();
    expect(publisher.withheld).toEqual([
      expect.stringMatching(/shop\/stable: flag "bad" is withheld: nested deeper/),
    ]);
    expect(notes.filter(({ kind }) => kind === 'fault')).toEqual([]);
    expect(notes.filter(({ kind }) => kind === 'withheld')).toHaveLength(1);
  });

  it('does not hold up a publisher that starts on it, nor one that begins the channel', async () => {
    await at.changeFlag(bad ?? '', 'on');
    const { publisher } = start();
    await until('the other flag', async () => (await document(good)) !== undefined);
    expect(await document(bad)).toBeUndefined();
    await publisher.close();
    await kill(good);
    const next = start();
    await until('the kill', async () => (await document(good))?.killed !== undefined);
    expect(next.publisher.withheld).toHaveLength(1);
  });

  it('is killed on the document that is in force', async () => {
    const { publisher } = await begin();
    await at.changeFlag(bad ?? '', 'on');
    const { position } = await kill(bad);
    await until('the kill', async () => (await document(bad))?.killed !== undefined);
    expect(await document(bad)).toMatchObject({ state: 'DISABLED', defaultVariant: 'off', position });
    expect(publisher.withheld).toHaveLength(1);
  });

  it('is withheld no longer once it is mended', async () => {
    const { publisher } = await begin();
    await at.changeFlag(bad ?? '', 'on');
    await until('it to be withheld', () => publisher.withheld.length === 1);
    const { position } = await at.changeFlag(bad ?? '', 'off');
    await until('the mended one', async () => (await document(bad))?.position === position);
    expect(publisher.withheld).toEqual([]);
  });
});
