/**
 * Seed and number of runs of a door's fuzzing, said on stderr before it begins, so that a run that hangs can be repeated too.
 * `HEADGATE_FUZZ_SEED` and `HEADGATE_FUZZ_RUNS` repeat a run, or make it longer.
 */
export const fuzzRun = (door: string, runs: number): { readonly seed: number; readonly numRuns: number } => {
  const seed = Number(process.env.HEADGATE_FUZZ_SEED ?? Date.now() % 2_147_483_647);
  const numRuns = Number(process.env.HEADGATE_FUZZ_RUNS ?? runs);
  process.stderr.write(`fuzz of ${door}: seed ${seed}, ${numRuns} runs\n`);
  return { seed, numRuns };
};
