import type { PublicKey } from '../key/signing-key.js';

/** Who may sign a channel's heads and beats, and from where on. */
export interface ChannelDelegation extends PublicKey {
  readonly project: string;
  readonly channel: string;
  /** Heads and beats of any other epoch are refused. */
  readonly epoch: number;
  /** The epoch's first commit is this plus one; heads at or below it are refused. */
  readonly commitFloor: number;
}

export const delegationName = (project: string, channel: string): string => `flags/${project}/${channel}`;

/** TUF keeps and signs fields that it does not know, so epoch and floor travel inside the delegation itself. */
export const delegationRole = (delegation: ChannelDelegation) => ({
  name: delegationName(delegation.project, delegation.channel),
  keyids: [delegation.keyId],
  threshold: 1,
  terminating: true,
  paths: [`${delegationName(delegation.project, delegation.channel)}/*`],
  epoch: delegation.epoch,
  commitFloor: delegation.commitFloor,
});
