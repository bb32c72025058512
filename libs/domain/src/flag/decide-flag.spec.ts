import type { FlagDefinition } from '@headgate/contracts';
import { given, idOf, stateAfter } from '@headgate/testing';
import type { Command } from '../commands.js';
import { compileDocument } from './compile-document.js';

const definition: FlagDefinition = {
  state: 'ENABLED',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  overridable: 'none',
};
const project: Command = {
  type: 'create-project',
  project: 'web',
  projectId: idOf(1),
  name: 'Web',
  why: 'start',
};
const channel: Command = {
  type: 'create-channel',
  project: 'web',
  channelId: idOf(2),
  slug: 'stable',
  beatLifetimeMs: 60_000,
  why: 'start',
};
const create: Command = {
  type: 'create-flag',
  project: 'web',
  flagId: idOf(3),
  channel: 'stable',
  key: 'new-parser',
  definition,
  why: 'faster',
};
const of = (type: 'kill-flag' | 'lift-kill' | 'archive-flag', why = 'because'): Command => ({
  type,
  project: 'web',
  flagId: idOf(3),
  why,
});
const change: Command = {
  type: 'change-flag',
  project: 'web',
  flagId: idOf(3),
  definition: { ...definition, defaultVariant: 'on' },
  why: 'on for all',
};

describe('a flag', () => {
  it('is created in a channel', () => {
    given(project, channel)
      .when(create)
      .thenDecides({
        type: 'flag-created.v1',
        data: { channel: 'stable', key: 'new-parser', definition, why: 'faster' },
      });
  });
  it('needs its project', () => given().when(create).thenRefused('project-unknown'));
  it('needs its channel', () => given(project).when(create).thenRefused('channel-unknown'));
  it('has its key alone in the channel', () =>
    given(project, channel, create)
      .when({ ...create, flagId: idOf(4) })
      .thenRefused('already-exists'));
  it('frees its key when archived', () =>
    given(project, channel, create, of('archive-flag'))
      .when({ ...create, flagId: idOf(4) })
      .thenDecides({
        type: 'flag-created.v1',
        data: { channel: 'stable', key: 'new-parser', definition, why: 'faster' },
      }));
  it('is changed as a whole', () =>
    given(project, channel, create)
      .when(change)
      .thenDecides({
        type: 'flag-changed.v1',
        data: { definition: { ...definition, defaultVariant: 'on' }, why: 'on for all' },
      }));
  it('is killed once', () => {
    given(project, channel, create)
      .when(of('kill-flag'))
      .thenDecides({ type: 'flag-killed.v1', data: { why: 'because' } });
    given(project, channel, create, of('kill-flag')).when(of('kill-flag')).thenRefused('flag-already-killed');
  });
  it('has its kill lifted only when killed', () => {
    given(project, channel, create, of('kill-flag'))
      .when(of('lift-kill'))
      .thenDecides({ type: 'flag-kill-lifted.v1', data: { why: 'because' } });
    given(project, channel, create).when(of('lift-kill')).thenRefused('flag-not-killed');
  });
  it.each([of('kill-flag'), of('lift-kill'), of('archive-flag'), change])(
    'takes nothing once archived',
    (command) =>
      given(project, channel, create, of('archive-flag')).when(command).thenRefused('flag-archived'),
  );
  it('must exist', () => given(project, channel).when(of('kill-flag')).thenRefused('not-found'));
  it.each([
    { ...definition, defaultVariant: 'purple' },
    { ...definition, variants: { on: true, off: 'no' } },
    { ...definition, variants: {} },
    { ...definition, variants: { on: null, off: null } },
    { ...definition, variants: { on: 'x'.repeat(70_000), off: '' } },
  ])('is refused when nobody could evaluate it', (broken) =>
    given(project, channel)
      .when({ ...create, definition: broken } as Command)
      .thenRefused('flag-invalid'),
  );
});

describe('the document of a flag', () => {
  const documentAfter = (...commands: Command[]) =>
    compileDocument('web', stateAfter(project, channel, create, ...commands).flags.get(idOf(3))!);

  it('is the definition with its place in the log', () => {
    expect(documentAfter()).toEqual({
      schema: 'headgate.flag.v1',
      project: 'web',
      channel: 'stable',
      flagId: idOf(3),
      key: 'new-parser',
      ...definition,
      why: 'faster',
      epoch: 1,
      position: 3,
    });
  });
  it('is disabled and marked when killed, and as before when the kill is lifted', () => {
    expect(documentAfter(of('kill-flag', 'data loss'))).toMatchObject({
      state: 'DISABLED',
      killed: { why: 'data loss' },
      position: 4,
    });
    const lifted = documentAfter(of('kill-flag'), of('lift-kill'));
    expect(lifted).toMatchObject({ state: 'ENABLED', position: 5 });
    expect(lifted).not.toHaveProperty('killed');
  });
  it('ends when archived', () => expect(documentAfter(of('archive-flag'))).toBeNull());
});
