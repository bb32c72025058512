export { appendTo, CollectorModule } from './collector.module.js';
export { type CollectorConfig, collectorConfig } from './collector-config.js';
export type { CollectorOptions } from './collector-options.js';
export { checkReport } from './reports/check-report.js';
export { PACKER_LIMITS, type PackerLimits, ReportPacker } from './reports/report-packer.js';
export { appendUsageTo } from './usage/append-usage.js';
