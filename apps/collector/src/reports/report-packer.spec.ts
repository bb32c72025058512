import { telemetryPack } from '@headgate/contracts';
import { PackerFull, type PackerLimits, ReportPacker } from './report-packer.js';

interface Sent {
  readonly subject: string;
  readonly reports: readonly unknown[];
  readonly receivedAt: number;
  readonly acknowledge: () => void;
  readonly fail: (reason: Error) => void;
}

const open = (limits: Partial<PackerLimits> = {}) => {
  const sent: Sent[] = [];
  const packer = new ReportPacker({
    clock: () => 77,
    limits: { windowMs: 1, ...limits },
    append: (subject, data) =>
      new Promise<void>((resolve, reject) => {
        const { reports, receivedAt } = JSON.parse(Buffer.from(data).toString()) as Sent;
        sent.push({ subject, reports, receivedAt, acknowledge: resolve, fail: reject });
      }),
  });
  return { packer, sent };
};
const numbered = (n: number, project = 'shop') => {
  const text = `{"n":${n}}`;
  return { project, text, bytes: text.length };
};
const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
};

describe('a report packer', () => {
  it('puts reports that arrive together into one message per project, stamped with the time of receipt', async () => {
    const { packer, sent } = open();
    const added = [
      packer.add([numbered(1)]),
      packer.add([numbered(2), numbered(3, 'other')]),
      packer.add([numbered(4)]),
    ];
    await until(() => sent.length === 2);
    expect(sent.map(({ subject, reports, receivedAt }) => ({ subject, reports, receivedAt }))).toEqual([
      { subject: 'hg.telemetry.shop', reports: [{ n: 1 }, { n: 2 }, { n: 4 }], receivedAt: 77 },
      { subject: 'hg.telemetry.other', reports: [{ n: 3 }], receivedAt: 77 },
    ]);
    for (const { acknowledge } of sent) acknowledge();
    await Promise.all(added);
    expect(packer.heldBytes).toBe(0);
  });

  it('answers nobody before the server has acknowledged every pack of the request', async () => {
    const { packer, sent } = open({ maxReportsPerPack: 2, windowMs: 60_000 });
    let isAnswered = false;
    const added = packer.add([1, 2, 3, 4].map((n) => numbered(n))).then(() => {
      isAnswered = true;
    });
    await until(() => sent.length === 2);
    sent[0]!.acknowledge();
    await new Promise((resolve) => setImmediate(resolve));
    expect(isAnswered).toBe(false);
    sent[1]!.acknowledge();
    await added;
    expect(isAnswered).toBe(true);
  });

  it('closes a pack at its number of reports and at its bytes', async () => {
    const { packer, sent } = open({
      maxReportsPerPack: 3,
      maxPackBytes: 96 + 20,
      windowMs: 60_000,
      maxPacksInFlight: 9,
    });
    void packer.add([1, 2, 3, 4, 5].map((n) => numbered(n)));
    await until(() => sent.length === 2);
    expect(sent.map(({ reports }) => reports.length)).toEqual([2, 2]);
    void packer.close();
    await until(() => sent.length === 3);
    expect(sent[2]!.reports).toEqual([{ n: 5 }]);
    for (const { acknowledge } of sent) acknowledge();
  });

  it('has no more packs on their way than allowed, and keeps their order', async () => {
    const { packer, sent } = open({ maxReportsPerPack: 1, maxPacksInFlight: 2 });
    const added = packer.add([1, 2, 3, 4].map((n) => numbered(n)));
    await until(() => sent.length === 2);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(sent.length).toBe(2);
    sent[0]!.acknowledge();
    await until(() => sent.length === 3);
    for (let n = 1; n < 4; n++) {
      await until(() => sent.length > n);
      sent[n]!.acknowledge();
    }
    await added;
    expect(sent.map(({ reports }) => reports)).toEqual([[{ n: 1 }], [{ n: 2 }], [{ n: 3 }], [{ n: 4 }]]);
  });

  it('refuses a request whole when it holds too much, and takes it again afterwards', async () => {
    const { packer, sent } = open({ maxHeldBytes: 20, maxReportsPerPack: 1 });
    const first = packer.add([numbered(1), numbered(2)]);
    await expect(packer.add([numbered(3)])).rejects.toBeInstanceOf(PackerFull);
    await until(() => sent.length === 2);
    for (const { acknowledge } of sent) acknowledge();
    await first;
    const again = packer.add([numbered(3)]);
    await until(() => sent.length === 3);
    sent[2]!.acknowledge();
    await again;
  });

  it('tells everybody in a pack that failed, and nobody else', async () => {
    const { packer, sent } = open({ maxReportsPerPack: 2 });
    const outcomes = Promise.allSettled([1, 2, 3, 4].map((n) => packer.add([numbered(n)])));
    await until(() => sent.length === 2);
    sent[0]!.fail(new Error('away'));
    sent[1]!.acknowledge();
    expect((await outcomes).map(({ status }) => status)).toEqual([
      'rejected',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    expect(packer.heldBytes).toBe(0);
  });

  it('writes what contracts call a pack', async () => {
    const packs: unknown[] = [];
    const packer = new ReportPacker({
      clock: () => 77,
      append: async (_subject, data) => packs.push(JSON.parse(Buffer.from(data).toString())),
    });
    await packer.add([numbered(1)]);
    expect(telemetryPack.omit({ reports: true }).parse(packs[0])).toMatchObject({ receivedAt: 77 });
  });
});
