import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CrashBook } from './crash-book.js';

describe('the crash book', () => {
  let root: string;
  let complaints: string[];
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'hg-crash-'));
    complaints = [];
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const open = (bootId: string, directory: string | null = root, at = 1_000): CrashBook =>
    new CrashBook({
      directory,
      name: 'shop.stable',
      bootId,
      now: () => at,
      complain: (message) => complaints.push(message),
    });

  it('tells in the next boot what the last one died of, once the collector has it never again', () => {
    open('a').crashed('null in till');
    const next = open('b');
    expect(next.next(1)).toEqual({ signature: 'null in till', at: 1_000 });
    expect(next.next(2)).toBeUndefined();
    // Not accepted: told again by the boot after.
    expect(open('c').next(1)).toEqual({ signature: 'null in till', at: 1_000 });
    next.accepted(1);
    expect(readdirSync(root)).toEqual([]);
    expect(open('d').next(1)).toBeUndefined();
  });

  it('tells it itself when the process lives on, with a directory and without', () => {
    for (const directory of [root, null]) {
      const book = open('a', directory);
      book.crashed('null in till');
      expect(book.next(7)).toEqual({ signature: 'null in till', at: 1_000 });
      book.accepted(7);
    }
    expect(readdirSync(root)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it('tells each signature once a boot, one a report, oldest first, and keeps a file until all of it is told', () => {
    const book = open('a');
    for (const signature of ['one', 'two', 'one']) book.crashed(signature);
    const next = open('b');
    expect([next.next(1)?.signature, next.next(2)?.signature, next.next(3)]).toEqual([
      'one',
      'two',
      undefined,
    ]);
    next.accepted(2);
    expect(readdirSync(root)).toHaveLength(1);
    next.accepted(1);
    expect(readdirSync(root)).toEqual([]);
  });

  it('is bounded: signatures, their length, and the files of a process that dies at every start', () => {
    const book = open('a');
    for (let n = 0; n < 30; n += 1) book.crashed(`${n} `.padEnd(700, 'x'));
    const next = open('b');
    const told = Array.from({ length: 30 }, (_, k) => next.next(k + 1)).filter(
      (crash) => crash !== undefined,
    );
    expect(told.map(({ signature }) => signature.length)).toEqual(Array(20).fill(500));
    expect(complaints).toHaveLength(10);
    for (let boot = 0; boot < 40; boot += 1) open(`boot${boot}`).crashed('at start');
    expect(readdirSync(root).length).toBeLessThanOrEqual(21);
  });

  it('tells no text that a collector would refuse', () => {
    const book = open('a');
    book.crashed('a\u0000b\ud800c');
    book.crashed(`${'x'.repeat(499)}\u{1f4a5}`);
    expect([book.next(1)?.signature, book.next(2)?.signature]).toEqual([
      'a b\ufffdc',
      `${'x'.repeat(499)}\ufffd`,
    ]);
  });

  it('passes over what is damaged and clears it away', () => {
    writeFileSync(join(root, 'shop.stable.crash-x.jsonl'), '{"signature":"cut sh');
    writeFileSync(
      join(root, 'shop.stable.crash-y.jsonl'),
      '{"signature":7,"at":1}\n{"signature":"good","at":5}\n\0',
    );
    writeFileSync(join(root, 'other.stable.crash-z.jsonl'), '{"signature":"not ours","at":1}\n');
    const book = open('a');
    expect([book.next(1), book.next(2)]).toEqual([{ signature: 'good', at: 5 }, undefined]);
    expect(readdirSync(root).sort()).toEqual(['other.stable.crash-z.jsonl', 'shop.stable.crash-y.jsonl']);
  });

  it('says so when a crash has no signature or finds no disk, and never throws', () => {
    writeFileSync(join(root, 'a file'), '');
    const book = open('a', join(root, 'a file'));
    book.crashed('null in till');
    book.crashed('');
    book.crashed(undefined as unknown as string);
    expect(complaints).toHaveLength(3);
    expect(book.next(1)?.signature).toBe('null in till');
  });
});
