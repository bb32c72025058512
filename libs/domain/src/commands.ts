import type {
  AggregateKind,
  EventData,
  FlagDefinition,
  JudgePolicy,
  MetricDefinition,
  SegmentDefinition,
  TokenRole,
} from '@headgate/contracts';

/** Intent, one per fact. Ids, seeds and hashes are made by the caller, so that deciding stays pure. */
export type Command =
  | {
      readonly type: 'create-project';
      readonly project: string;
      readonly projectId: string;
      readonly name: string;
      readonly why: string;
    }
  | {
      readonly type: 'create-channel';
      readonly project: string;
      readonly channelId: string;
      readonly slug: string;
      readonly beatLifetimeMs: number;
      readonly attributes?: readonly string[] | undefined;
      readonly why: string;
    }
  | {
      readonly type: 'create-flag';
      readonly project: string;
      readonly flagId: string;
      readonly channel: string;
      readonly key: string;
      readonly definition: FlagDefinition;
      readonly why: string;
    }
  | {
      readonly type: 'change-flag';
      readonly project: string;
      readonly flagId: string;
      readonly definition: FlagDefinition;
      readonly why: string;
    }
  | {
      readonly type: 'kill-flag' | 'lift-kill' | 'archive-flag';
      readonly project: string;
      readonly flagId: string;
      readonly why: string;
    }
  | {
      readonly type: 'restore-flag';
      readonly project: string;
      readonly flagId: string;
      readonly restored: EventData<'flag-restored.v1'>;
    }
  | {
      readonly type: 'create-segment';
      readonly project: string;
      readonly segmentId: string;
      readonly channel: string;
      readonly name: string;
      readonly definition: SegmentDefinition;
      readonly why: string;
    }
  | {
      readonly type: 'change-segment';
      readonly project: string;
      readonly segmentId: string;
      readonly definition: SegmentDefinition;
      readonly why: string;
    }
  | {
      readonly type: 'remove-segment';
      readonly project: string;
      readonly segmentId: string;
      readonly why: string;
    }
  | {
      readonly type: 'request-rollout';
      readonly project: string;
      readonly rolloutId: string;
      readonly seed: string;
      readonly channel: string;
      readonly flagId: string;
      readonly variant: string;
      readonly policy: JudgePolicy;
      readonly metrics: readonly MetricDefinition[];
      readonly why: string;
    }
  | {
      readonly type: 'record-plan';
      readonly project: string;
      readonly rolloutId: string;
      readonly planned: EventData<'rollout-planned.v1'>;
    }
  | {
      readonly type: 'begin-rollout';
      readonly project: string;
      readonly rolloutId: string;
      readonly why: string;
    }
  | {
      readonly type: 'give-verdict';
      readonly project: string;
      readonly rolloutId: string;
      readonly verdict: EventData<'rollout-verdict-given.v1'>;
    }
  | {
      readonly type: 'raise-signal';
      readonly project: string;
      readonly rolloutId: string;
      readonly signal: EventData<'rollout-signal-raised.v1'>['signal'];
      readonly source: EventData<'rollout-signal-raised.v1'>['source'];
      readonly why: string;
    }
  | {
      readonly type: 'promote-rollout' | 'roll-back-rollout' | 'stop-rollout';
      readonly project: string;
      readonly rolloutId: string;
      readonly verdictId: string;
      readonly why: string;
    }
  | {
      readonly type: 'abort-rollout';
      readonly project: string;
      readonly rolloutId: string;
      readonly because: 'person' | 'flag-killed' | 'flag-archived' | 'plan-refused';
      readonly why: string;
    }
  | {
      readonly type: 'create-token';
      readonly project: '_system';
      readonly tokenId: string;
      readonly name: string;
      readonly role: TokenRole;
      readonly scope?: string;
      readonly secretHash: string;
      readonly expiresAt?: number;
      readonly why: string;
    }
  | {
      readonly type: 'revoke-token';
      readonly project: '_system';
      readonly tokenId: string;
      readonly why: string;
    };

/** Which aggregate the command's fact will belong to. */
export const aggregateOf = (
  command: Command,
): { readonly kind: AggregateKind; readonly aggregateId: string } => {
  switch (command.type) {
    case 'create-project':
      return { kind: 'project', aggregateId: command.projectId };
    case 'create-channel':
      return { kind: 'channel', aggregateId: command.channelId };
    case 'create-flag':
    case 'change-flag':
    case 'kill-flag':
    case 'lift-kill':
    case 'archive-flag':
    case 'restore-flag':
      return { kind: 'flag', aggregateId: command.flagId };
    case 'create-segment':
    case 'change-segment':
    case 'remove-segment':
      return { kind: 'segment', aggregateId: command.segmentId };
    case 'request-rollout':
    case 'record-plan':
    case 'begin-rollout':
    case 'give-verdict':
    case 'raise-signal':
    case 'promote-rollout':
    case 'roll-back-rollout':
    case 'stop-rollout':
    case 'abort-rollout':
      return { kind: 'rollout', aggregateId: command.rolloutId };
    case 'create-token':
    case 'revoke-token':
      return { kind: 'token', aggregateId: command.tokenId };
  }
};

/**
 * The command as its sender meant it: without ids and secrets the server made up for a creation. Two sends of one request have
 * the same fingerprint; its digest stands in the event, so that one command id cannot be used for two commands.
 */
export const commandFingerprint = (command: Command): object => {
  switch (command.type) {
    case 'create-project': {
      const { projectId: _, ...rest } = command;
      return rest;
    }
    case 'create-channel': {
      const { channelId: _, ...rest } = command;
      return rest;
    }
    case 'create-flag': {
      const { flagId: _, ...rest } = command;
      return rest;
    }
    case 'create-segment': {
      const { segmentId: _, ...rest } = command;
      return rest;
    }
    case 'request-rollout': {
      const { rolloutId: _id, seed: _seed, ...rest } = command;
      return rest;
    }
    case 'create-token': {
      const { tokenId: _id, secretHash: _hash, ...rest } = command;
      return rest;
    }
    default:
      return command;
  }
};
