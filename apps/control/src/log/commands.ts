import { type Acknowledged, commandId, SYSTEM_PROJECT, type TokenView } from '@headgate/contracts';
import {
  type Command,
  CommandRefused,
  type Flag,
  flagName,
  type ProjectState,
  viewToken,
} from '@headgate/domain';
import type { CommandMeta, EventStore } from '@headgate/event-store';
import { type Caller, type FastifyRequest, InvalidInput } from '@headgate/service-kit';
import { Inject, Injectable } from '@nestjs/common';
import { CONTROL_PARTS, type ControlParts } from '../control-parts.js';
import { brokenText } from './broken-text.js';

/** Sends what a request asks for to the log, in its caller's name. Ids and randomness of the API enter here. */
@Injectable()
export class Commands {
  private readonly store: EventStore;

  constructor(@Inject(CONTROL_PARTS) private readonly parts: ControlParts) {
    this.store = parts.store;
  }

  async send(request: FastifyRequest, command: Command): Promise<Acknowledged> {
    const broken = brokenText(command);
    if (broken !== null)
      throw new InvalidInput(
        `${broken}: a character is cut in half, or NUL; write whole characters (UTF-8 has no half), and no NUL.`,
      );
    return this.store.handle(command, this.metaOf(request));
  }

  /** Of the newest flag of that name, from the fold: a kill must not wait for Postgres. */
  async flagIdOf(project: string, channel: string, key: string): Promise<string> {
    return (await this.flagOf(project, channel, key)).flag.id;
  }

  /** The newest flag of that name, in the fold that it belongs to. */
  async flagOf(
    project: string,
    channel: string,
    key: string,
  ): Promise<{ readonly state: ProjectState; readonly flag: Flag }> {
    const state = await this.channelOf(project, channel);
    const flag = state.flags.get(state.flagIds.get(flagName(channel, key)) ?? '');
    if (!flag) throw new CommandRefused('not-found', `channel "${channel}" has no flag "${key}"`);
    return { state, flag };
  }

  /** Of the newest segment of that name. */
  async segmentIdOf(project: string, channel: string, name: string): Promise<string> {
    const state = await this.channelOf(project, channel);
    const id = state.segmentIds.get(flagName(channel, name));
    if (id === undefined) {
      throw new CommandRefused('not-found', `channel "${channel}" has no segment "${name}"`);
    }
    return id;
  }

  async tokenOf(id: string): Promise<TokenView> {
    const { state } = await this.store.project(SYSTEM_PROJECT);
    const token = state.tokens.get(id);
    if (!token) throw new CommandRefused('not-found', `there is no token ${id}`);
    return viewToken(token);
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

  /** The fold of a project that has the channel. */
  private async channelOf(project: string, channel: string): Promise<ProjectState> {
    const { state } = await this.store.project(project);
    if (state.project.status === 'absent') {
      throw new CommandRefused('project-unknown', `there is no project "${project}"`);
    }
    if (!state.channels.has(channel)) {
      throw new CommandRefused('channel-unknown', `project "${project}" has no channel "${channel}"`);
    }
    return state;
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
