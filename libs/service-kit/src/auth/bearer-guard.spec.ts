import { Controller, Get, Module, UseGuards } from '@nestjs/common';
import { Log } from '../log/log.js';
import { type RunningService, runService } from '../service/run-service.js';
import { Allow, CallerOf, Public } from './access.js';
import { BearerGuard } from './bearer-guard.js';
import { AnyOfBearers, Bearers, type Caller, FixedBearers, secretHash } from './bearers.js';

@Controller('things')
@UseGuards(BearerGuard)
class ThingController {
  @Get('open') @Public() open(): object {
    return {};
  }
  @Get('forgotten') forgotten(): object {
    return {};
  }
  @Get(':project') @Allow('editor') read(@CallerOf() caller: Caller): Caller {
    return caller;
  }
}

const bearers = (secret: string, caller: Caller): FixedBearers =>
  new FixedBearers([{ secretHash: secretHash(secret), caller }]);

@Module({
  controllers: [ThingController],
  providers: [
    BearerGuard,
    {
      provide: Bearers,
      useValue: new AnyOfBearers([
        bearers('hg_all', { tokenId: 'a', role: 'admin', project: null }),
        bearers('hg_web', { tokenId: 'b', role: 'editor', project: 'web' }),
        bearers('hg_low', { tokenId: 'c', role: 'viewer', project: null }),
      ]),
    },
  ],
})
class ThingModule {}

let service: RunningService;
beforeAll(async () => {
  const log = new Log({ service: 'spec', level: 'error', now: () => 0, write: () => undefined });
  service = await runService({ name: 'spec', modules: [ThingModule], log });
});
afterAll(() => service.close());

const status = async (path: string, authorization?: string): Promise<number> =>
  (await fetch(`${service.url}/things/${path}`, { headers: authorization ? { authorization } : {} })).status;

describe('the guard', () => {
  it.each([
    ['open', undefined, 200],
    ['web', undefined, 401],
    ['web', 'hg_all', 401],
    ['web', 'Basic hg_all', 401],
    ['web', 'Bearer', 401],
    ['web', `Bearer ${'a'.repeat(600)}`, 401],
    ['web', 'Bearer hg_unknown', 401],
    ['web', 'Bearer hg_all', 200],
    ['web', 'bearer hg_all', 200],
    ['web', 'Bearer hg_web', 200],
    ['other', 'Bearer hg_web', 403],
    ['web', 'Bearer hg_low', 403],
  ])('%s with %s: %i', async (path, authorization, expected) => {
    expect(await status(path, authorization)).toBe(expected);
  });

  it('lets nobody to an address that says nothing about access', async () => {
    expect(await status('forgotten', 'Bearer hg_all')).toBe(403);
  });

  it('hands the caller on', async () => {
    const answer = await fetch(`${service.url}/things/web`, { headers: { authorization: 'Bearer hg_web' } });
    expect(await answer.json()).toEqual({ tokenId: 'b', role: 'editor', project: 'web' });
  });
});
