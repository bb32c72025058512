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

/** What `headgate rollout plan` prints for this fleet; it moves nothing. */
export const proposePlan = async (api: Api, flag: string, screen: Screen): Promise<void> => {
  const plan = await api.post<{ ladderPpm?: readonly number[]; explain?: readonly string[] }>(
    `/v1/projects/${PROJECT}/rollout-plan`,
    { channel: CHANNEL, flag, policy: TIMES, metrics: METRICS },
  );
  for (const line of plan.explain ?? []) screen.say(`rollout plan: ${line}`);
};
