export { AnalysisModule } from './analysis.module.js';
export { type AnalysisConfig, analysisConfig } from './analysis-config.js';
export type { AnalysisModuleOptions } from './analysis-options.js';
export type { AnalysisNote } from './live/analysis-note.js';
export { type AnalysisOptions, AnalysisRun } from './live/analysis-run.js';
export {
  type AnalysisArchive,
  openAnalysisArchive,
  openMemoryArchive,
} from './verdict/analysis-archive.js';
export { type AnalysisRecord, sealRecord } from './verdict/analysis-record.js';
export { replayVerdict } from './verdict/replay-verdict.js';
