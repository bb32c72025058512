import type { EventEnvelope, LogPosition } from '@headgate/contracts';
import fc from 'fast-check';
import { checkEvent, type EventDraft, sealEvent } from './seal-event.js';

const draft: EventDraft = {
  id: '01890000-0000-7000-8000-000000000001',
  commandId: '01890000-0000-4000-8000-000000000001',
  commandDigest: 'c'.repeat(64),
  type: 'flag-killed.v1',
  project: 'shop',
  kind: 'flag',
  aggregateId: '01890000-0000-7000-8000-00000000000f',
  at: 1_700_000_000_000,
  actor: 'token:1',
  causationId: '',
  correlationId: 'r1',
  salt: '00112233445566778899aabbccddeeff',
  data: { why: 'it burns' },
};

describe('a sealed event', () => {
  const first = sealEvent(draft, null, 1);
  const second = sealEvent({ ...draft, id: '01890000-0000-7000-8000-000000000002' }, first, 1);

  it('starts a chain at position 1 behind 64 zeros and goes on from the event before', () => {
    expect([first.position, first.prevHash]).toEqual([1, '0'.repeat(64)]);
    expect([second.position, second.prevHash]).toEqual([2, first.hash]);
    expect(checkEvent(first, null)).toBeNull();
    expect(checkEvent(second, first)).toBeNull();
  });

  it('keeps its digests for ever (fixed bytes in, fixed digests out)', () => {
    expect([first.dataHash, first.hash]).toEqual([
      'b283ee101f88aac0a11201e75f3d3ebf34ba3440f5bf244375e815d8e9db24c8',
      '4bb531714042515edbb877e48963db4055e235dcef91d71bee94ec1fe07a833e',
    ]);
  });

  it('stays intact when its data is redacted, and says so when only half of it is', () => {
    expect(checkEvent({ ...second, salt: null, data: null }, first)).toBeNull();
    expect(checkEvent({ ...second, salt: null }, first)).toMatch('no salt');
    expect(checkEvent({ ...second, data: null }, first)).toMatch('dataHash');
  });

  it('is refused out of order, from another chain or from an older epoch', () => {
    expect(checkEvent(second, null)).toMatch('position is 2, expected 1');
    expect(checkEvent(first, first)).toMatch('position is 1, expected 2');
    expect(checkEvent(second, { ...first, hash: 'f'.repeat(64) })).toMatch('prevHash');
    expect(checkEvent(second, { ...first, epoch: 2 })).toMatch('epoch goes back');
    expect(() => sealEvent(draft, { ...first, epoch: 2 }, 1)).toThrow('go back');
  });

  it('covers fields that this release does not know', () => {
    const future = sealEvent({ ...draft, ring: 0 } as EventDraft, null, 1);
    expect(checkEvent(future, null)).toBeNull();
    expect(checkEvent({ ...future, ring: 1 } as EventEnvelope, null)).toMatch('does not give its hash');
  });

  it('answers, and does not throw, for data without a canonical form', () => {
    expect(checkEvent({ ...first, data: { why: '\ud800' } }, null)).toMatch('canonical');
  });

  it('shows a change of any one field', () => {
    const previous: LogPosition = { epoch: 1, position: 6, hash: 'a'.repeat(64) };
    const sealed = sealEvent(draft, previous, 1);
    const names = Object.keys(sealed) as (keyof EventEnvelope)[];
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.string({ minLength: 1 }), (name, text) => {
        const other = typeof sealed[name] === 'number' ? Number(sealed[name]) + text.length : `${text}~`;
        // A salt is read as hex: what is not hex is no salt.
        expect(checkEvent({ ...sealed, [name]: other } as EventEnvelope, previous)).not.toBeNull();
      }),
    );
  });
});
