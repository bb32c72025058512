import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWhereFound, type Tool, whereFound } from './where-found.js';

interface Call {
  readonly how: 'test' | 'test.skip' | 'describe' | 'describe.skip';
  readonly name: string;
  readonly body: () => void;
}

/** What a call registers with jest, seen by standing in for jest's globals while it runs. */
function registered(register: () => void): readonly Call[] {
  const calls: Call[] = [];
  const recorder = (how: 'test' | 'describe') =>
    Object.assign((name: string, body: () => void) => void calls.push({ how, name, body }), {
      skip: (name: string, body: () => void) => void calls.push({ how: `${how}.skip`, name, body }),
    });
  const jest = { test: globalThis.test, describe: globalThis.describe };
  Object.assign(globalThis, { test: recorder('test'), describe: recorder('describe') });
  try {
    register();
  } finally {
    Object.assign(globalThis, jest);
  }
  return calls;
}

describe('a test that needs a tool', () => {
  const { PATH, HEADGATE_MUST_RUN } = process.env;
  let bin: string;
  const ran: Tool[] = [];

  // the answer for a tool is kept, so each case has a tool of its own
  beforeEach(() => {
    bin = mkdtempSync(join(tmpdir(), 'headgate-tools-'));
    process.env.PATH = bin;
    delete process.env.HEADGATE_MUST_RUN;
  });
  afterEach(() => {
    process.env.PATH = PATH;
    if (HEADGATE_MUST_RUN !== undefined) process.env.HEADGATE_MUST_RUN = HEADGATE_MUST_RUN;
    rmSync(bin, { recursive: true, force: true });
  });

  test('is a test like any other where the tool works', () => {
    writeFileSync(join(bin, 'prometheus'), '#!/bin/sh\nexit 0\n');
    chmodSync(join(bin, 'prometheus'), 0o755);
    const [call] = registered(() => whereFound('prometheus', 'scrapes', () => void ran.push('prometheus')));
    expect(call).toMatchObject({ how: 'test', name: 'scrapes' });
    call?.body();
    expect(ran).toEqual(['prometheus']);
  });

  test('is skipped under a name that says what is missing', () => {
    const calls = registered(() => {
      whereFound('spin', 'proves it', () => void ran.push('spin'));
      describeWhereFound('spin', 'a model', () => void ran.push('spin'));
    });
    expect(calls.map(({ how, name }) => [how, name])).toEqual([
      ['test.skip', 'proves it [not run: spin]'],
      ['describe.skip', 'a model [not run: spin]'],
    ]);
    expect(ran).not.toContain('spin');
  });

  test('does not count a program that fails as found', () => {
    writeFileSync(join(bin, 'strace'), '#!/bin/sh\necho "ptrace: not permitted" >&2\nexit 1\n');
    chmodSync(join(bin, 'strace'), 0o755);
    expect(registered(() => whereFound('strace', 'counts', () => {}))[0]?.how).toBe('test.skip');
  });

  test('fails where the run demands the tool', () => {
    process.env.HEADGATE_MUST_RUN = 'shared,chromium';
    const [single, group] = registered(() => {
      whereFound('chromium', 'draws', () => void ran.push('chromium'));
      describeWhereFound('chromium', 'a page', () => void ran.push('chromium'));
    });
    expect(single).toMatchObject({ how: 'test', name: 'draws' });
    expect(() => single?.body()).toThrow('HEADGATE_MUST_RUN asks for it');

    expect(group).toMatchObject({ how: 'describe', name: 'a page' });
    const [inside] = registered(() => group?.body());
    expect(() => inside?.body()).toThrow('HEADGATE_MUST_RUN asks for it');
    expect(ran).not.toContain('chromium');
  });
});
