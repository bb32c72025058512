import type { Command } from '@headgate/domain';

const WHY = 'a spec says so';

/** Commands with ids that are valid, different, and the same in every run. */
export const sampleCommands = () => {
  let made = 0;
  const uuid = (n: number): string => `01890000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
  const next = (): string => uuid(++made);
  return {
    uuid,
    commandId: next,
    createProject: (project: string): Command => ({
      type: 'create-project',
      project,
      projectId: next(),
      name: project,
      why: WHY,
    }),
    createChannel: (project: string, slug: string): Command => ({
      type: 'create-channel',
      project,
      channelId: next(),
      slug,
      beatLifetimeMs: 86_400_000,
      why: WHY,
    }),
    createFlag: (project: string, channel: string, key: string): Command => ({
      type: 'create-flag',
      project,
      flagId: next(),
      channel,
      key,
      definition: {
        state: 'ENABLED',
        variants: { on: true, off: false },
        defaultVariant: 'off',
        overridable: 'none',
      },
      why: WHY,
    }),
    killFlag: (project: string, flagId: string): Command => ({
      type: 'kill-flag',
      project,
      flagId,
      why: WHY,
    }),
    liftKill: (project: string, flagId: string): Command => ({
      type: 'lift-kill',
      project,
      flagId,
      why: WHY,
    }),
  };
};
