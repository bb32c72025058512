import fc from 'fast-check';
import { eBenjaminiHochberg } from './e-bh.js';

test('the largest k with E_(k) ≥ M/(kα), strongest first', () => {
  const metrics = [
    { name: 'd', lnE: Math.log(1) },
    { name: 'b', lnE: Math.log(45) },
    { name: 'a', lnE: Math.log(50) },
    { name: 'c', lnE: Math.log(30) },
  ];
  // Bars at α = 0.05, M = 4: 80, 40, 26.7, 20. The first alone misses its bar, the third brings all three in.
  expect(eBenjaminiHochberg(metrics, 0.05)).toEqual(['a', 'b', 'c']);
  expect(eBenjaminiHochberg(metrics, 0.01)).toEqual([]);
});

test('more evidence never takes a name off the list', () => {
  const lns = fc.array(fc.double({ min: -5, max: 15, noNaN: true }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(lns, fc.nat(), fc.double({ min: 0, max: 5, noNaN: true }), (values, at, more) => {
      const named = values.map((lnE, i) => ({ name: `m${i}`, lnE }));
      const raised = named.map((metric, i) =>
        i === at % named.length ? { ...metric, lnE: metric.lnE + more } : metric,
      );
      const before = eBenjaminiHochberg(named, 0.05);
      expect(eBenjaminiHochberg(raised, 0.05)).toEqual(expect.arrayContaining([...before]));
    }),
  );
});
