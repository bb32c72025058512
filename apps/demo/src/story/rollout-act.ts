import type { Acknowledged, RolloutView } from '@headgate/contracts';
import type { Screen } from '../screen/screen.js';
import type { Api } from './api.js';
import { ACT_TIMEOUT_MS, CHANNEL, METRICS, PROJECT, TIMES } from './settings.js';

const ENDED = ['completed', 'rolled-back', 'stopped', 'aborted'];

/** Asks for a rollout, watches it, and touches nothing until it has ended by itself. */
export const runRollout = async (
  api: Api,
  flag: string,
  why: string,
  screen: Screen,
): Promise<RolloutView> => {
  const body = { channel: CHANNEL, flag, variant: 'on', policy: TIMES, metrics: METRICS, why };
  const asked = await api.post<Acknowledged>(`/v1/projects/${PROJECT}/rollouts`, body);
  const path = `/v1/projects/${PROJECT}/rollouts/${asked.id}`;
  const timeout = AbortSignal.timeout(ACT_TIMEOUT_MS);
  let shown: RolloutView | null = null;
  for await (const watched of api.watch(`${path}/watch`, timeout)) {
    if (watched.event === 'look') screen.look(watched.data);
    else {
      narrate(shown, watched.data, screen);
      shown = watched.data;
      if (ENDED.includes(shown.status)) break;
    }
  }
  return api.get<RolloutView>(path);
};

const narrate = (before: RolloutView | null, now: RolloutView, screen: Screen): void => {
  screen.rollout(now);
  if (!before)
    screen.say(
      `rollout ${now.id} of ${now.flagKey} requested; pre-period: the fleet reports, nobody is switched`,
    );
  if (now.ladderPpm && !before?.ladderPpm)
    screen.say(`plan: ${now.ladderPpm.map(percent).join(' → ')}${detectable(now)}`);
  for (const verdict of now.verdicts.slice(before?.verdicts.length ?? 0))
    screen.say(
      `verdict at step ${verdict.step + 1}: ${verdict.decision} (${verdict.code}), evidence ${verdict.evidence.toFixed(2)} of ${verdict.threshold}: ${verdict.reasons.join('; ')}`,
    );
  for (const step of now.steps.slice(before?.steps.length ?? 0))
    screen.say(
      `step ${step.step + 1} of ${now.ladderPpm?.length ?? '?'}: ${percent(step.weightPpm)} of the fleet`,
    );
  if (now.endReason && !before?.endReason) screen.say(`${now.flagKey}: ${now.status} — ${now.endReason}`);
};

const percent = (ppm: number): string => `${ppm / 10_000} %`;

const detectable = (rollout: RolloutView): string => {
  const lines = (rollout.plan as { explain?: readonly string[] } | null)?.explain;
  return lines ? `\n    ${lines.join('\n    ')}` : '';
};
