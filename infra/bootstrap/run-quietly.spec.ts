import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runQuietly } from './run-quietly.mjs';

describe('a command that is run quietly', () => {
  test('gives what it printed', async () => {
    expect(await runQuietly('sh', ['-c', 'echo yes; echo aside >&2'])).toBe('yes\n');
  });

  test('fails with the end of all that it printed', async () => {
    const script = 'for i in $(seq 40); do echo line $i; done; exit 3';
    await expect(runQuietly('sh', ['-c', script])).rejects.toThrow(
      /^sh -c ended with 3:\nline 26\n.*line 40$/s,
    );
  });

  test('has no standard input to wait for', async () => {
    expect(await runQuietly('cat', [])).toBe('');
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('ends with the process that runs it, by %s', async (signal) => {
    const folder = mkdtempSync(join(tmpdir(), 'headgate-quietly-'));
    const pidFile = join(folder, 'pid');
    const module = pathToFileURL(join(process.cwd(), 'infra', 'bootstrap', 'run-quietly.mjs'));
    const command = `echo $$ > ${pidFile}.part; mv ${pidFile}.part ${pidFile}; exec sleep 600`;
    const body = `import { endingWhatItRuns, runQuietly } from '${module}';
      await endingWhatItRuns(() => runQuietly('sh', ['-c', ${JSON.stringify(command)}]));`;
    const runner = spawn(process.execPath, ['--input-type=module', '-e', body], { stdio: 'ignore' });
    try {
      await until(() => existsSync(pidFile));
      const pid = Number(readFileSync(pidFile, 'utf8'));
      const ended = new Promise((resolve) => runner.once('close', (_, by) => resolve(by)));
      runner.kill(signal);
      expect(await ended).toBe(signal);
      await until(() => commandOf(pid) === '');
    } finally {
      runner.kill('SIGKILL');
      rmSync(folder, { recursive: true });
    }
  });
});

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Empty for a process that is gone, or dead and only not waited for. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
