export { eventOf, given, idOf, stateAfter } from './given.js';
