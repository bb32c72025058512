import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type GatewayUsage, gatewayUsageBatch } from '@headgate/contracts';
import { gatewayName } from './gateway-name.js';
import { postUsage } from './post-usage.js';

const usage = (seq: number): GatewayUsage => ({
  schema: 'headgate.gateway-usage.v1',
  project: 'shop',
  channel: 'stable',
  gateway: 'ab'.repeat(32),
  bootId: 'cd'.repeat(16),
  seq,
  asked: [{ flag: 'a', variant: 'on', count: 1 }],
});

describe('telling a collector elsewhere what was evaluated', () => {
  let collector: Server;
  let status = 202;
  let taken: { path: string | undefined; authorization: string | undefined; body: unknown }[] = [];
  let url = '';

  beforeEach(async () => {
    [status, taken] = [202, []];
    collector = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const body = JSON.parse(Buffer.concat(parts).toString()) as unknown;
        taken.push({ path: request.url, authorization: request.headers.authorization, body });
        response.writeHead(status).end('{}');
      });
    });
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  });
  afterEach(() => new Promise((resolve) => collector.close(resolve)));

  it('sends all of it with the token, a few documents at a time', async () => {
    const all = Array.from({ length: 19 }, (_, n) => usage(n + 1));
    await postUsage({ url: `${url}/`, token: 'secret' })(all);
    expect(taken.map(({ path, authorization }) => `${path} ${authorization}`)).toEqual(
      Array(3).fill('/telemetry/v1/usage Bearer secret'),
    );
    expect(taken.flatMap(({ body }) => gatewayUsageBatch.parse(body).usage)).toEqual(all);
  });

  it.each([307, 401, 503])('says so when the answer is %d', async (answer) => {
    status = answer;
    await expect(postUsage({ url, token: 't' })([usage(1)])).rejects.toThrow(`answered ${answer}`);
  });
});

describe("a gateway's name", () => {
  const folder = mkdtempSync(join(tmpdir(), 'hg-name-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const random = (first: number) => (bytes: number) => Buffer.alloc(bytes, first);

  it('is made once and kept; one that is damaged is made anew; no folder is no fault', () => {
    const own = join(folder, 'gateway');
    expect(gatewayName(own, random(1))).toBe('01'.repeat(32));
    expect(gatewayName(own, random(2))).toBe('01'.repeat(32));
    writeFileSync(join(own, 'name'), 'x');
    expect(gatewayName(own, random(3))).toBe('03'.repeat(32));
    writeFileSync(join(folder, 'file'), '');
    expect(gatewayName(join(folder, 'file', 'below'), random(4))).toBe('04'.repeat(32));
  });
});
