import type { LookView } from '@headgate/contracts';
import type { MadeLook } from '../rollout/rollout-analysis.js';
import { weighed } from './verdict-of-look.js';

/** A look for those who watch; not stored. */
export const lookViewOf = (rolloutId: string, { look, onInstanceHours }: MadeLook): LookView => ({
  rolloutId,
  step: look.step,
  weightPpm: look.weightPpm,
  at: look.at,
  decision: look.decision,
  code: look.code,
  reasons: [...look.reasons],
  evidence: Math.min(look.eBar, 1e300),
  threshold: look.threshold,
  instances: { canary: look.canary, baseline: look.baseline },
  onInstanceHours,
  ...(look.signals && { signals: weighed(look.signals) }),
});
