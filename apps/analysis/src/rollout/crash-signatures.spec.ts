import { OWN_SITE } from '@headgate/judge';
import fc from 'fast-check';
import { CrashSignatures, type SeenCrash } from './crash-signatures.js';

const crash = (instance: string, signature: string, isCanary: boolean, at = 1): SeenCrash => ({
  instance,
  signature,
  isCanary,
  at,
});
const after = (...crashes: readonly SeenCrash[]) => {
  const signatures = new CrashSignatures();
  for (const one of crashes) signatures.see(one);
  return signatures;
};
const details = (signatures: CrashSignatures) => signatures.signals().map(({ detail }) => detail);

describe('crash signatures', () => {
  it('are a signal of the own site when canaries alone have them', () => {
    expect(after(crash('a', 'null in till', true, 7), crash('b', 'null in till', true, 9)).signals()).toEqual(
      [
        {
          kind: 'crash',
          source: OWN_SITE,
          at: 7,
          detail: 'new crash signature "null in till" on 2 of the canary instances',
        },
      ],
    );
  });

  it('are none when they were known before, and are taken back when the baseline has them too', () => {
    expect(details(after(crash('a', 'old', false), crash('b', 'old', true)))).toEqual([]);
    expect(details(after(crash('b', 'both', true), crash('a', 'both', false)))).toEqual([]);
    expect(details(after(crash('b', 'both', true), crash('a', 'other', false)))).toHaveLength(1);
  });

  it('tell when the first that is news became known', () => {
    const signatures = after(crash('a', 'one', true, 5), crash('a', 'two', true, 8));
    expect([signatures.firstSince(0), signatures.firstSince(5), signatures.firstSince(8)]).toEqual([
      5,
      8,
      null,
    ]);
  });

  it('cannot be filled up by one instance', () => {
    const flood = Array.from({ length: 50_000 }, (_, n) => crash('hostile', `made up ${n}`, n % 2 === 0));
    expect(details(after(...flood)).length).toBeLessThanOrEqual(20);
    expect(details(after(...flood, crash('honest', 'null in till', true)))).toContainEqual(
      expect.stringContaining('null in till'),
    );
  });

  it('say nothing where signatures are no names: more of them than can be known', () => {
    const nameless = (most: number) =>
      Array.from({ length: most }, (_, n) => crash(`i${n}`, `at 0x${n.toString(16)}`, false));
    expect(details(after(...nameless(9_999), crash('a', 'new', true)))).toHaveLength(1);
    expect(details(after(...nameless(10_000), crash('a', 'new', true)))).toEqual([]);
  });

  it('come to the same whatever order two reports of one crash arrive in', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ who: fc.nat({ max: 3 }), what: fc.constantFrom('x', 'y', 'z') }), {
          maxLength: 12,
        }),
        (seen) => {
          const crashes = seen.map(({ who, what }) => crash(`i${who}`, what, who < 2));
          const names = (list: readonly SeenCrash[]) => details(after(...list)).sort();
          expect(names([...crashes].reverse())).toEqual(names(crashes));
        },
      ),
    );
  });
});
