import type { FlagDefinition } from '@headgate/contracts';
import { given, idOf, stateAfter } from '@headgate/testing';
import { type Command, commandFingerprint } from './commands.js';
import { parseProject, serializeProject } from './project-snapshot.js';

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
const flag: Command = {
  type: 'create-flag',
  project: 'web',
  flagId: idOf(3),
  channel: 'stable',
  key: 'a',
  definition,
  why: 'x',
};

describe('a project', () => {
  it('is created once, and so are its channels', () => {
    given()
      .when(project)
      .thenDecides({ type: 'project-created.v1', data: { slug: 'web', name: 'Web', why: 'start' } });
    given(project)
      .when({ ...project, projectId: idOf(9) })
      .thenRefused('already-exists');
    given(project)
      .when(channel)
      .thenDecides({
        type: 'channel-created.v1',
        data: { slug: 'stable', beatLifetimeMs: 60_000, why: 'start' },
      });
    given(project, channel)
      .when({ ...channel, channelId: idOf(9) })
      .thenRefused('already-exists');
  });
  it('remembers each command it answered, in order', () => {
    const state = stateAfter(project, channel, flag);
    expect([...state.answered.values()].map((answer) => answer.position)).toEqual([1, 2, 3]);
  });
  it('comes back from its snapshot as it was', () => {
    const state = stateAfter(project, channel, flag);
    expect(parseProject(JSON.stringify(serializeProject(state)))).toEqual(state);
  });
  it.each(['', '{', 'null', '{"version":0,"flagIds":[]}', '{"version":1}'])(
    'is folded anew when its snapshot says %j',
    (text) => expect(parseProject(text)).toBeNull(),
  );
});

describe('the fingerprint of a command', () => {
  it('is the same for two sends of one request and differs for another', () => {
    expect(commandFingerprint(flag)).toEqual(commandFingerprint({ ...flag, flagId: idOf(7) }));
    expect(commandFingerprint(flag)).not.toEqual(commandFingerprint({ ...flag, key: 'b' } as Command));
  });
});
