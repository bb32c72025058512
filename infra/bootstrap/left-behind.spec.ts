import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { leftBehind, RUN_MARK } from './left-behind.mjs';

const hasProc = process.platform === 'linux';

(hasProc ? describe : describe.skip)(
  `processes left behind by a run${hasProc ? '' : ' [not run: /proc]'}`,
  () => {
    let run: string;
    let child: ChildProcess | undefined;
    beforeEach(() => {
      run = randomUUID();
    });
    afterEach(() => child?.kill('SIGKILL'));

    const sleeper = (mark: string) => {
      const started = spawn('sleep', ['600'], { env: { ...process.env, [RUN_MARK]: mark }, stdio: 'ignore' });
      child = started;
      return new Promise<number | undefined>((resolve) => started.once('spawn', () => resolve(started.pid)));
    };

    test('are found by their mark, orphans of any depth included', async () => {
      const parent = spawn('sh', ['-c', 'sleep 600 & echo $!'], {
        env: { ...process.env, [RUN_MARK]: run },
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const orphan = Number(await new Promise((resolve) => parent.stdout.once('data', resolve)));
      try {
        expect(await leftBehind(run, 300)).toEqual([{ pid: orphan, command: 'sleep 600' }]);
      } finally {
        process.kill(orphan, 'SIGKILL');
      }
    });

    test('are found when they belong to a run inside the run', async () => {
      const pid = await sleeper(`${run}/${randomUUID()}`);
      expect(await leftBehind(run, 0)).toEqual([{ pid, command: 'sleep 600' }]);
    });

    test('of another run are none of its business', async () => {
      await sleeper(randomUUID());
      expect(await leftBehind(run, 0)).toEqual([]);
    });

    test('are given time to end', async () => {
      await sleeper(run);
      const answer = leftBehind(run, 20_000);
      child?.kill();
      expect(await answer).toEqual([]);
    });
  },
);
