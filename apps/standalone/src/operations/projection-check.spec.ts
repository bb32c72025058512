import { projectionCheck } from './projection-check.js';

const at = (looks: readonly (readonly [newest: number, checkpoint: number])[], state = 'following') => {
  let look = 0;
  const now = () => looks[Math.min(look, looks.length - 1)] as readonly [number, number];
  return projectionCheck({
    projection: {
      status: () => ({
        state: state as 'following',
        detail: state === 'following' ? state : 'Postgres refuses an event',
        lag: 0,
        checkpoint: { streamCreated: 'x', streamSequence: now()[1], heads: {} },
      }),
    },
    newest: async () => now()[0],
    pause: async () => {
      look += 1;
    },
  });
};

describe('the check of the projection', () => {
  it('is well when everything is archived, at once or in a moment', async () => {
    expect(await at([[7, 7]])).toMatchObject({ ok: true, detail: 'following, 0 events behind' });
    expect(
      await at([
        [9, 7],
        [9, 9],
      ]),
    ).toMatchObject({ ok: true });
  });

  it('fails when it is stopped on an error, and gives it', async () => {
    expect(await at([[9, 7]], 'stopped')).toMatchObject({
      ok: false,
      detail: 'Postgres refuses an event, 2 events behind',
    });
  });

  it('fails when it stands still, although it says that it follows', async () => {
    expect(await at([[9, 7]])).toMatchObject({
      ok: false,
      detail: expect.stringContaining('standing still'),
    });
  });

  it('cannot say when the distance grows, and can when it shrinks', async () => {
    expect(
      await at([
        [9, 7],
        [90, 8],
      ]),
    ).toMatchObject({ ok: null, detail: expect.stringContaining('82 events behind, and growing: 2') });
    expect(
      await at([
        [90, 7],
        [91, 60],
      ]),
    ).toMatchObject({ ok: true, detail: 'following, 31 events behind' });
  });
});
