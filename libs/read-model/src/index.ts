export { type Database, openDatabase } from './database.js';
export { MigrationMismatch, migrate } from './migrations/migrate.js';
export { VIEW_TABLES, type ViewTableName } from './migrations/migrations.js';
export { findRefused, isContentRefused, type Refused } from './projections/find-refused.js';
export { replaceGeneration } from './projections/rebuild.js';
export { allRows, touchedBy, type ViewRow, viewRow } from './projections/view-rows.js';
export {
  type ArchivedEvent,
  ArchiveForked,
  type Batch,
  type Checkpoint,
  CheckpointMoved,
  readCheckpoint,
  writeBatch,
} from './projections/write-batch.js';
export { archivedProjects, archiveHead, readArchive } from './queries/archive.js';
export {
  type ChannelUsage,
  channelUsage,
  type LastServed,
  lastServed,
  servedVariants,
  type UnknownFlagUsage,
  unknownFlags,
  type VariantUsage,
} from './queries/usage.js';
export { listViews, viewById, viewByName } from './queries/views.js';
export { retainUsage } from './usage/retain-usage.js';
export {
  type ServedTotal,
  USAGE_SOURCES,
  type UsageCheckpoint,
  type UsageReport,
  type UsageSource,
} from './usage/usage-report.js';
export { MOST_UNKNOWN } from './usage/usage-rows.js';
export { readUsageCheckpoint, type UsageBatch, writeUsage } from './usage/write-usage.js';
