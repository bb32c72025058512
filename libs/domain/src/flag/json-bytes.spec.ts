import fc from 'fast-check';
import { jsonBytes } from './json-bytes.js';

describe('the bytes of a value as JSON', () => {
  it('are never fewer than it takes, and few more', () =>
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        const text = JSON.stringify(value);
        const taken = Buffer.byteLength(text);
        const parts = [...text].filter((c) => '[]{},'.includes(c)).length;
        const controls = [...JSON.stringify(value)].filter((c) => c === '\\').length;
        expect(jsonBytes(value as never)).toBeGreaterThanOrEqual(taken);
        expect(jsonBytes(value as never)).toBeLessThanOrEqual(taken + 2 * parts + 5 * controls);
      }),
    ));

  it('are measured once for a part that stands in it often', () => {
    let graph: readonly unknown[] = ['x'];
    for (let i = 0; i < 60; i++) graph = [graph, graph];
    expect(jsonBytes(graph as never)).toBeGreaterThan(2 ** 60);
  });
});
