import { AddressLimits } from './address-limits.js';

describe('AddressLimits', () => {
  let now: number;
  beforeEach(() => {
    now = 1_000_000;
  });
  const open = (options = {}) =>
    new AddressLimits({ now: () => now, perSecond: 10, burstSeconds: 2, ...options });
  const taken = (limits: AddressLimits, ip: string, times: number) =>
    Array.from({ length: times }, () => limits.take(ip)).filter((seconds) => seconds === 0).length;

  it('lets a burst through, then the sustained rate, and says how long to wait', () => {
    const limits = open();
    expect(taken(limits, '192.0.2.1', 25)).toBe(20);
    expect(limits.take('192.0.2.1')).toBe(1);
    now += 1_000;
    expect(taken(limits, '192.0.2.1', 25)).toBe(10);
    now += 60_000;
    expect(taken(limits, '192.0.2.1', 25)).toBe(20);
  });

  it('costs other addresses nothing', () => {
    const limits = open();
    taken(limits, '192.0.2.1', 25);
    expect(limits.take('192.0.2.2')).toBe(0);
  });

  it.each([
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::9', true],
    ['2001:db8:1:2::', '2001:db8:1:3::', false],
    ['2001:db8::1', '2001:db8:0:0:ffff::1', true],
    ['fe80::1%eth0', 'fe80::2%eth0', true],
    ['::ffff:192.0.2.1', '192.0.2.1', true],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.2', false],
  ])('takes %s and %s for one address: %s', (a, b, isOne) => {
    const limits = open({ perSecond: 1, burstSeconds: 1 });
    expect([limits.take(a), limits.take(b) > 0]).toEqual([0, isOne]);
  });

  it('remembers no more addresses than it may, the newest', () => {
    const limits = open({ perSecond: 1, burstSeconds: 1, maxAddresses: 2 });
    for (const ip of ['a', 'b', 'c']) limits.take(ip);
    expect(['c', 'b'].map((ip) => limits.take(ip))).toEqual([1, 1]);
    expect(limits.take('a')).toBe(0);
  });

  it('has no limit when it is 0', () => expect(taken(open({ perSecond: 0 }), 'a', 1_000)).toBe(1_000));
});
