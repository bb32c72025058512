import { Meters } from './meters.js';

const open = () => {
  const complaints: string[] = [];
  return {
    complaints,
    meters: new Meters(
      () => 1_234.5,
      (message) => complaints.push(message),
    ),
  };
};

describe('Meters', () => {
  it('adds up counters and readings since the start', () => {
    const { meters, complaints } = open();
    meters.counter('requests').add();
    meters.counter('requests').add(2.5);
    meters.gauge('latency').set(1);
    meters.gauge('latency').set(Math.E);
    meters.gauge('drift').set(-1);
    meters.event('crash');
    expect(meters.read()).toEqual({
      counters: { requests: 3.5 },
      gauges: { latency: { sum: 1 + Math.E, count: 2, logSum: 1 }, drift: { sum: -1, count: 1 } },
      events: { crash: 1_234 },
    });
    expect(complaints).toEqual([]);
  });

  it('ignores what cannot be counted, and says so', () => {
    const { meters, complaints } = open();
    for (const amount of [-1, Number.NaN, Number.POSITIVE_INFINITY, '1', null, {}]) {
      meters.counter('requests').add(amount as number);
      if (amount !== -1) meters.gauge('latency').set(amount as number);
    }
    expect(meters.read()).toMatchObject({
      counters: { requests: 0 },
      gauges: { latency: { sum: 0, count: 0 } },
    });
    expect(complaints).toHaveLength(11);
  });

  it('keeps no more metrics than a report may carry, and none with a wrong name', () => {
    const { meters, complaints } = open();
    for (const name of ['', 'Upper', '1', 'a b', 'x'.repeat(101), 7, null, {}])
      meters.counter(name as string).add();
    expect(complaints).toHaveLength(8);
    for (let i = 0; i < 600; i += 1) meters.counter(`c${i}`).add();
    expect(Object.keys(meters.read().counters)).toHaveLength(500);
    expect(complaints).toHaveLength(108);
  });
});
