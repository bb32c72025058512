import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { withExclusiveLock } from './exclusive-lock.mjs';

describe('the exclusive lock', () => {
  let folder: string;
  let path: string;
  const children: ChildProcess[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'headgate-lock-'));
    path = join(folder, 'lock');
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  const run = (body: string) => {
    const module = pathToFileURL(join(process.cwd(), 'infra', 'bootstrap', 'exclusive-lock.mjs'));
    const script = `import { withExclusiveLock } from '${module}';\nimport { appendFileSync } from 'node:fs';\n${body}`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    children.push(child);
    return child;
  };
  const exitOf = (child: ChildProcess) =>
    new Promise<number | null>((resolve) => child.once('close', resolve));
  const firstOutput = (child: ChildProcess) => new Promise((resolve) => child.stdout?.once('data', resolve));

  test.each([
    ['a free lock', undefined],
    ['a lock whose holder is gone', { pid: 2 ** 30, startedAt: '1', token: 'gone' }],
  ])('lets one process in at a time, from %s on', async (_, left) => {
    if (left) writeFileSync(path, JSON.stringify(left));
    const log = join(folder, 'log');
    const visit = `await withExclusiveLock(${JSON.stringify(path)}, async () => {
      appendFileSync(${JSON.stringify(log)}, 'in ');
      await new Promise((resolve) => setTimeout(resolve, 20));
      appendFileSync(${JSON.stringify(log)}, 'out ');
    });`;
    const codes = await Promise.all(Array.from({ length: 6 }, () => exitOf(run(visit))));
    expect(codes).toEqual([0, 0, 0, 0, 0, 0]);
    expect(readFileSync(log, 'utf8')).toBe('in out '.repeat(6));
    expect(readdirSync(folder)).toEqual(['log']);
  });

  test('is taken over from a process that was killed', async () => {
    const holder = run(`await withExclusiveLock(${JSON.stringify(path)}, async () => {
      process.stdout.write('held');
      await new Promise(() => process.stdin.resume());
    });`);
    await firstOutput(holder);
    const gone = exitOf(holder);
    holder.kill('SIGKILL');
    await gone;
    expect(existsSync(path)).toBe(true);

    expect(await withExclusiveLock(path, async () => 'mine')).toBe('mine');
    expect(readdirSync(folder)).toEqual([]);
  });

  const hasProc = process.platform === 'linux';
  const mark = hasProc ? '' : ' [not run: /proc]';
  (hasProc ? test : test.skip)(`is taken over from a dead process nobody waited for${mark}`, async () => {
    const parent = spawn('sh', ['-c', 'sleep 600 & echo $!; wait'], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(parent);
    const pid = Number(await firstOutput(parent));
    writeFileSync(path, JSON.stringify({ pid, startedAt: stat(pid)[19], token: 'zombie' }));
    parent.kill('SIGSTOP');
    await until(() => stat(Number(parent.pid))[0] === 'T');
    process.kill(pid, 'SIGKILL');
    await until(() => stat(pid)[0] === 'Z');
    expect(await withExclusiveLock(path, async () => stat(pid)[0])).toBe('Z');
  });

  test('is taken over from a process whose id another one has now', async () => {
    writeFileSync(path, JSON.stringify({ pid: process.pid, startedAt: '1', token: 'former' }));
    expect(await withExclusiveLock(path, async () => 'mine')).toBe('mine');
  });

  test('is waited for, and the waiter is told who holds it', async () => {
    const holder = run(`await withExclusiveLock(${JSON.stringify(path)}, async () => {
      process.stdout.write('held');
      await new Promise((resolve) => process.stdin.once('data', resolve));
    });
    process.exit();`);
    await firstOutput(holder);
    const told: number[] = [];
    const waiting = withExclusiveLock(path, async () => 'mine', {
      onWait: ({ pid }) => {
        told.push(pid);
        holder.stdin?.write('leave\n');
      },
    });
    expect(await waiting).toBe('mine');
    expect(told).toEqual([holder.pid]);
  });

  test('is given up on in the end, naming the holder', async () => {
    const holder = run(`await withExclusiveLock(${JSON.stringify(path)}, async () => {
      process.stdout.write('held');
      await new Promise(() => process.stdin.resume());
    });`);
    await firstOutput(holder);
    await expect(withExclusiveLock(path, async () => 'mine', { patienceMs: 0 })).rejects.toThrow(
      `held by process ${holder.pid}`,
    );
  });

  test('is released when the work fails', async () => {
    await expect(withExclusiveLock(path, () => Promise.reject(new Error('broken')))).rejects.toThrow(
      'broken',
    );
    expect(await withExclusiveLock(path, async () => 'next')).toBe('next');
  });
});

/** A process's state and what follows it in /proc. */
function stat(pid: number): readonly string[] {
  return readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}
