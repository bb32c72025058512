import { applyEvent, type Command, CommandRefused, decide, emptyProject } from '@headgate/domain';
import type { EventDraft } from '@headgate/trust';
import { sampleCommands } from '../../../test/support/sample-commands.js';
import { refuseUnsignable } from './refuse-unsignable.js';

describe('an event after which a document could not be signed', () => {
  const commands = sampleCommands();
  const state = emptyProject();
  let position = 0;
  const draftOf = (type: string, kind: string, aggregateId: string, data: unknown) =>
    ({
      type,
      kind,
      aggregateId,
      data,
      project: 'shop',
      at: 1,
      commandId: commands.commandId(),
    }) as unknown as EventDraft;
  const apply = (draft: EventDraft) =>
    applyEvent(state, { ...draft, epoch: 0, position: ++position, hash: `${position}` } as never);
  const carryOut = (command: Command, kind: string, id: string) => {
    const { type, data } = decide(state, command, 1);
    apply(draftOf(type, kind, id, data));
  };
  const create = commands.createFlag('shop', 'stable', 'checkout') as Extract<
    Command,
    { type: 'create-flag' }
  >;
  const { flagId, definition } = create;
  const nested = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);
  const change = (depth: number) =>
    draftOf('flag-changed.v1', 'flag', flagId, {
      definition: { ...definition, variants: { on: nested(depth), off: false } },
      why: 'a spec says so',
    });

  beforeAll(() => {
    carryOut(commands.createProject('shop'), 'project', commands.commandId());
    carryOut(commands.createChannel('shop', 'stable'), 'channel', commands.commandId());
    carryOut(create, 'flag', flagId);
  });

  it('is refused where the commit would be too deep, and leaves the fold alone', () => {
    const before = state.flags.get(flagId);
    // Of the 500 levels four are the commit's: list, change, document, variants.
    expect(() => refuseUnsignable(state, change(496))).not.toThrow();
    expect(() => refuseUnsignable(state, change(497))).toThrow(CommandRefused);
    expect(() => refuseUnsignable(state, change(497))).toThrow(
      /flag "checkout" could not be published: nested deeper/,
    );
    expect([state.flags.get(flagId), state.head?.position]).toEqual([before, 3]);
  });

  it('never is when it is a kill; the lifting is', () => {
    apply(change(600));
    const killed = draftOf('flag-killed.v1', 'flag', flagId, { why: 'now' });
    expect(() => refuseUnsignable(state, killed)).not.toThrow();
    apply(killed);
    const lifted = draftOf('flag-kill-lifted.v1', 'flag', flagId, { why: 'again' });
    expect(() => refuseUnsignable(state, lifted)).toThrow(CommandRefused);
    expect(() => refuseUnsignable(state, change(3))).not.toThrow();
  });
});
