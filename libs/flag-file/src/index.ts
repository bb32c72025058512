export { type Channel, checkFlagFile } from './check-flag-file.js';
export { FLAG_FILE_SCHEMA, type FlagFile, type Problem } from './flag-file.js';
export { exportFlagd, type FlagdExport, type FlagdExportOptions } from './flagd/export-flagd.js';
export { importFlagd } from './flagd/import-flagd.js';
export { formatFlagFile } from './format-flag-file.js';
export { type GoFeatureFlagOptions, importGoFeatureFlag } from './go-feature-flag/import-go-feature-flag.js';
export { type ParsedFlagFile, parseFlagFile } from './parse-flag-file.js';
export type { Imported, ImportOptions, ImportReport, NotCarried, VariantChange } from './report.js';
export { importUnleash, type UnleashOptions } from './unleash/import-unleash.js';
