import { DEFINITION, type OpenedControl, openControl, prepare } from '../control.fixture.js';

let control: OpenedControl;
let admin: string;
beforeAll(async () => {
  control = await openControl();
  ({ admin } = await prepare(control));
});
afterAll(() => control.close());

const CHANNELS = '/v1/projects/web/channels';
const send = (method: string, path: string, body?: unknown) =>
  control.call(method, path, { token: admin, ...(body === undefined ? {} : { body }) });

describe('a channel', () => {
  it('lets rules read anything, or what it was created with', async () => {
    const attributes = ['version', 'os'];
    expect((await send('POST', CHANNELS, { slug: 'public', attributes, why: 'others run it' })).status).toBe(
      201,
    );
    expect((await send('GET', `${CHANNELS}/public`)).body).toMatchObject({ slug: 'public', attributes });
    expect((await send('GET', `${CHANNELS}/stable`)).body.attributes).toBeNull();
    const flagOn = (channel: string, key: string, attribute: string) =>
      send('POST', `${CHANNELS}/${channel}/flags`, {
        key,
        definition: { ...DEFINITION, rules: [{ when: { var: attribute }, serve: { variant: 'on' } }] },
        why: 'x',
      });
    expect((await flagOn('stable', 'a', 'email')).status).toBe(201);
    expect((await flagOn('public', 'a', 'os')).status).toBe(201);
    const refused = await flagOn('public', 'b', 'email');
    expect([refused.status, refused.body.error.details]).toEqual([
      422,
      ['rules.0.when: reads "email"; rules of this channel may read targetingKey, version, os'],
    ]);
    const segment = { name: 'ours', definition: { when: { var: 'email' } }, why: 'x' };
    expect((await send('POST', `${CHANNELS}/public/segments`, segment)).body.error.code).toBe(
      'segment-invalid',
    );
    expect((await send('POST', `${CHANNELS}/stable/segments`, segment)).status).toBe(201);
  });
});
