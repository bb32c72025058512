import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findNatsServer, isAtLeast } from './find-nats-server.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hg-find-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A program that answers `--version` as a nats-server of that version does. */
function program(place: string, version: string): string {
  const path = join(folder, place, 'nats-server');
  mkdirSync(join(folder, place), { recursive: true });
  writeFileSync(path, `#!/bin/sh\necho "nats-server: v${version}"\n`);
  chmodSync(path, 0o755);
  return path;
}

const find = (env: NodeJS.ProcessEnv = {}, from = join(folder, 'project', 'libs', 'embedded', 'dist')) =>
  findNatsServer({ env: { PATH: '', ...env }, from });

test('HEADGATE_NATS_BIN goes before the copy of the project, and that before PATH', async () => {
  const chosen = program('chosen', '2.15.1');
  const cached = program('project/.cache/nats', '2.14.5');
  program('bin', '2.16.0');
  const PATH = join(folder, 'bin');
  expect(await find({ PATH, HEADGATE_NATS_BIN: chosen })).toEqual({ path: chosen, version: '2.15.1' });
  expect(await find({ PATH })).toEqual({ path: cached, version: '2.14.5' });
});

test('programs that are too old are passed over', async () => {
  program('project/.cache/nats', '2.9.10');
  program('old', '2.13.9');
  const fit = program('new', '2.14.0');
  const PATH = [join(folder, 'old'), join(folder, 'missing'), join(folder, 'new')].join(':');
  expect(await find({ PATH })).toEqual({ path: fit, version: '2.14.0' });
});

test('HEADGATE_NATS_BIN that is too old or does not run is an error, whatever else there is', async () => {
  program('project/.cache/nats', '2.15.1');
  await expect(find({ HEADGATE_NATS_BIN: program('old', '2.10.27') })).rejects.toThrow(
    /HEADGATE_NATS_BIN=.* is 2\.10\.27, older than 2\.14\.0; set it to/,
  );
  await expect(find({ HEADGATE_NATS_BIN: join(folder, 'absent') })).rejects.toThrow(
    /does not run; set it to/,
  );
});

test('when nothing does, the error names what was passed over and the next step', async () => {
  program('old', '2.9.10');
  await expect(find({ PATH: join(folder, 'old') })).rejects.toThrow(
    /no nats-server 2\.14\.0 or later found \(passed over: .*old\/nats-server is 2\.9\.10.*\); run `npm run bootstrap`/,
  );
});

test.each([
  ['2.14.0', true],
  ['2.14.1', true],
  ['2.15.0', true],
  ['3.0.0', true],
  ['2.13.99', false],
  ['2.9.10', false],
  ['1.99.0', false],
  ['2.14.0-beta.1', false],
  ['2.15.0-beta.1', true],
])('%s satisfies 2.14.0: %s', (version, expected) => {
  expect(isAtLeast(version, '2.14.0')).toBe(expected);
});
