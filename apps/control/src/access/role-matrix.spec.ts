import { TOKEN_ROLES, type TokenRole } from '@headgate/contracts';
import { ROUTES, type RouteSpec } from '../api/routes.js';
import { type OpenedControl, openControl, prepare } from '../control.fixture.js';

const ID = '00000000-0000-7000-8000-000000000001';
const ROUTE_LIST = Object.entries<RouteSpec>(ROUTES);

/** Writes go out with a body that no schema takes: who is let in gets 400, so that nothing changes between the cases. */
const pathOf = ({ path }: RouteSpec, project: string): string =>
  path
    .replace(':project', project)
    .replace(':channel', 'stable')
    .replace(':key', 'new-parser')
    .replace(':name', 'insiders')
    .replace(':rollout', ID)
    .replace(':token', ID);

let control: OpenedControl;
const tokens = new Map<string, string>();

beforeAll(async () => {
  control = await openControl();
  const { admin } = await prepare(control);
  await control.call('POST', '/v1/projects', { token: admin, body: { slug: 'other', why: 'start' } });
  for (const role of TOKEN_ROLES) {
    tokens.set(role, (await control.token(role)).secret);
    tokens.set(`${role} of web`, (await control.token(role, 'web')).secret);
  }
});
afterAll(() => control.close());

const call = (route: RouteSpec, project: string, token: string | undefined) =>
  control.call(route.method, pathOf(route, project), {
    ...(token === undefined ? {} : { token }),
    ...(route.method === 'GET' ? {} : { body: { nonsense: true } }),
  });

const isLetIn = (status: number): boolean => status !== 401 && status !== 403;

describe('the API lets in', () => {
  it.each(ROUTE_LIST)('%s: nobody without a token', async (_name, route) => {
    for (const token of [undefined, 'hg_nobody', 'a b', '']) {
      const { status, body } = await call(route, 'web', token);
      expect([status, body.error.code]).toEqual([401, 'unauthenticated']);
    }
  });

  const cases = ROUTE_LIST.flatMap(([name, route]) =>
    TOKEN_ROLES.map((role): [string, TokenRole, RouteSpec] => [name, role, route]),
  );

  it.each(cases)('%s: %s by rank', async (_name, role, route) => {
    const isRanked = TOKEN_ROLES.indexOf(role) >= TOKEN_ROLES.indexOf(route.role as TokenRole);
    const { status } = await call(route, 'web', tokens.get(role));
    expect(isLetIn(status)).toBe(isRanked);
    expect(status).toBeLessThan(500);
  });

  it.each(cases.filter(([, , route]) => route.path.includes(':project')))(
    '%s: %s of web into web as any other, into a foreign project never',
    async (_name, role, route) => {
      const own = await call(route, 'web', tokens.get(`${role} of web`));
      const any = await call(route, 'web', tokens.get(role));
      expect(own.status).toBe(any.status);
      const foreign = await call(route, 'other', tokens.get(`${role} of web`));
      expect([foreign.status, foreign.body.error.code]).toEqual([403, 'forbidden']);
    },
  );

  it('an admin of one project to nothing that concerns the installation', async () => {
    const token = tokens.get('admin of web') ?? '';
    const attempts = [
      control.call('POST', '/v1/projects', { token, body: { slug: 'third', why: 'x' } }),
      control.call('POST', '/v1/tokens', { token, body: { name: 'a', role: 'viewer', why: 'x' } }),
      control.call('POST', '/v1/tokens', {
        token,
        body: { name: 'a', role: 'viewer', project: 'other', why: 'x' },
      }),
      control.call('POST', '/v1/admin/log/verify', { token }),
      control.call('POST', '/v1/admin/log/restore', { token, body: { why: 'x' } }),
      control.call('POST', '/v1/admin/projection/rebuild', { token, body: { why: 'x' } }),
      control.call('POST', '/v1/admin/vendors', { token, body: { name: 'acme' } }),
      control.call('GET', '/v1/admin/doctor', { token }),
    ];
    for (const { status } of await Promise.all(attempts)) expect(status).toBe(403);
    const foreign = await control.token('viewer', 'other');
    const revoke = await control.call('POST', `/v1/tokens/${foreign.id}/revoke`, {
      token,
      body: { why: 'x' },
    });
    expect(revoke.status).toBe(403);
    const { body } = await control.call('GET', '/v1/tokens', { token });
    expect(new Set(body.items.map(({ project }: { project: string }) => project))).toEqual(new Set(['web']));
    const { body: projects } = await control.call('GET', '/v1/projects', { token });
    expect(projects.items.map(({ slug }: { slug: string }) => slug)).toEqual(['web']);
  });

  it('everybody to health and the API description', async () => {
    for (const path of ['/healthz', '/readyz', '/openapi.json']) {
      expect((await control.call('GET', path)).status).toBe(200);
    }
    expect((await fetch(`${control.service.url}/metrics`)).status).toBe(200);
  });

  it('serves every route of the table', () => {
    for (const { method, path } of Object.values<RouteSpec>(ROUTES)) {
      expect([path, control.service.fastify.hasRoute({ method, url: path })]).toEqual([path, true]);
    }
  });
});
