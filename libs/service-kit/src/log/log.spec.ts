import { Log, type LogOptions } from './log.js';
import { redact, redactText } from './redact.js';

const logged = (options: Partial<LogOptions>, write: (log: Log) => void): readonly string[] => {
  const lines: string[] = [];
  write(
    new Log({ service: 's', level: 'info', now: () => 0, write: (line) => lines.push(line), ...options }),
  );
  return lines;
};

describe('the log', () => {
  it('writes one JSON line per entry, from its level up', () => {
    const lines = logged({}, (log) => {
      log.debug('unheard');
      log.child({ project: 'web' }).info('line one\nline two', { n: 1n });
    });
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain('\n');
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      at: '1970-01-01T00:00:00.000Z',
      level: 'info',
      service: 's',
      message: 'line one\nline two',
      project: 'web',
      n: '1',
    });
  });

  it('is short for people', () => {
    expect(
      logged({ isHuman: true }, (log) => log.warn('away', { role: 'control', error: undefined })),
    ).toEqual(['00:00:00.000 WARN  s away role=control']);
  });

  it('never holds a secret, wherever it stands', () => {
    const secret = 'hg_0123456789abcdefghij';
    const cause = new Error(`Authorization: Bearer ${secret}`);
    const [line = ''] = logged({}, (log) =>
      log.error(`token ${secret} refused`, {
        url: 'nats://user:hunter2@host',
        token: secret,
        nested: [
          { adminToken: 'x1', password: 'x2', natsPassword: 'x3', headers: { Authorization: 'Basic eDQ=' } },
        ],
        error: new Error('outer', { cause }),
        key: '-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----',
        pem: 'x5',
        bytes: Buffer.from('x6'),
      }),
    );
    for (const hidden of ['0123456789', 'hunter2', 'x1', 'x2', 'x3', 'eDQ', 'MC4CAQ', 'x5', 'x6']) {
      expect(line).not.toContain(hidden);
    }
    expect(line).toContain('outer');
  });

  it('gets through cycles, depth and things without a form', () => {
    const cycle: Record<string, unknown> = { a: 1 };
    cycle.self = cycle;
    let deep: unknown = 1;
    for (let i = 0; i < 50; i++) deep = { deep };
    const safe = redact({ cycle, deep, fn: () => 1, symbol: Symbol('x'), nothing: null });
    expect(() => JSON.stringify(safe)).not.toThrow();
    expect(JSON.stringify(safe)).toContain('[cut]');
  });

  it('leaves other text alone', () => {
    const text = 'flag hg_x of nats://host:4222 at 12:30, basic idea';
    expect(redactText(text)).toBe('flag hg_x of nats://host:4222 at 12:30, basic idea');
  });
});
