import { setTimeout as wait } from 'node:timers/promises';
import type { ProjectionStatus } from '@headgate/projector';
import type { ChannelCheck } from './channel-checks.js';

export interface CheckedProjection {
  readonly projection: { status(): Pick<ProjectionStatus, 'state' | 'detail' | 'lag' | 'checkpoint'> };
  /** Sequence of LOG's newest message. */
  readonly newest: () => Promise<number>;
  /** Between two looks at a projection that is behind. */
  readonly pause?: () => Promise<unknown>;
}

const LOOKS = 10;
const LOOK_MS = 200;

/**
 * Whether archive and read model keep up with the log. Behind and at work is well, unless the distance grows: then it cannot be
 * said. Behind and standing still is not well, whatever the projection says of itself.
 */
export const projectionCheck = async ({
  projection,
  newest,
  pause = () => wait(LOOK_MS),
}: CheckedProjection): Promise<ChannelCheck> => {
  const name = 'projection and archive';
  const behind = async (): Promise<number> =>
    Math.max(0, (await newest()) - (projection.status().checkpoint?.streamSequence ?? 0));
  try {
    const sequence = projection.status().checkpoint?.streamSequence ?? 0;
    const first = await behind();
    let last = first;
    for (let look = 1; last > 0 && look < LOOKS; look += 1) {
      await pause();
      last = await behind();
    }
    const { state, detail, checkpoint } = projection.status();
    const said = `${detail}, ${last} events behind`;
    if (state !== 'following') return { name, ok: false, detail: said };
    if (last === 0) return { name, ok: true, detail: said };
    if (checkpoint?.streamSequence === sequence)
      return { name, ok: false, detail: `${said}, standing still` };
    if (last > first) return { name, ok: null, detail: `${said}, and growing: ${first} two seconds ago` };
    return { name, ok: true, detail: said };
  } catch (cause) {
    return { name, ok: null, detail: `unknown: ${(cause as Error).message}` };
  }
};
