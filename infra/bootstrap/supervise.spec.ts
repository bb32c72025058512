import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

describe('a supervised process', () => {
  let supervisor: ChildProcess | undefined;
  afterEach(() => supervisor?.kill('SIGKILL'));

  /** Supervises a Node that runs `script`; tells how the supervisor ended and what was printed. */
  const supervise = (script: string, isWatched = false) => {
    const module = pathToFileURL(join(process.cwd(), 'infra', 'bootstrap', 'supervise.mjs'));
    const body = `import { supervise } from '${module}';
      await supervise({ node: process.execPath, args: ['-e', ${JSON.stringify(script)}], env: process.env,
        isWatched: ${isWatched}, graceMs: 300 });`;
    const started = spawn(process.execPath, ['--input-type=module', '-e', body], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    supervisor = started;
    let printed = '';
    started.stdout.on('data', (chunk) => {
      printed += chunk;
    });
    started.stderr.on('data', (chunk) => {
      printed += chunk;
    });
    const ended = new Promise<{ code: number | null; signal: string | null; printed: string }>((resolve) =>
      started.once('close', (code, signal) => resolve({ code, signal, printed })),
    );
    const ready = new Promise((resolve) => started.stdout.once('data', resolve));
    return { started, ended, ready };
  };

  test.each([0, 3])('hands on its exit code %d', async (code) => {
    expect(await supervise(`process.exit(${code})`).ended).toMatchObject({ code, signal: null });
  });

  test('hands on the signal it died of', async () => {
    const { ended } = supervise("process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000)");
    expect(await ended).toMatchObject({ code: null, signal: 'SIGTERM' });
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'gets %s once and ends in its own way',
    async (signal) => {
      const { started, ready, ended } = supervise(`
      let times = 0;
      process.on('${signal}', () => { times += 1; setTimeout(() => { console.log('got', times); process.exit(7); }, 100); });
      setInterval(() => {}, 1000);
      console.log('ready');`);
      await ready;
      started.kill(signal);
      expect(await ended).toEqual({ code: 7, signal: null, printed: 'ready\ngot 1\n' });
    },
  );

  test.each(['SIGTERM', 'SIGKILL'] as const)('under npm run ends when npm is ended by %s', async (signal) => {
    const module = pathToFileURL(join(process.cwd(), 'infra', 'bootstrap', 'supervise.mjs'));
    const child = `console.log(process.pid); setInterval(() => {}, 1000);`;
    const body = `import { supervise } from '${module}';
      await supervise({ node: process.execPath, args: ['-e', ${JSON.stringify(child)}], env: process.env, isWatched: false });`;
    // stands in for npm: a parent that says nothing to its children when it ends
    const npm = spawn(
      process.execPath,
      [
        '-e',
        `require('node:child_process').spawn(process.execPath, ['--input-type=module', '-e', ${JSON.stringify(body)}],
          { stdio: 'inherit', env: { ...process.env, npm_lifecycle_event: 'start' } });`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    supervisor = npm;
    const pid = Number(await new Promise((resolve) => npm.stdout.once('data', resolve)));
    npm.kill(signal);
    await ending(pid);
  });

  const LEAVES_A_PROCESS = `
    require('node:child_process').spawn('sleep', ['600'], { detached: true, stdio: 'ignore' }).unref();`;

  test('fails a watched run that leaves a process behind, and ends that', async () => {
    const { code, printed } = await supervise(LEAVES_A_PROCESS, true).ended;
    expect(code).toBe(1);
    const pid = Number(/left behind: process (\d+): sleep 600/.exec(printed)?.[1]);
    await ending(pid);
  });

  test('may leave nothing and pass', async () => {
    expect(await supervise('', true).ended).toEqual({ code: 0, signal: null, printed: '' });
  });
});

/** Resolves when a process is gone, or dead and only not waited for. */
async function ending(pid: number): Promise<void> {
  expect(pid).toBeGreaterThan(0);
  const command = () => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    } catch {
      return '';
    }
  };
  while (command() !== '') await new Promise((resolve) => setTimeout(resolve, 10));
}
