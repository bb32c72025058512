import { REPORT_LIMITS } from '@headgate/contracts';
import { Exposures } from './exposures.js';
import { UnknownFlags } from './unknown-flags.js';

describe('Exposures', () => {
  it('count each variant of each flag, the default in the code apart', () => {
    const exposures = new Exposures();
    const [a, b] = [exposures.of('a'), exposures.of('b')];
    for (const variant of ['on', 'off', 'on', undefined, 'on', undefined]) a.add(variant);
    b.add('off');
    expect([...exposures.counted()]).toEqual([
      { flag: 'a', variant: 'on', count: 3 },
      { flag: 'a', variant: 'off', count: 1 },
      { flag: 'a', count: 2 },
      { flag: 'b', variant: 'off', count: 1 },
    ]);
    expect([...exposures.served()]).toEqual([{ name: 'b', value: 'off' }]);
  });

  it('go on where they were when a flag ends and comes back, so that totals never fall', () => {
    const exposures = new Exposures();
    exposures.of('a').add('on');
    exposures.end('a');
    expect([...exposures.served()]).toEqual([]);
    expect([...exposures.counted()]).toEqual([{ flag: 'a', variant: 'on', count: 1 }]);
    exposures.of('a').add('on');
    expect([...exposures.counted()]).toEqual([{ flag: 'a', variant: 'on', count: 2 }]);
  });

  it('hold no more than a report may carry, and say how many found no room', () => {
    const exposures = new Exposures();
    for (let i = 0; i < REPORT_LIMITS.maxExposuresPerReport + 7; i += 1) exposures.of(`f${i}`).add('on');
    expect([...exposures.counted()]).toHaveLength(REPORT_LIMITS.maxExposuresPerReport);
    expect(exposures.dropped).toBe(7);
    expect([...exposures.served()]).toHaveLength(REPORT_LIMITS.maxExposuresPerReport + 7);
  });

  it('give the room of flags that ended to those that are there', () => {
    const exposures = new Exposures(3);
    for (const key of ['a', 'b', 'c']) exposures.of(key).add('on');
    exposures.end('b');
    exposures.of('d').add('on');
    exposures.of('e').add('on');
    expect([...exposures.counted()].map(({ flag }) => flag)).toEqual(['a', 'c', 'd']);
    expect(exposures.dropped).toBe(1);
  });
});

describe('UnknownFlags', () => {
  it('keep each key once, and none that a flag could not have', () => {
    const unknown = new UnknownFlags(2);
    for (const key of ['a', 'a', '', 'ü', 'x y', 'x'.repeat(201), null, {}, Symbol('s')]) unknown.add(key);
    expect(unknown.list()).toEqual(['a']);
    for (const key of ['b', 'c', 'c']) unknown.add(key);
    expect(unknown.list()).toEqual(['a', 'b']);
    expect(unknown.dropped).toBe(2);
    unknown.delete('a');
    unknown.add('c');
    expect(unknown.list()).toEqual(['b', 'c']);
  });
});
