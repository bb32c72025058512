export { canonicalJson, NotCanonical } from './canonical/canonical-json.js';
export { sha256Hex } from './canonical/sha256.js';
export { checkEvent, type EventDraft, sealEvent } from './log/seal-event.js';
