import { problem } from '@headgate/contracts';
import fc from 'fast-check';
import { ROUTES, type RouteSpec } from './api/routes.js';
import { DEFINITION, type OpenedControl, openControl, prepare } from './control.fixture.js';

const SEED = Number(process.env.HEADGATE_FUZZ_SEED ?? Date.now() % 2_147_483_647);
const RUNS = Number(process.env.HEADGATE_FUZZ_RUNS ?? 400);
const WRITES = Object.values<RouteSpec>(ROUTES).filter(({ method }) => method !== 'GET');

let control: OpenedControl;
let admin: string;

beforeAll(async () => {
  control = await openControl();
  ({ admin } = await prepare(control));
  process.stderr.write(`fuzz of the API: seed ${SEED}, ${RUNS} runs a property\n`);
});
afterAll(() => control.close());

const seeded = { seed: SEED, numRuns: RUNS };

/** Any answer is 2xx or a well-formed problem of 4xx; 404 and 503 of parts that this fixture lacks included, 500 never. */
const expectNoCrash = (status: number, body: unknown, what: string): void => {
  if (status >= 200 && status < 300) return;
  if (status < 400 || status >= 500) throw new Error(`${what}: ${status} ${JSON.stringify(body)}`);
  problem.parse(body);
};

/** Bodies that are right but for one field: these get past the first checks. */
const nearlyRight = fc
  .tuple(
    fc.constantFrom<Record<string, unknown>>(
      { slug: 'p', why: 'w' },
      { key: 'k', definition: DEFINITION, why: 'w' },
      { definition: DEFINITION, why: 'w' },
      { channel: 'stable', flag: 'new-parser', variant: 'on', why: 'w' },
      { name: 'n', role: 'viewer', why: 'w' },
      { why: 'w' },
    ),
    fc.array(
      fc.tuple(
        fc.oneof(
          fc.string(),
          fc.constantFrom('why', 'definition', 'policy', 'metrics', 'slug', 'key', '__proto__'),
        ),
        fc.jsonValue({ maxDepth: 4 }),
      ),
      { maxLength: 3 },
    ),
  )
  .map(([body, changes]) => JSON.stringify({ ...body, ...Object.fromEntries(changes) }));

const definitions = fc
  .record({
    state: fc.constantFrom('ENABLED', 'DISABLED', 'x'),
    variants: fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 3 })),
    defaultVariant: fc.string({ maxLength: 8 }),
    targeting: fc.jsonValue({ maxDepth: 6 }),
  })
  .map((definition) => JSON.stringify({ key: 'k', definition, why: 'w' }));

const paths = fc.constantFrom(...WRITES);
const segment = fc.oneof(
  fc.constantFrom('web', 'stable', 'new-parser', '_system', '..', '.', '%2e%2e', '*', '>', 'a.b', ''),
  fc
    .string({ unit: 'binary', maxLength: 20 })
    .filter((text) => text.isWellFormed())
    .map(encodeURIComponent),
);
const target = fc
  .tuple(paths, fc.array(segment, { minLength: 4, maxLength: 4 }), fc.boolean())
  .map(([route, parts, isExact]) => {
    let at = 0;
    const known: Record<string, string> = { project: 'web', channel: 'stable', key: 'new-parser' };
    const path = route.path.replaceAll(
      /:(\w+)/g,
      (_, name: string) => (isExact && known[name]) || parts[at++ % 4] || 'x',
    );
    return { method: route.method, path };
  });

describe('the API takes', () => {
  it('any JSON on any write without falling over', async () => {
    const bodies = fc.oneof(fc.json({ maxDepth: 5 }), nearlyRight, definitions);
    await fc.assert(
      fc.asyncProperty(target, bodies, async ({ method, path }, body) => {
        const answer = await control.call(method, path, { token: admin, body });
        expectNoCrash(answer.status, answer.body, `${method} ${path} ${body}`);
      }),
      seeded,
    );
  }, 60_000);

  it('any bytes under any content type', async () => {
    const types = fc.constantFrom(
      'application/json',
      'text/plain',
      'multipart/form-data',
      'application/json; charset=x',
      'é',
    );
    await fc.assert(
      fc.asyncProperty(
        target,
        fc.uint8Array({ maxLength: 200 }),
        types,
        async ({ method, path }, bytes, type) => {
          const answer = await fetch(`${control.service.url}${path}`, {
            method,
            headers: { authorization: `Bearer ${admin}`, 'content-type': type },
            body: Buffer.from(bytes),
          });
          expectNoCrash(answer.status, await answer.json(), `${method} ${path}`);
        },
      ),
      seeded,
    );
  }, 60_000);

  it('any header of ours', async () => {
    const headerText = fc.string({
      unit: fc.constantFrom(...'abcXYZ019 -_.:;,/\\"{}%\u00e9\t'),
      maxLength: 80,
    });
    await fc.assert(
      fc.asyncProperty(headerText, headerText, headerText, async (token, commandId, correlationId) => {
        const answer = await fetch(`${control.service.url}/v1/projects/web/rollout-plan`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${token}`,
            'idempotency-key': commandId,
            'x-correlation-id': correlationId,
            'content-type': 'application/json',
          },
          body: '{}',
        });
        expect(answer.status).toBe(401);
        problem.parse(await answer.json());
      }),
      { ...seeded, numRuns: Math.min(RUNS, 200) },
    );
  }, 60_000);

  it('still works after all of it', async () => {
    const { status } = await control.call('GET', '/v1/projects/web/channels/stable/flags', { token: admin });
    expect(status).toBe(200);
    expect((await control.call('GET', '/readyz')).status).toBe(200);
    expect(control.lines.filter((line) => line.includes('request failed'))).toEqual([]);
  });
});
