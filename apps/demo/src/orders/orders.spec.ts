import { priceOrder, priceOrderV2 } from './price-order.js';
import { readOrder, readOrderV2 } from './read-order.js';
import { seededRandom, writeOrder } from './write-orders.js';

const mail = (count: number): string[] => {
  const random = seededRandom(7);
  return Array.from({ length: count }, () => writeOrder(random));
};
const attempt = <T>(run: () => T): T | string => {
  try {
    return run();
  } catch (error) {
    return (error as Error).name;
  }
};

describe('the shop of the demo', () => {
  it('reads every line the same with both readers: the good rewrite is good', () => {
    for (const line of mail(20_000))
      expect(attempt(() => readOrderV2(line))).toEqual(attempt(() => readOrder(line)));
  });
  it('prices the same with both where both can read the price', () => {
    for (const line of mail(5_000)) {
      const order = attempt(() => readOrder(line));
      if (typeof order === 'string') continue;
      const cents = attempt(() => priceOrderV2(order));
      if (typeof cents === 'number') expect(cents).toBe(priceOrder(order));
    }
  });
  it('fails on about 3 % of the mail with the bad rewrite, and on cut-off uploads either way', () => {
    const lines = mail(20_000);
    const unread = lines.filter((line) => typeof attempt(() => readOrder(line)) === 'string').length;
    const unpriced = lines.filter(
      (line) => attempt(() => priceOrderV2(readOrder(line))) === 'UnreadablePrice',
    ).length;
    expect(unread / lines.length).toBeGreaterThan(0.001);
    expect(unread / lines.length).toBeLessThan(0.006);
    expect(unpriced / lines.length).toBeGreaterThan(0.025);
    expect(unpriced / lines.length).toBeLessThan(0.035);
    expect(lines.some((line) => attempt(() => priceOrder(readOrder(line))) === 'UnreadablePrice')).toBe(
      false,
    );
  });
  it('writes the same mail for the same seed', () => expect(mail(10)).toEqual(mail(10)));
});
