import { request as rawRequest } from 'node:http';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { Problem } from '@headgate/contracts';
import { Body, Controller, Get, Inject, Module, Param, Post, Req, Res } from '@nestjs/common';
import fc from 'fast-check';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { fuzzRun } from '../../../../test/support/fuzz-run.js';
import {
  BodyLimit,
  HealthRegistry,
  Log,
  openEventStream,
  RequestRefused,
  type RunningService,
  runService,
  Shutdown,
} from '../index.js';

const note = z.strictObject({ text: z.string().max(5), at: z.strictObject({ ms: z.int() }) });

@Controller('notes')
class NoteController {
  constructor(@Inject(Shutdown) private readonly shutdown: Shutdown) {}
  @Post() create(@Body({ schema: note }) body: z.infer<typeof note>): unknown {
    return body;
  }
  @Post('big') @BodyLimit(2_000_000, 10_000) big(@Body() body: unknown): unknown {
    return { bytes: JSON.stringify(body).length };
  }
  @Get('refused') refused(): void {
    throw new RequestRefused('base-moved', 'The note moved on.');
  }
  @Get('bug') bug(): void {
    throw new Error('password=hunter2 at hg_0123456789abcdef');
  }
  @Get('slug/:slug') slug(@Param('slug', { schema: z.string().regex(/^[a-z]+$/) }) slug: string): unknown {
    return { slug };
  }
  @Get('stream') stream(@Req() _: FastifyRequest, @Res() reply: FastifyReply): void {
    openEventStream(reply, this.shutdown.signal).send('hello', { n: 1 }, '0.1');
  }
}
@Module({ controllers: [NoteController] })
class NoteModule {}

let service: RunningService;
let lines: string[];

beforeAll(async () => {
  lines = [];
  const log = new Log({ service: 'spec', level: 'info', now: () => 0, write: (line) => lines.push(line) });
  service = await runService({ name: 'spec', modules: [NoteModule], log, drainMs: 300 });
});
afterAll(() => service.close());

const post = (
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<Response> =>
  fetch(`${service.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
const problemOf = async (answer: Response): Promise<Problem['error'] & { status: number }> => ({
  ...((await answer.json()) as Problem).error,
  status: answer.status,
});

describe('a service', () => {
  it('names every faulty field and never echoes a value', async () => {
    const problem = await problemOf(await post('/notes', '{"text":"hunter2","at":{"ms":1.5},"more":1}'));
    expect(problem).toMatchObject({ status: 400, code: 'invalid-input' });
    expect(problem.details?.map((line) => line.split(':')[0])).toEqual(
      expect.arrayContaining(['text', 'at.ms']),
    );
    expect(JSON.stringify(problem)).not.toContain('hunter2');
  });

  it("answers a refusal with its code, status, next step and the caller's correlation id", async () => {
    const answer = await fetch(`${service.url}/notes/refused`, { headers: { 'x-correlation-id': 'abc-1' } });
    expect(answer.headers.get('x-correlation-id')).toBe('abc-1');
    expect(await problemOf(answer)).toEqual({
      status: 409,
      code: 'base-moved',
      message: 'The note moved on.',
      next: 'Read the newest state and decide again.',
      correlationId: 'abc-1',
    });
  });

  it('says nothing of a bug to the caller and logs it redacted under the same correlation id', async () => {
    const problem = await problemOf(await fetch(`${service.url}/notes/bug`));
    expect(problem).toMatchObject({ status: 500, code: 'internal' });
    expect(JSON.stringify(problem)).not.toMatch(/hunter2|hg_0123|at Note|\.ts/);
    const logged = lines.find((line) => line.includes(problem.correlationId ?? 'none'));
    expect(logged).toContain('NoteController');
    expect(logged).not.toContain('0123456789abcdef');
  });

  it('makes up a correlation id when the given one is not harmless', async () => {
    const answer = await fetch(`${service.url}/notes/refused`, { headers: { 'x-correlation-id': 'a b"c' } });
    expect(answer.headers.get('x-correlation-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('refuses parameters by schema, unknown addresses and oversized bodies', async () => {
    expect(await problemOf(await fetch(`${service.url}/notes/slug/ABC`))).toMatchObject({ status: 400 });
    expect(await problemOf(await fetch(`${service.url}/nowhere`))).toMatchObject({
      status: 404,
      code: 'not-found',
    });
    const big = JSON.stringify({ text: 'x'.repeat(1_100_000) });
    expect(await problemOf(await post('/notes', big))).toMatchObject({ status: 413, code: 'body-too-large' });
    expect(await (await post('/notes/big', big)).json()).toEqual({ bytes: big.length });
  });

  it('reads gzip, and stops a zip bomb at the limit of either side', async () => {
    const gzip = { 'content-encoding': 'gzip' };
    const small = JSON.stringify({ text: 'abc', at: { ms: 1 } });
    expect(await (await post('/notes', gzipSync(small), gzip)).json()).toEqual({
      text: 'abc',
      at: { ms: 1 },
    });
    const bomb = gzipSync(JSON.stringify({ text: 'x'.repeat(8_000_000) }));
    expect(await problemOf(await post('/notes/big', bomb, gzip))).toMatchObject({ status: 413 });
    const wide = gzipSync(
      JSON.stringify({ text: [...Array(20_000)].map((_, i) => (i * 7919) % 9973).join() }),
    );
    expect(wide.length).toBeGreaterThan(10_000);
    expect(await problemOf(await post('/notes/big', wide, gzip))).toMatchObject({ status: 413 });
    expect(await problemOf(await post('/notes', 'not gzip', gzip))).toMatchObject({ status: 400 });
    expect(await problemOf(await post('/notes', small, { 'content-encoding': 'br' }))).toMatchObject({
      status: 400,
    });
  });

  it('lives on when a damaged gzip body comes with a content type that nobody reads', async () => {
    for (const body of [gzipSync('{}').subarray(0, 9), Buffer.alloc(0), Buffer.from('abc')])
      for (const type of ['', 'a/b'])
        expect(
          (await post('/notes', body, { 'content-encoding': 'gzip', 'content-type': type })).status,
        ).toBeGreaterThanOrEqual(400);
    expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
  });

  it('answers any bytes in body, path and headers with a problem of 4xx, never 5xx', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          fc.json().map((json) => Buffer.from(json)),
        ),
        fc.constantFrom('application/json', 'text/plain', 'application/x-www-form-urlencoded', 'a/b', ''),
        async (bytes, type) => {
          const answer = await post('/notes', Buffer.from(bytes), { 'content-type': type });
          expect(await problemOf(answer)).toMatchObject({
            status: expect.any(Number),
            code: expect.any(String),
          });
          expect(answer.status).toBeGreaterThanOrEqual(400);
          expect(answer.status).toBeLessThan(500);
        },
      ),
      fuzzRun('any service over HTTP', 150),
    );
    for (const path of [
      '/%',
      '/notes/slug/%ff',
      '/notes/slug/%c3%28',
      `/notes/slug/${'a'.repeat(5_000)}`,
      '//x',
      '/notes/slug/%00',
    ]) {
      const status = await new Promise<number>((resolve, reject) => {
        rawRequest(`${service.url}`, { path }, (answer) => {
          answer.resume();
          resolve(answer.statusCode ?? 0);
        })
          .on('error', reject)
          .end();
      });
      expect([path, status >= 400 && status < 500]).toEqual([path, true]);
    }
    expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
  });

  it.each([
    [100_000, 400],
    [201, 400],
    [200, 201],
  ])('answers a body of %d levels with %d', async (depth, status) => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const answer = await post('/notes/big', open.repeat(depth).replace(/:$/, ':1') + close.repeat(depth));
      expect(answer.status).toBe(status);
      if (status === 400)
        expect(await problemOf(answer)).toMatchObject({
          code: 'invalid-input',
          message: `The body is nested ${depth} levels deep; at most 200 are taken.`,
        });
    }
  });

  it.each([
    ['a body', 'Content-Length: 100\r\nContent-Type: application/json\r\n\r\n{'],
    ['headers', 'X-A: b\r\n'],
  ])('answers %s without end with a problem, and closes', async (_, rest) => {
    const own = await runService({
      name: 'spec',
      modules: [NoteModule],
      log: service.log,
      requestTimeoutMs: 100,
    });
    const slow = connect(own.port, '127.0.0.1');
    try {
      slow.write(`POST /notes HTTP/1.1\r\nHost: x\r\n${rest}`);
      let text = '';
      for await (const part of slow) text += String(part);
      expect(text).toMatch(/^HTTP\/1.1 408 /);
      expect(JSON.parse(text.split('\r\n\r\n')[1] ?? '')).toMatchObject({ error: { code: 'invalid-input' } });
    } finally {
      slow.destroy();
      await own.close();
    }
  });

  it('refuses prototype poisoning', async () => {
    expect(await problemOf(await post('/notes', '{"__proto__":{"a":1},"text":"a"}'))).toMatchObject({
      status: 400,
    });
  });

  it('turns unready when a check fails, throws, and ready again when it passes', async () => {
    const health = service.app.get(HealthRegistry);
    let answer: () => { ok: boolean } = () => ({ ok: true });
    const forget = health.ready('store', () => answer());
    const ready = async (): Promise<number> => (await fetch(`${service.url}/readyz`)).status;
    expect(await ready()).toBe(200);
    answer = () => ({ ok: false });
    expect(await ready()).toBe(503);
    answer = () => {
      throw new Error('away');
    };
    expect(await ready()).toBe(503);
    expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
    forget();
    expect(await ready()).toBe(200);
  });

  it('serves its metrics with the route pattern, never the raw path', async () => {
    const text = await (await fetch(`${service.url}/metrics`)).text();
    expect(text).toContain('route="/notes/slug/:slug"');
    expect(text).not.toContain('/notes/slug/ABC');
    expect(text).toContain('process_cpu_seconds_total');
  });

  it('closes although a stream and a half-sent request are open', async () => {
    const own = await runService({ name: 'spec', modules: [NoteModule], log: service.log, drainMs: 200 });
    const stream = await fetch(`${own.url}/notes/stream`);
    const half = connect(own.port, '127.0.0.1');
    const cut = new Promise<void>((resolve) => {
      half.on('close', () => resolve());
      half.on('error', () => undefined);
    });
    half.write(
      'POST /notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
    );
    const closed = own.close();
    expect(await stream.text()).toContain('id: 0.1\nevent: hello\ndata: {"n":1}');
    await closed;
    await cut;
    await expect(fetch(`${own.url}/healthz`)).rejects.toThrow();
  });
});
