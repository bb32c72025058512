import { DEFINITION, type OpenedControl, openControl, prepare } from '../control.fixture.js';

const SEGMENTS = '/v1/projects/web/channels/stable/segments';
const FLAGS = '/v1/projects/web/channels/stable/flags';
const when = { in: [{ var: 'team' }, ['a', 'b']] };

let control: OpenedControl;
let admin: string;
beforeEach(async () => {
  control = await openControl();
  ({ admin } = await prepare(control));
});
afterEach(() => control.close());

const send = (method: string, path: string, body?: unknown) =>
  control.call(method, path, { token: admin, ...(body === undefined ? {} : { body }) });
const create = (name = 'insiders') => send('POST', SEGMENTS, { name, definition: { when }, why: 'ours' });
const flagWith = (key: string, name: string) =>
  send('POST', FLAGS, {
    key,
    definition: { ...DEFINITION, rules: [{ when: { $ref: name }, serve: { variant: 'on' } }] },
    why: 'for insiders',
  });

describe('segments', () => {
  it('are created, read, changed and removed', async () => {
    const { status, body } = await create();
    expect([status, body.position]).toEqual([201, 4]);
    const read = await send('GET', `${SEGMENTS}/insiders`);
    expect(read.body).toMatchObject({
      name: 'insiders',
      status: 'active',
      definition: { when },
      usedBy: [],
      position: 4,
    });
    const changed = { definition: { when: { var: 'insider' }, description: 'ours' }, why: 'simpler' };
    expect((await send('PUT', `${SEGMENTS}/insiders`, changed)).status).toBe(200);
    const { body: list } = await send('GET', SEGMENTS);
    expect(list.items).toMatchObject([{ name: 'insiders', definition: changed.definition, why: 'simpler' }]);
    expect((await send('POST', `${SEGMENTS}/insiders/remove`, { why: 'done' })).status).toBe(200);
    expect((await send('GET', SEGMENTS)).body.items).toEqual([]);
    expect((await send('GET', `${SEGMENTS}/insiders`)).body.error.code).toBe('not-found');
    expect((await create()).status).toBe(201);
  });

  it('have a name of their own', async () => {
    await create();
    expect((await create()).body.error).toMatchObject({ code: 'already-exists' });
  });

  it('stay while flags use them, which are named', async () => {
    await create();
    await flagWith('search', 'insiders');
    await flagWith('checkout', 'insiders');
    expect((await send('GET', `${SEGMENTS}/insiders`)).body.usedBy).toEqual(['checkout', 'search']);
    const refused = await send('POST', `${SEGMENTS}/insiders/remove`, { why: 'done' });
    expect([refused.status, refused.body.error]).toEqual([
      409,
      expect.objectContaining({
        code: 'segment-in-use',
        message: 'segment "insiders" is used by "checkout", "search"',
      }),
    ]);
    await send('POST', `${FLAGS}/search/archive`, { why: 'x' });
    await send('POST', `${FLAGS}/checkout/archive`, { why: 'x' });
    expect((await send('POST', `${SEGMENTS}/insiders/remove`, { why: 'done' })).status).toBe(200);
  });

  it('must exist for the flags that use them', async () => {
    const { status, body } = await flagWith('search', 'nobody');
    expect([status, body.error.code, body.error.details]).toEqual([
      422,
      'flag-invalid',
      ['rules.0.when: the channel has no segment "nobody"; create it first, or mend the name'],
    ]);
  });

  it('are checked', async () => {
    const bad = { name: 'bad', definition: { when: { shout: 1 } }, why: 'x' };
    const { status, body } = await send('POST', SEGMENTS, bad);
    expect([status, body.error.code]).toEqual([422, 'segment-invalid']);
    expect(body.error.details[0]).toMatch(/^when\.shout: /);
    const nested = { name: 'bad', definition: { when: { $ref: 'insiders' } }, why: 'x' };
    expect((await send('POST', SEGMENTS, nested)).body.error.message).toMatch(/cannot be nested/);
  });
});

describe('the list of flags', () => {
  it('shows those that are asked for, with their stage of life', async () => {
    const { ms } = control.clock;
    const make = (key: string, over: object) =>
      send('POST', FLAGS, { key, definition: { ...DEFINITION, ...over }, why: 'x' });
    await make('a', { type: 'release', tags: ['ui', 'web'], owner: 'team-a' });
    await make('b', { type: 'experiment', tags: ['ui'], expires: ms + 1_000 });
    await send('POST', `${FLAGS}/b/kill`, { why: 'x' });
    const listed = async (query: string) =>
      (await send('GET', `${FLAGS}?${query}`)).body.items.map(({ key }: { key: string }) => key);
    expect(await listed('')).toEqual(['a', 'b', 'new-parser']);
    expect(await listed('type=release')).toEqual(['a']);
    expect(await listed('tag=ui')).toEqual(['a', 'b']);
    expect(await listed('tag=ui&owner=team-a')).toEqual(['a']);
    expect(await listed('status=killed')).toEqual(['b']);
    expect(await listed('stale=true')).toEqual([]);
    control.clock.ms = ms + 2_000;
    expect(await listed('stale=true')).toEqual(['b']);
    control.clock.ms = ms + 41 * 86_400_000;
    expect(await listed('stale=true')).toEqual(['a', 'b']);
    expect(await listed('stale=false')).toEqual(['new-parser']);
    const { body } = await send('GET', `${FLAGS}/a`);
    expect(body.health).toEqual({
      stage: 'potentially-stale',
      isExpired: false,
      reasons: ['is 41 days old; flags of type release live 40 days as a rule'],
    });
    expect((await send('GET', `${FLAGS}?colour=red`)).status).toBe(400);
  });
});

describe('the evaluation of a flag', () => {
  const evaluate = (body: object, key = 'search') => send('POST', `${FLAGS}/${key}/evaluate`, body);

  it('says what a context gets and how it came to that, without writing anything', async () => {
    await create();
    await flagWith('search', 'insiders');
    const before = (await control.store.project('web')).head;
    const { status, body } = await evaluate({ context: { team: 'a' } });
    expect([status, body]).toEqual([
      200,
      {
        key: 'search',
        variant: 'on',
        value: true,
        reason: 'TARGETING_MATCH',
        trace: [
          { path: 'rules.0.when', outcome: 'met', message: '{"$ref":"insiders"}' },
          { path: 'rules.0.serve', outcome: 'served', message: '"on"', variant: 'on' },
        ],
      },
    ]);
    const other = await evaluate({});
    expect(other.body).toMatchObject({ variant: 'off', reason: 'DEFAULT' });
    expect(other.body.trace.at(-1)).toMatchObject({ path: 'defaultVariant', outcome: 'served' });
    expect((await control.store.project('web')).head).toEqual(before);
  });

  it('goes by the moment that is asked for', async () => {
    const at = 1_800_000_000_000;
    const definition = { ...DEFINITION, schedule: [{ at, serve: { variant: 'on' } }] };
    await send('POST', FLAGS, { key: 'later', definition, why: 'x' });
    expect((await evaluate({}, 'later')).body.variant).toBe('off');
    expect((await evaluate({ at }, 'later')).body.variant).toBe('on');
  });

  it('is refused where there is no flag, or none any more', async () => {
    expect((await evaluate({}, 'none')).body.error.code).toBe('not-found');
    await send('POST', `${FLAGS}/new-parser/archive`, { why: 'x' });
    expect((await evaluate({}, 'new-parser')).body.error.code).toBe('flag-archived');
    expect((await evaluate({ at: -1 })).status).toBe(400);
  });
});
