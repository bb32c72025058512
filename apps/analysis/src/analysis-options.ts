import type { EventStore } from '@headgate/event-store';
import type { Streams } from '@headgate/streams';
import type { AnalysisArchive } from './verdict/analysis-archive.js';

export const ANALYSIS_OPTIONS = Symbol('analysis options');

export interface AnalysisModuleOptions {
  readonly store: Pick<EventStore, 'follow' | 'project' | 'handle'>;
  readonly streams: Streams;
  readonly archive: AnalysisArchive;
  readonly now: () => number;
}
