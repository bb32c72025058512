import { openDatabase } from '@headgate/read-model';
import { type OpenedControl, openControl, prepare } from '../control.fixture.js';

// Nobody listens on port 9: what a control sees whose Postgres is down.
const database = openDatabase('postgres://nobody:nothing@127.0.0.1:9/none');
let control: OpenedControl;

afterAll(async () => {
  await control.close();
  await database.destroy();
});

describe('without Postgres', () => {
  it('a flag is found and killed all the same, and people are told where the answer came from', async () => {
    control = await openControl({ database });
    const { admin, flag } = await prepare(control);
    const read = (path: string) => control.call('GET', path, { token: admin });
    expect((await read('/v1/projects')).body.items).toHaveLength(1);
    expect((await read('/v1/projects/web')).body.slug).toBe('web');
    expect((await read('/v1/projects/web/channels')).body.items).toHaveLength(1);
    expect((await read('/v1/projects/web/channels/stable')).body.slug).toBe('stable');
    expect((await read('/v1/projects/web/channels/stable/flags')).body.items).toHaveLength(1);
    expect((await read('/v1/projects/web/rollouts')).body.items).toEqual([]);
    expect((await read('/v1/tokens')).body.items).toHaveLength(1);
    const killed = await control.call('POST', `${flag}/kill`, { token: admin, body: { why: 'outage' } });
    expect(killed.status).toBe(200);
    expect((await read(flag)).body.status).toBe('killed');
    expect((await read('/v1/projects/web/channels/stable/flags/none')).body.error.code).toBe('not-found');
    expect(control.lines.some((line) => line.includes('read from the fold instead of Postgres'))).toBe(true);
  });
});
