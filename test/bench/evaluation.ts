import { writeFileSync } from 'node:fs';
import { measure, type Row } from './evaluation/measure.js';
import { openSystems } from './evaluation/open-systems.js';
import { CASES } from './evaluation/subject.js';

/**
 * `npm run bench -- evaluation [--json FILE]`: one evaluation in process, of a static flag, a 10 % split, and two rules before a
 * 25 % split, by Headgate, by its peers, and by a function written by hand.
 */
const ROUNDS = 11;
// OpenFeature collects garbage every few milliseconds: a short round meets it or not.
const ROUND_MS = 100;
const HEAP_SAMPLES = 101;

const args = process.argv.slice(2);
const file = args.includes('--json') ? args[args.indexOf('--json') + 1] : undefined;

const systems = await openSystems();
const rows = await measure(systems, { rounds: ROUNDS, roundMs: ROUND_MS, heapSamples: HEAP_SAMPLES });
await Promise.all(systems.map(({ close }) => close?.()));

const of = (system: string, name: string): Row => {
  const row = rows.find((one) => one.system === system && one.case === name);
  if (!row) throw new Error(`no row for ${system}, ${name}`);
  return row;
};
for (const name of CASES) {
  process.stdout.write(`\n${name}\n`);
  for (const { system, version, nsPerOp, bytesPerOp, onPercent } of rows.filter((row) => row.case === name)) {
    const timesFloor = (nsPerOp / of('floor', name).nsPerOp).toFixed(1);
    process.stdout.write(
      `  ${system.padEnd(34)} ${version.padEnd(16)} ${nsPerOp.toFixed(1).padStart(9)} ns  ${timesFloor.padStart(7)} x floor  ${bytesPerOp.toFixed(0).padStart(6)} B  on ${onPercent === null ? '-' : `${onPercent} %`}\n`,
    );
  }
  const counted = of('headgate sdk, counting exposures', name).nsPerOp - of('headgate', name).nsPerOp;
  const provided =
    of('openfeature sdk + headgate', name).nsPerOp / of('openfeature sdk + no-op provider', name).nsPerOp;
  process.stdout.write(
    `  the SDK with counting adds ${counted.toFixed(1)} ns; our OpenFeature provider ${provided.toFixed(2)} x no-op\n`,
  );
}
if (file) writeFileSync(file, `${JSON.stringify(rows, null, 2)}\n`);
