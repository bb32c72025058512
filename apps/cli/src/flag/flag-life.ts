import {
  type FlagUsageView,
  type FlagView,
  flagUsageView,
  type UnknownFlagView,
  unknownFlagsView,
} from '@headgate/contracts';
import { instant } from '../output/figures.js';
import { printJson, printList, printOne, type Shown } from '../output/print.js';
import type { Session } from '../session.js';
import { say, type Terminal } from '../terminal.js';
import { shownFlag } from './shown-flag.js';

const isStale = ({ health }: FlagView): boolean =>
  health?.stage === 'stale' || health?.stage === 'potentially-stale';

/** One flag, with what can be said of its life. */
export const shownWithHealth: Shown<FlagView> = {
  name: shownFlag.name,
  columns: {
    ...shownFlag.columns,
    stage: ({ health }) => health?.stage ?? '?',
    reasons: ({ health }) => health?.reasons.join('; ') || '-',
  },
};

const shownStale: Shown<FlagView> = {
  name: ({ key }) => `flag/${key}`,
  columns: {
    flag: ({ key }) => key,
    stage: ({ health }) => health?.stage ?? '?',
    expired: ({ health }) => (health?.isExpired ? 'yes' : 'no'),
    reasons: ({ health }) => health?.reasons.join('; ') ?? '',
  },
};

const shownUnknown: Shown<UnknownFlagView> = {
  name: ({ key }) => `flag/${key}`,
  columns: {
    flag: ({ key }) => key,
    instances: ({ instances }) => String(instances),
    first: ({ firstAskedAt }) => instant(firstAskedAt),
    last: ({ lastAskedAt }) => instant(lastAskedAt),
  },
};

const shownUsage: Shown<FlagUsageView> = {
  name: ({ key }) => `flag/${key}`,
  columns: {
    flag: ({ key }) => key,
    served: ({ count }) => String(count),
    first: ({ firstServedAt }) => (firstServedAt === null ? 'never' : instant(firstServedAt)),
    last: ({ lastServedAt }) => (lastServedAt === null ? 'never' : instant(lastServedAt)),
    'last report of the channel': ({ lastReportAt }) =>
      lastReportAt === null ? 'none' : instant(lastReportAt),
    stage: ({ health }) => health?.stage ?? '?',
    reasons: ({ health }) => health?.reasons.join('; ') || '-',
  },
};

const shownVariant: Shown<FlagUsageView['variants'][number]> = {
  name: ({ variant }) => variant ?? '',
  columns: {
    variant: ({ variant }) => variant ?? '(default in the code)',
    by: ({ source }) => BY[source],
    served: ({ count }) => String(count),
    instances: ({ instances }) => `~${instances}`,
    first: ({ firstAt }) => instant(firstAt),
    last: ({ lastAt }) => instant(lastAt),
  },
};

const BY = { instance: 'SDK', gateway: 'gateway', list: 'gateway, with all flags' } as const;

/** Flags that look as if nobody needed them any more, each with the reason. */
export const printStale = (terminal: Terminal, session: Session, flags: readonly FlagView[]): void =>
  printList(terminal, session.settings.output, shownStale, flags.filter(isStale));

/** Keys that code asks for and the channel does not have. */
export const listUnknownFlags = async (
  terminal: Terminal,
  session: Session,
  flagsPath: readonly string[],
): Promise<void> => {
  const path = [...flagsPath.slice(0, -1), 'unknown-flags'];
  const { items, dropped } = await session.client.call({ method: 'GET', path, answer: unknownFlagsView });
  printList(terminal, session.settings.output, shownUnknown, items);
  if (dropped > 0) say(terminal, `more were asked for than the list holds (${dropped} times left out)`);
};

export const showUsage = async (
  terminal: Terminal,
  session: Session,
  flagPath: readonly string[],
): Promise<void> => {
  const path = [...flagPath, 'usage'];
  const usage = await session.client.call({ method: 'GET', path, answer: flagUsageView });
  const { output } = session.settings;
  if (output === 'json') return printJson(terminal, usage);
  printOne(terminal, output, shownUsage, usage);
  if (output === 'name' || usage.variants.length === 0) return;
  terminal.out.write('\n');
  printList(terminal, output, shownVariant, usage.variants);
};
