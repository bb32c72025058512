import { judgePolicy, PLAN_QUESTIONS } from '@headgate/contracts';
import { declareInstallation, openMemoryStreams } from '@headgate/streams';
import { answerPlans } from './answer-plans.js';

const T0 = 1_780_000_000_000;

const ask = async (question: unknown): Promise<{ answer: unknown; faults: number }> => {
  const streams = openMemoryStreams({ now: () => T0 });
  await declareInstallation(streams, { now: T0 });
  let faults = 0;
  const stop = answerPlans(
    streams,
    () => T0,
    () => {
      faults += 1;
    },
  );
  const data = await streams.ask(PLAN_QUESTIONS, Buffer.from(JSON.stringify(question)), 1_000);
  stop();
  await expect(streams.ask(PLAN_QUESTIONS, Buffer.from('{}'), 1_000)).rejects.toThrow(/nobody answers/);
  return { answer: JSON.parse(Buffer.from(data).toString()), faults };
};

it('answers with the plan that a rollout would get now', async () => {
  const { answer, faults } = await ask({
    project: 'shop',
    channel: 'stable',
    policy: judgePolicy.parse({}),
    metrics: [],
  });
  expect(answer).toMatchObject({ ok: true, plan: { fleetSize: 0, mode: 'sparse' } });
  expect(faults).toBe(0);
});

it('says that it could not, and tells its operator why, when it is asked nonsense', async () => {
  const { answer, faults } = await ask({
    project: 'shop',
    channel: 'stable',
    policy: { alpha: 7 },
    metrics: [],
  });
  expect(answer).toEqual({ ok: false, message: expect.stringContaining('log') });
  expect(faults).toBe(1);
});
