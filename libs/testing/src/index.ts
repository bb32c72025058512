export { eventOf, given, idOf, stateAfter } from './given.js';
export { describeWhereFound, type Tool, whereFound } from './where-found.js';
