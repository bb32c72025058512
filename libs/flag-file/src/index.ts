export { FLAG_FILE_SCHEMA, type FlagFile, type Problem } from './flag-file.js';
