import type { Fact } from '@headgate/contracts';
import { CommandRefused } from '../command-refused.js';
import type { Command } from '../commands.js';
import type { Token } from './token.js';

export const decideToken = (
  state: Token | undefined,
  command: Extract<Command, { type: 'create-token' | 'revoke-token' }>,
  now: number,
): Fact => {
  if (command.type === 'create-token') {
    if (state) throw new CommandRefused('already-exists', `token ${command.tokenId} exists already`);
    if (command.expiresAt !== undefined && command.expiresAt <= now)
      throw new CommandRefused(
        'invalid-input',
        `expiresAt: ${new Date(command.expiresAt).toISOString()} has passed`,
      );
    return {
      type: 'token-created.v1',
      data: {
        name: command.name,
        role: command.role,
        ...(command.scope === undefined ? {} : { project: command.scope }),
        secretHash: command.secretHash,
        ...(command.expiresAt === undefined ? {} : { expiresAt: command.expiresAt }),
        why: command.why,
      },
    };
  }
  if (!state) throw new CommandRefused('not-found', `there is no token ${command.tokenId}`);
  if (state.status === 'revoked')
    throw new CommandRefused('token-revoked', `token "${state.name}" was revoked already`);
  return { type: 'token-revoked.v1', data: { why: command.why } };
};
