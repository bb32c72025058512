import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  beat,
  channelState,
  commit,
  EVENT_SCHEMAS,
  type EventEnvelope,
  eventEnvelope,
  flagDocument,
  isEventType,
  type LogEvent,
  type LogPosition,
  trustBundle,
} from '@headgate/contracts';
import { applyEvent, emptyProject, type ProjectState } from '@headgate/domain';
import {
  canonicalJson,
  checkEvent,
  documentDigest,
  openChannelReader,
  pinOf,
  readSnapshot,
} from '@headgate/trust';
import { GOLDEN_FLAGS, goldenDocuments } from './golden-definitions.js';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const json = (path: string): unknown => JSON.parse(readFileSync(at(path), 'utf8'));

/** Written by version 0.1 and never again: these files must be read for ever (invariant 16). */
describe('what an older release wrote', () => {
  describe('events', () => {
    const files = readdirSync(at('./events'));
    const events = files
      .map((name) => eventEnvelope.parse(json(`./events/${name}`)))
      .sort((a, b) => a.position - b.position);
    const chain = (project: string) => events.filter((event) => event.project === project);

    it('has one record of each type, and of no other', () => {
      const types = Object.keys(EVENT_SCHEMAS).map((type) => `${type}.json`);
      expect(files.sort()).toEqual(types.sort());
    });

    it.each(['shop', '_system'])('is a chain without a break in project %s', (project) => {
      let previous: LogPosition | null = null;
      for (const event of chain(project)) {
        expect({ type: event.type, wrong: checkEvent(event, previous) }).toEqual({
          type: event.type,
          wrong: null,
        });
        previous = event;
      }
    });

    it('is read by its type and loses nothing in it', () => {
      for (const event of events) expect(parsed(event).data).toEqual(event.data);
    });

    it('keeps a definition as it was written, with every field there is and no default added', () => {
      for (const { channel, key, why, definition } of GOLDEN_FLAGS) {
        const data = { channel, key, why, definition };
        expect(EVENT_SCHEMAS['flag-created.v1'].parse(data)).toEqual(data);
      }
    });

    it('folds into what it always meant', () => {
      const shop = fold(chain('shop').map(parsed));
      expect(shop.channels.get('stable')?.beatLifetimeMs).toBe(86_400_000);
      const flags = [...shop.flags.values()].map(({ key, status }) => `${key} ${status}`);
      expect(flags.sort()).toEqual(['checkout.v2 archived', 'search killed']);
      expect([...shop.rollouts.values()].map(({ status, seed }) => [status, seed])).toEqual([
        ['aborted', 'seed-1'],
      ]);
      expect([...shop.segments.values()].map(({ name, status }) => `${name} ${status}`)).toEqual([
        'insiders removed',
      ]);
      const system = fold(chain('_system').map(parsed));
      expect([...system.tokens.values()]).toMatchObject([{ name: 'ci', role: 'releaser' }]);
    });
  });

  describe('the wire', () => {
    const place = { project: 'shop', channel: 'stable' };
    const now = 1_790_000_000_500;
    const pin = 'sha256:b9af1f0f9bd8b8f845f4726b455ffdbaf5f92c341e6efa21fea6e13306b9a007';
    const open = () => openChannelReader({ ...place, pin, now: () => now });
    const commits = json('./wire/commits.v1.json') as unknown[];

    it('is pinned by the same digest', () => {
      expect(pinOf(trustBundle.parse(json('./wire/trust.v1.json')))).toBe(pin);
    });

    it('verifies as trust, commits and a beat, to the last signature', () => {
      const reader = open();
      expect(reader.acceptTrust(json('./wire/trust.v1.json'))).toMatchObject({ ok: true });
      for (const recorded of commits) {
        expect(commit.parse(recorded)).toEqual(recorded);
        expect(reader.acceptCommit(recorded)).toMatchObject({ ok: true });
      }
      const recorded = json('./wire/beat.v1.json');
      expect(beat.parse(recorded)).toEqual(recorded);
      expect(reader.acceptBeat(recorded)).toMatchObject({ ok: true });
      expect(reader.freshness()).toEqual({ status: 'fresh', ageMs: 500, skewMs: 0 });
      expect(reader.state?.head.h).toMatchObject({ n: 3, position: 7, documentCount: 2 });
    });

    it('verifies as a whole state, and as a snapshot', () => {
      const recorded = json('./wire/state.v1.json');
      expect(channelState.parse(recorded)).toEqual(recorded);
      const fromState = open();
      expect(fromState.acceptState(recorded)).toMatchObject({ ok: true });
      const chunks = readdirSync(at('./wire')).filter((name) => name.startsWith('snapshot.v1.'));
      const snapshot = readSnapshot(chunks.sort().map((name) => readFileSync(at(`./wire/${name}`))));
      const fromSnapshot = open();
      const state = { ...channelState.parse(recorded), ...snapshot, documents: [...snapshot.documents] };
      expect(fromSnapshot.acceptState(state)).toMatchObject({ ok: true });
      expect(fromSnapshot.state?.head).toEqual(fromState.state?.head);
    });

    it('has a document with every field, which keeps its digest', () => {
      const document = flagDocument.parse(json('./wire/document.v1.json'));
      expect(documentDigest(document)).toBe(
        '23bfa233e4f654eebd5abe85f75bda6b1d042c53e1e3647ac48bb426379780b0',
      );
    });

    it('has documents compiled as ever, to the last byte', () => {
      const recorded = json('./wire/compiled.v1.json') as object[];
      expect(goldenDocuments().map(canonicalJson)).toEqual(recorded.map(canonicalJson));
      for (const document of recorded) expect(flagDocument.parse(document)).toEqual(document);
    });

    it('is refused when one recorded value is altered', () => {
      const reader = open();
      reader.acceptTrust(json('./wire/trust.v1.json'));
      const altered = JSON.stringify(commits[0]).replace('"defaultVariant":"off"', '"defaultVariant":"on"');
      expect(reader.acceptCommit(altered)).toMatchObject({ ok: false, code: 'digest-mismatch' });
    });
  });
});

function parsed(event: EventEnvelope): LogEvent {
  if (!isEventType(event.type)) throw new Error(`this release does not know ${event.type}`);
  return { ...event, data: EVENT_SCHEMAS[event.type].parse(event.data) } as LogEvent;
}

function fold(events: readonly LogEvent[]): ProjectState {
  const state = emptyProject();
  for (const event of events) applyEvent(state, event);
  return state;
}
