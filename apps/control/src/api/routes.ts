import {
  acknowledged,
  becauseOf,
  changeFlag,
  changeSegment,
  channelView,
  createChannel,
  createdTokenView,
  createFlag,
  createProject,
  createSegment,
  createToken,
  evaluateFlag,
  evaluationView,
  flagFilter,
  flagUsageView,
  flagView,
  jsonValue,
  previewPlan,
  projectView,
  raiseSignal,
  requestRollout,
  rolloutView,
  segmentView,
  tokenView,
  unknownFlagsView,
} from '@headgate/contracts';
import type { Access } from '@headgate/service-kit';
import type { z } from 'zod';
import {
  addVendor,
  callerView,
  listOf,
  operationReport,
  rebuildProjection,
  restoreLog,
  vendorBundle,
  verdictAnswer,
} from './schemas.js';

export interface RouteSpec {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  /** The least role that may call it, within the project of its path. */
  readonly role: Access;
  readonly summary: string;
  readonly body?: z.ZodType;
  /** What may follow the question mark. */
  readonly query?: z.ZodObject;
  readonly answer: z.ZodType | 'event-stream';
  readonly status: 200 | 201;
}

const read = (path: string, role: Access, answer: RouteSpec['answer'], summary: string): RouteSpec => ({
  method: 'GET',
  path,
  role,
  answer,
  summary,
  status: 200,
});
const write = (path: string, role: Access, body: z.ZodType, summary: string): RouteSpec => ({
  method: 'POST',
  path,
  role,
  body,
  answer: acknowledged,
  summary,
  status: 200,
});
const create = (path: string, role: Access, body: z.ZodType, summary: string): RouteSpec => ({
  ...write(path, role, body, summary),
  status: 201,
});

const project = '/v1/projects/:project';
const flag = `${project}/channels/:channel/flags/:key`;
const segment = `${project}/channels/:channel/segments/:name`;
const rollout = `${project}/rollouts/:rollout`;

/** The HTTP API, once: controllers, guard, OpenAPI and the role matrix of the specs are all made from this table. */
export const ROUTES = {
  whoami: read('/v1/whoami', 'viewer', callerView, 'Whom the token stands for.'),
  createProject: create('/v1/projects', 'admin', createProject, 'Create a project.'),
  listProjects: read('/v1/projects', 'viewer', listOf(projectView), 'Projects the token may see.'),
  getProject: read(project, 'viewer', projectView, 'One project.'),
  createChannel: create(`${project}/channels`, 'admin', createChannel, 'Create a channel.'),
  listChannels: read(`${project}/channels`, 'viewer', listOf(channelView), 'Channels of a project.'),
  getChannel: read(`${project}/channels/:channel`, 'viewer', channelView, 'One channel.'),
  createFlag: create(`${project}/channels/:channel/flags`, 'editor', createFlag, 'Create a flag.'),
  listFlags: {
    ...read(`${project}/channels/:channel/flags`, 'viewer', listOf(flagView), 'Flags of a channel.'),
    query: flagFilter,
  },
  getFlag: read(flag, 'viewer', flagView, 'One flag, by its key.'),
  getFlagUsage: read(
    `${flag}/usage`,
    'viewer',
    flagUsageView,
    'What reports say of its use: variants served, how often, when, by about how many instances.',
  ),
  listUnknownFlags: read(
    `${project}/channels/:channel/unknown-flags`,
    'viewer',
    unknownFlagsView,
    'Keys that code asks for and the channel does not have.',
  ),
  changeFlag: { ...write(flag, 'editor', changeFlag, 'Change a flag as a whole.'), method: 'PUT' },
  killFlag: write(`${flag}/kill`, 'releaser', becauseOf, 'Turn the code path off everywhere, at once.'),
  liftKill: write(`${flag}/lift-kill`, 'releaser', becauseOf, 'Lift a kill.'),
  archiveFlag: write(`${flag}/archive`, 'editor', becauseOf, 'End a flag; its key becomes free.'),
  evaluateFlag: {
    ...write(
      `${flag}/evaluate`,
      'viewer',
      evaluateFlag,
      'What the flag gives a context, and how it came to that.',
    ),
    answer: evaluationView,
  },
  createSegment: create(
    `${project}/channels/:channel/segments`,
    'editor',
    createSegment,
    'Name a condition for the rules of a channel.',
  ),
  listSegments: read(
    `${project}/channels/:channel/segments`,
    'viewer',
    listOf(segmentView),
    'Segments of a channel, each with the flags that use it.',
  ),
  getSegment: read(segment, 'viewer', segmentView, 'One segment, by its name.'),
  changeSegment: {
    ...write(segment, 'editor', changeSegment, 'Change a segment, and every flag that uses it.'),
    method: 'PUT',
  },
  removeSegment: write(`${segment}/remove`, 'editor', becauseOf, 'Remove a segment that no flag uses.'),
  requestRollout: create(`${project}/rollouts`, 'releaser', requestRollout, 'Start a rollout.'),
  listRollouts: read(`${project}/rollouts`, 'viewer', listOf(rolloutView), 'Rollouts of a project.'),
  getRollout: read(rollout, 'viewer', rolloutView, 'One rollout with its steps and verdicts.'),
  watchRollout: read(
    `${rollout}/watch`,
    'viewer',
    'event-stream',
    'Events `rollout` (Rollout) and `look` (Look) as they happen; ends with the rollout.',
  ),
  getVerdict: read(`${rollout}/verdict`, 'viewer', verdictAnswer, 'The newest verdict, for pipelines.'),
  abortRollout: write(`${rollout}/abort`, 'releaser', becauseOf, 'Stop a rollout because somebody says so.'),
  raiseSignal: write(
    `${rollout}/object`,
    'releaser',
    raiseSignal,
    'Say that a rollout is bad: an objection or a local rollback, of a site or an enrolled vendor.',
  ),
  previewPlan: {
    ...write(
      `${project}/rollout-plan`,
      'viewer',
      previewPlan,
      'What a rollout of this flag would look like.',
    ),
    answer: jsonValue,
  },
  createToken: {
    ...create('/v1/tokens', 'admin', createToken, 'Create a token; the answer alone shows its secret.'),
    answer: createdTokenView,
  },
  listTokens: read('/v1/tokens', 'admin', listOf(tokenView), 'Tokens, without their secrets.'),
  revokeToken: write('/v1/tokens/:token/revoke', 'admin', becauseOf, 'Revoke a token, at once.'),
  verifyLog: {
    method: 'POST',
    path: '/v1/admin/log/verify',
    role: 'admin',
    answer: operationReport,
    summary: 'Walk every chain of the log and of its archive.',
    status: 200,
  },
  doctor: read('/v1/admin/doctor', 'admin', operationReport, 'The configuration in force, read back.'),
  restoreLog: {
    ...write('/v1/admin/log/restore', 'admin', restoreLog, 'Bring a lost log back from its archive.'),
    answer: operationReport,
  },
  rebuildProjection: {
    ...write('/v1/admin/projection/rebuild', 'admin', rebuildProjection, 'Fold the log into fresh tables.'),
    answer: operationReport,
  },
  addVendor: {
    ...create('/v1/admin/vendors', 'admin', addVendor, 'Admit a vendor; the answer is its bundle.'),
    answer: vendorBundle,
  },
} as const satisfies Record<string, RouteSpec>;
