import { ReportQueue } from './report-queue.js';

const report = (seq: number) => ({ seq, body: `${seq}`, failures: 0 });

describe('ReportQueue', () => {
  it('keeps the newest, oldest first, and counts what it dropped', () => {
    const queue = new ReportQueue(3);
    for (let seq = 1; seq <= 5; seq += 1) queue.push(report(seq));
    expect(queue.oldest?.seq).toBe(3);
    expect(queue.dropped).toBe(2);
    queue.dropAll();
    expect(queue.oldest).toBeUndefined();
    expect(queue.dropped).toBe(5);
  });

  it('takes no other report away for one that was dropped while it was being sent', () => {
    const queue = new ReportQueue(1);
    const first = report(1);
    queue.push(first);
    queue.push(report(2));
    queue.settle(first);
    expect(queue.oldest?.seq).toBe(2);
  });
});
