import { AddressShares, clientsPerAddress } from './address-shares.js';

describe('AddressShares', () => {
  it('gives each address its share, an IPv6 network as one, and takes back what is given back', () => {
    const shares = new AddressShares(() => 2);
    const back = [shares.take('192.0.2.1'), shares.take('::ffff:192.0.2.1')];
    shares.take('2001:db8:1:2::1');
    shares.take('2001:db8:1:2:3:4:5:6');
    const full = () =>
      ['192.0.2.1', '192.0.2.2', '2001:db8:1:2::9', '2001:db8:1:3::9'].map((ip) => shares.isFull(ip));
    expect(full()).toEqual([true, false, true, false]);
    back[0]!();
    expect(full()).toEqual([false, false, true, false]);
    back[1]!();
    expect(full()).toEqual([false, false, true, false]);
  });
});

describe('clientsPerAddress', () => {
  it.each([
    [undefined, '192.0.2.1', 6],
    [undefined, '127.0.0.1', Number.POSITIVE_INFINITY],
    [undefined, '::ffff:127.0.0.1', Number.POSITIVE_INFINITY],
    [undefined, '::1', Number.POSITIVE_INFINITY],
    [undefined, '2001:db8::1', 6],
    [3, '127.0.0.1', 3],
    [3, '192.0.2.1', 3],
    [0, '192.0.2.1', Number.POSITIVE_INFINITY],
  ])('of 11, with %s set, %s gets %s', (perAddress, ip, most) =>
    expect(clientsPerAddress(11, perAddress)(ip)).toBe(most),
  );
});
