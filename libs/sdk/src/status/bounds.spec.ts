import { Listeners } from './listeners.js';
import { Problems } from './problems.js';
import { Waiters } from './waiters.js';

describe('what an application could fill without end', () => {
  it('holds a thousand listeners, and says that there are too many', () => {
    const said: string[] = [];
    const listeners = new Listeners<number>(
      () => {},
      (message) => said.push(message),
    );
    let calls = 0;
    const leave = Array.from({ length: 1_005 }, () =>
      listeners.add(() => {
        calls += 1;
      }),
    );
    listeners.emit(1);
    expect([calls, said.length]).toEqual([1_000, 5]);
    leave.at(-1)?.();
    leave[0]?.();
    listeners.add(() => {});
    listeners.emit(2);
    expect([calls, said.length]).toEqual([1_999, 5]);
  });

  it('holds ten thousand that wait, and lets the others go on', async () => {
    const waiters = new Waiters();
    const waiting = Array.from({ length: 10_000 }, () => waiters.wait(60_000));
    expect(await waiters.wait(60_000)).toBe(false);
    waiters.settle(true);
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([true]));
  });

  it('holds the newest twenty problems, counts them all, and cuts what is long', () => {
    const problems = new Problems(() => 7);
    for (let i = 0; i < 50; i += 1) problems.add('code', `${i} ${'x'.repeat(1_000)}`);
    expect(problems.count).toBe(50);
    expect(problems.list()).toHaveLength(20);
    expect(problems.list().at(-1)?.message).toHaveLength(500);
  });
});
