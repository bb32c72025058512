import { type Acknowledged, commandId } from '@headgate/contracts';
import type { Command } from '@headgate/domain';
import type { CommandMeta, EventStore } from '@headgate/event-store';
import { type Caller, type FastifyRequest, InvalidInput } from '@headgate/service-kit';
import { Inject, Injectable } from '@nestjs/common';
import { CONTROL_PARTS, type ControlParts } from '../control-parts.js';

/** Sends what a request asks for to the log, in its caller's name. Ids and randomness of the API enter here. */
@Injectable()
export class Commands {
  private readonly store: EventStore;

  constructor(@Inject(CONTROL_PARTS) private readonly parts: ControlParts) {
    this.store = parts.store;
  }

  send(request: FastifyRequest, command: Command): Promise<Acknowledged> {
    return this.store.handle(command, this.metaOf(request));
  }

  newId(): string {
    return this.parts.newId();
  }

  /** Of a rollout: whose instances fall into which bucket. */
  newSeed(): string {
    return this.parts.random(16).toString('hex');
  }

  /** 256 random bits with the prefix that secret scanners look for. */
  newSecret(): string {
    return `hg_${this.parts.random(32).toString('base64url')}`;
  }

  private metaOf(request: FastifyRequest): CommandMeta {
    const { caller } = request as FastifyRequest & { caller?: Caller };
    if (!caller) throw new Error('a command came from a route without BearerGuard');
    return {
      commandId: commandIdOf(request) ?? this.parts.newId(),
      actor: `token:${caller.tokenId}`,
      correlationId: request.id,
    };
  }
}

const commandIdOf = (request: FastifyRequest): string | undefined => {
  const given = request.headers['idempotency-key'];
  if (given === undefined) return undefined;
  const parsed = commandId.safeParse(typeof given === 'string' ? given.toLowerCase() : given);
  if (!parsed.success) throw new InvalidInput('The header Idempotency-Key must be a UUID.');
  return parsed.data;
};
