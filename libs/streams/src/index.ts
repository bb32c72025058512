export { type ConnectOptions, connectStreams, MINIMUM_SERVER } from './connect-streams.js';
export {
  declareInstallation,
  type InstallationOptions,
  installationStreams,
} from './declare-installation.js';
export {
  DeliveryBroken,
  OutcomeUnknown,
  PublishRefused,
  ServerTooOld,
  StreamMismatch,
  StreamMissing,
  StreamNotAsDeclared,
  StreamReplaced,
  StreamsError,
  Unavailable,
  WrongLastSequence,
} from './errors.js';
export { type InspectedStream, inspectInstallation } from './inspect-installation.js';
export { type MemoryStreams, openMemoryStreams } from './memory-streams.js';
export { openServerRequests, type ServerRequests, type ServerRequestsOptions } from './server-requests.js';
export type {
  ConnectionStatus,
  DeliveredMessage,
  FollowOptions,
  PublishAck,
  PublishOptions,
  ServerInfo,
  StoredMessage,
  StreamDeclaration,
  StreamDescription,
  Streams,
  Subscription,
} from './streams.js';
export { subjectMatches } from './subject-match.js';
