import type { FlagView } from '@headgate/contracts';
import { instant } from '../output/figures.js';
import type { Shown } from '../output/print.js';

interface Definition {
  readonly state?: string;
  readonly defaultVariant?: string;
  readonly variants?: Readonly<Record<string, unknown>>;
  readonly targeting?: unknown;
}

const definitionOf = ({ definition }: FlagView): Definition =>
  typeof definition === 'object' && definition !== null ? (definition as Definition) : {};

export const shownFlag: Shown<FlagView> = {
  name: ({ key }) => `flag/${key}`,
  columns: {
    flag: ({ key }) => key,
    channel: ({ channel }) => channel,
    status: ({ status }) => status,
    default: (flag) => definitionOf(flag).defaultVariant ?? '?',
    variants: (flag) => Object.keys(definitionOf(flag).variants ?? {}).join(','),
    rollout: ({ rolloutId }) => rolloutId ?? '-',
    changed: ({ changedAt }) => instant(changedAt),
    why: ({ why }) => why,
  },
};
