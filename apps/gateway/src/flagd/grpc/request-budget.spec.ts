import { RequestBody } from './request-body.js';
import { RequestBudget } from './request-budget.js';

const KIB = 1_024;

describe('RequestBudget', () => {
  const open = (budget: RequestBudget, names: readonly string[], lost: string[]) =>
    names.map((name) => budget.open(() => lost.push(name)));

  it('lets go of the oldest, and of no more than it must', () => {
    const lost: string[] = [];
    const budget = new RequestBudget(100 * KIB);
    const [a, b, c] = open(budget, ['a', 'b', 'c'], lost);
    a!.hold(40 * KIB);
    b!.hold(40 * KIB);
    expect([lost, budget.heldBytes]).toEqual([[], 92 * KIB]);
    c!.hold(10 * KIB);
    expect([lost, budget.heldBytes]).toEqual([['a'], 58 * KIB]);
    a!.hold(90 * KIB);
    expect([lost, budget.heldBytes]).toEqual([['a'], 58 * KIB]);
  });

  it('has everything back when requests end, once', () => {
    const budget = new RequestBudget(100 * KIB);
    const lost: string[] = [];
    const shares = open(budget, ['a', 'b'], lost);
    shares[0]!.hold(30 * KIB);
    for (const share of [...shares, ...shares]) share.end();
    expect([budget.heldBytes, lost]).toEqual([0, []]);
  });

  it('counts requests that hold nothing yet', () => {
    const lost: string[] = [];
    open(new RequestBudget(10 * KIB), ['a', 'b', 'c'], lost);
    expect(lost).toEqual(['a']);
  });
});

describe('RequestBody', () => {
  it('puts parts together, and takes up little for many small ones', () => {
    const body = new RequestBody(9_000);
    for (let i = 0; i < 5_000; i += 1) expect(body.add(Buffer.from([i % 251]))).toBe(true);
    expect(body.read()).toEqual(Buffer.from(Array.from({ length: 5_000 }, (_, i) => i % 251)));
    expect(body.heldBytes).toBeLessThanOrEqual(9_000);
    expect(body.add(Buffer.alloc(4_000))).toBe(true);
    expect(body.add(Buffer.alloc(1))).toBe(false);
    expect(body.read().length).toBe(9_000);
  });
});
