import { PRICING_FLAG, READER_FLAG } from '../fleet/instance.js';
import type { Screen } from '../screen/screen.js';
import type { Api } from './api.js';
import { CHANNEL, METRICS, PROJECT, TIMES } from './settings.js';

/** The upstream project, its channel and two switchable code paths, as a person would make them. */
export const prepareProject = async (api: Api): Promise<void> => {
  await api.post('/v1/projects', { slug: PROJECT, name: 'Shop', why: 'demo' });
  await api.post(`/v1/projects/${PROJECT}/channels`, {
    slug: CHANNEL,
    beatLifetimeMs: 86_400_000,
    why: 'demo',
  });
  for (const key of [READER_FLAG, PRICING_FLAG])
    await api.post(`/v1/projects/${PROJECT}/channels/${CHANNEL}/flags`, {
      key,
      definition: { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' },
      why: 'a rewrite behind a switch',
    });
};

const PLAN_PATIENCE_MS = 45_000;
const ASK_AGAIN_MS = 2_000;

interface ProposedPlan {
  readonly fleetSize: number;
  readonly ladderPpm: readonly number[];
  readonly explain: readonly string[];
}

/** What `headgate rollout plan` prints once the whole fleet has reported for a while; it moves nothing. */
export const proposePlan = async (
  api: Api,
  flag: string,
  fleetSize: number,
  screen: Screen,
): Promise<ProposedPlan> => {
  const body = { channel: CHANNEL, flag, policy: TIMES, metrics: METRICS };
  const ask = () => api.post<ProposedPlan>(`/v1/projects/${PROJECT}/rollout-plan`, body);
  const deadline = Date.now() + PLAN_PATIENCE_MS;
  let plan = await ask();
  while (plan.fleetSize < fleetSize && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
    plan = await ask();
  }
  for (const line of plan.explain) screen.say(`rollout plan: ${line}`);
  return plan;
};
