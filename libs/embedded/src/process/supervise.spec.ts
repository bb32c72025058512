import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { transformFileSync } from '@swc/core';
import { identityOf, isStillRunning } from './process-identity.js';
import { type Supervised, supervise } from './supervise.js';

const here = dirname(fileURLToPath(import.meta.url));
let folder: string;
const started: Supervised[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hg-supervise-'));
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.stop()));
  rmSync(folder, { recursive: true, force: true });
});

async function startProgram(script: string, graceMs = 10_000): Promise<Supervised> {
  const server = await supervise({
    program: '/bin/sh',
    args: ['-c', script],
    outputFile: join(folder, 'output'),
    stopSignal: 'SIGTERM',
    graceMs,
  });
  started.push(server);
  return server;
}

async function eventually(what: string, isTrue: () => boolean): Promise<void> {
  for (let i = 0; i < 1_000; i++) {
    if (isTrue()) return;
    await wait(10);
  }
  throw new Error(`did not happen: ${what}`);
}

const output = () => readFileSync(join(folder, 'output'), 'utf8');

test('the id it gives is that of the program, and the exit code is passed on', async () => {
  const server = await startProgram('echo "I am $$"; exit 7');
  expect(await server.exited).toEqual({ code: 7, signal: null });
  expect(output()).toBe(`I am ${server.pid}\n`);
  expect(server.isRunning()).toBe(false);
});

test('a program that ends on the stop signal may finish its work first', async () => {
  const server = await startProgram(
    'trap "echo finished; exit 0" TERM; echo up; while :; do sleep 0.05; done',
  );
  await eventually('the program is up', () => output().includes('up'));
  expect(await server.stop()).toEqual({ code: 0, signal: null });
  expect(output()).toBe('up\nfinished\n');
});

test('a program that ignores the stop signal is killed after the grace time', async () => {
  const server = await startProgram('trap "" TERM; echo up; while :; do sleep 0.05; done', 100);
  await eventually('the program is up', () => output().includes('up'));
  expect(await server.stop()).toEqual({ code: null, signal: 'SIGKILL' });
});

test('a death by signal is reported as such', async () => {
  const server = await startProgram('while :; do sleep 0.05; done');
  process.kill(server.pid, 'SIGKILL');
  expect(await server.exited).toEqual({ code: null, signal: 'SIGKILL' });
  expect(await server.stop()).toEqual({ code: null, signal: 'SIGKILL' });
});

test('a program that cannot be started is an exit with the reason in the output', async () => {
  const server = await supervise({
    program: join(folder, 'no-such-program'),
    args: [],
    outputFile: join(folder, 'output'),
    stopSignal: 'SIGTERM',
    graceMs: 1_000,
  });
  expect((await server.exited).code).toBe(127);
  expect(output()).toContain('no-such-program');
});

describe('when the process that started it is killed with SIGKILL', () => {
  const parents: ChildProcess[] = [];
  const orphans: number[] = [];

  afterEach(() => {
    for (const parent of parents.splice(0)) parent.kill('SIGKILL');
    for (const pid of orphans.splice(0)) {
      if (isStillRunning(identityOf(pid)) === true) process.kill(pid, 'SIGKILL');
    }
  });

  /** A process of its own that runs the very code under test, compiled beside the script. */
  function parentThat(script: string): ChildProcess {
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    for (const file of readdirSync(here).filter((name) => name.endsWith('.ts') && !name.includes('.spec.'))) {
      const { code } = transformFileSync(join(here, file), {
        jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
        module: { type: 'es6' },
      });
      writeFileSync(join(folder, file.replace(/\.ts$/, '.js')), code);
    }
    writeFileSync(join(folder, 'parent.js'), script);
    const parent = spawn(process.execPath, ['parent.js'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    parents.push(parent);
    return parent;
  }

  async function childOf(parent: ChildProcess): Promise<ReturnType<typeof identityOf>> {
    let said = '';
    parent.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await eventually('the parent names its child', () => said.endsWith('\n'));
    orphans.push(Number(said));
    return identityOf(Number(said));
  }

  test('the program is ended, at last with SIGKILL', async () => {
    const parent = parentThat(`
      import { supervise } from './supervise.js';
      const { pid } = await supervise({ program: '/bin/sh', args: ['-c', 'trap "" TERM; while :; do sleep 0.05; done'],
        outputFile: 'output', stopSignal: 'SIGTERM', graceMs: 1000 });
      console.log(pid);
      setInterval(() => {}, 1000);
    `);
    const child = await childOf(parent);
    expect(isStillRunning(child)).toBe(true);
    parent.kill('SIGKILL');
    await eventually('the child is gone', () => isStillRunning(child) === false);
  });

  test('control: a child without the watchdog lives on', async () => {
    const parent = parentThat(`
      import { spawn } from 'node:child_process';
      const { pid } = spawn('/bin/sh', ['-c', 'while :; do sleep 0.05; done'], { detached: true, stdio: 'ignore' });
      console.log(pid);
      setInterval(() => {}, 1000);
    `);
    const child = await childOf(parent);
    const gone = new Promise((resolve) => parent.once('exit', resolve));
    parent.kill('SIGKILL');
    await gone;
    expect(isStillRunning(child)).toBe(true);
  });

  test('a parent that has nothing else to do is not kept alive, and takes the program with it', async () => {
    const parent = parentThat(`
      import { supervise } from './supervise.js';
      const { pid } = await supervise({ program: '/bin/sh', args: ['-c', 'while :; do sleep 0.05; done'],
        outputFile: 'output', stopSignal: 'SIGTERM', graceMs: 1000 });
      console.log(pid);
    `);
    const child = await childOf(parent);
    await eventually('the parent ends by itself', () => parent.exitCode === 0);
    await eventually('the child is gone', () => isStillRunning(child) === false);
  });

  test('a parent that stops the program lives until it is gone', async () => {
    const parent = parentThat(`
      import { supervise } from './supervise.js';
      const { pid, stop } = await supervise({ program: '/bin/sh', args: ['-c', 'trap "" TERM; while :; do sleep 0.05; done'],
        outputFile: 'output', stopSignal: 'SIGTERM', graceMs: 50 });
      console.log(pid);
      await stop();
      process.exitCode = 3;
    `);
    const child = await childOf(parent);
    await eventually('the parent ends', () => parent.exitCode !== null);
    expect(parent.exitCode).toBe(3);
    expect(isStillRunning(child)).toBe(false);
  });
});

test('a program whose watchdog is killed is ended by its parent', async () => {
  const server = await startProgram('while :; do sleep 0.05; done');
  const child = identityOf(server.pid);
  const stat = readFileSync(`/proc/${server.pid}/stat`, 'utf8');
  const watchdog = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  process.kill(watchdog, 'SIGKILL');
  await server.exited;
  await eventually('the child is gone', () => isStillRunning(child) === false);
});
