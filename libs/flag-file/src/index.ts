export { FLAG_FILE_SCHEMA, type FlagFile, type Problem } from './flag-file.js';
export { formatFlagFile } from './format-flag-file.js';
export { type ParsedFlagFile, parseFlagFile } from './parse-flag-file.js';
