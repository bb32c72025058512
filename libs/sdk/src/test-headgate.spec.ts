import { openTestHeadgate } from './test-headgate.js';

describe('openTestHeadgate', () => {
  it('serves flags by value and by function, and fallbacks for the rest', () => {
    const headgate = openTestHeadgate({
      flags: { path: true, size: 3, name: 'a', tuning: { x: 1 }, asked: ({ os }) => os === 'debian' },
    });
    expect(headgate.boolean('path', false)).toBe(true);
    expect(headgate.number('size', 0)).toBe(3);
    expect(headgate.string('name', '')).toBe('a');
    expect(headgate.object('tuning', {})).toEqual({ x: 1 });
    expect(headgate.boolean('asked', false, { os: 'debian' })).toBe(true);
    expect(headgate.boolean('nobody', true)).toBe(true);
    expect(headgate.details('path', 'text')).toMatchObject({
      value: 'text',
      error: { code: 'TYPE_MISMATCH' },
    });
  });

  it('tells listeners of a change and remembers what was recorded', () => {
    const headgate = openTestHeadgate();
    const keys: string[] = [];
    const stop = headgate.on('change', ({ flags }) => keys.push(...flags.map(({ key }) => key)));
    headgate.set('path', true);
    stop();
    headgate.set('path', false);
    headgate.counter('requests').add(2);
    expect(keys).toEqual(['path']);
    expect(headgate.boolean('path', true)).toBe(false);
    expect(headgate.recorded().counters).toEqual({ requests: 2 });
  });
});
