import { given, idOf } from '@headgate/testing';
import type { Command } from '../commands.js';

const create: Extract<Command, { type: 'create-token' }> = {
  type: 'create-token',
  project: '_system',
  tokenId: idOf(1),
  name: 'ci',
  role: 'releaser',
  secretHash: 'a'.repeat(64),
  why: 'pipeline',
};
const revoke: Command = { type: 'revoke-token', project: '_system', tokenId: idOf(1), why: 'leaked' };

describe('a token', () => {
  it('is created without its secret', () =>
    given()
      .when(create)
      .thenDecides({
        type: 'token-created.v1',
        data: { name: 'ci', role: 'releaser', secretHash: 'a'.repeat(64), why: 'pipeline' },
      }));
  it('may be for one project and for a time', () =>
    given()
      .when({ ...create, scope: 'web', expiresAt: 9_999_999_999_999 })
      .thenDecides({
        type: 'token-created.v1',
        data: {
          name: 'ci',
          role: 'releaser',
          project: 'web',
          secretHash: 'a'.repeat(64),
          expiresAt: 9_999_999_999_999,
          why: 'pipeline',
        },
      }));
  it('cannot be expired from the start', () =>
    given()
      .when({ ...create, expiresAt: 1 })
      .thenRefused('invalid-input'));
  it('is revoked once', () => {
    given(create)
      .when(revoke)
      .thenDecides({ type: 'token-revoked.v1', data: { why: 'leaked' } });
    given(create, revoke).when(revoke).thenRefused('token-revoked');
    given().when(revoke).thenRefused('not-found');
  });
});
