import type { Command } from '@headgate/domain';

/** What an operator may want to read or count. */
export type AnalysisNote =
  | { readonly kind: 'sent'; readonly command: Command; readonly repeated: boolean }
  | { readonly kind: 'refused'; readonly command: Command; readonly code: string }
  | { readonly kind: 'looked'; readonly project: string; readonly rolloutId: string; readonly tookMs: number }
  | { readonly kind: 'fault'; readonly cause: unknown };
