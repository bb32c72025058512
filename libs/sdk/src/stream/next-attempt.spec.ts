import { FIRST, nextStanding, type Outcome, type Standing } from './next-attempt.js';

const moment = { now: 1_000, random: () => 0.5 };
const stream = (result: Extract<Outcome, { way: 'stream' }>['result']): Outcome => ({
  way: 'stream',
  result,
});
const poll = (result: 'good' | 'failed'): Outcome => ({ way: 'poll', result });
const after = (standing: Standing, ...outcomes: Outcome[]): Standing =>
  outcomes.reduce((held, outcome) => nextStanding(held, outcome, moment), standing);

describe('nextStanding', () => {
  it('goes on with streams while they merely fail, however often', () => {
    const standing = after(FIRST, ...Array.from({ length: 100 }, () => stream('failed')));
    expect(standing).toMatchObject({ way: 'stream', failures: 100, suspicions: 0 });
  });

  it('polls at once where the answer is no stream', () => {
    expect(after(FIRST, stream('impossible'))).toMatchObject({ way: 'poll', failures: 1 });
  });

  it('polls after three streams in a row that opened and died', () => {
    const twice = after(FIRST, stream('suspect'), stream('failed'), stream('suspect'));
    expect(twice.way).toBe('stream');
    expect(after(twice, stream('suspect')).way).toBe('poll');
    expect(after(twice, stream('good'), stream('suspect'), stream('suspect')).way).toBe('stream');
  });

  it('tries a stream again after a while, and later each time', () => {
    let standing = after(FIRST, stream('impossible'));
    const waits: number[] = [];
    for (let i = 0; i < 8; i += 1) {
      waits.push(standing.streamAgainAt - moment.now);
      const early = nextStanding(standing, poll('good'), { ...moment, now: standing.streamAgainAt - 1 });
      expect(early).toMatchObject({ way: 'poll', failures: 0 });
      const due = nextStanding(early, poll('good'), { ...moment, now: standing.streamAgainAt });
      expect(due.way).toBe('stream');
      // One more suspicion is enough, and the wait counts from now.
      standing = after(due, stream('suspect'));
      expect(standing.way).toBe('poll');
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60].map((minutes) => minutes * 60_000));
  });

  it('is done with polling once a stream held', () => {
    expect(after(FIRST, stream('impossible'), stream('good'))).toEqual({ ...FIRST, failures: 1 });
  });

  it('goes back to streams when polls bring nothing either, and does not forget how often it failed', () => {
    const polling = after(FIRST, stream('impossible'), poll('failed'), poll('failed'));
    expect(polling).toMatchObject({ way: 'poll', failures: 3 });
    expect(after(polling, poll('failed'))).toMatchObject({ way: 'stream', failures: 4 });
    expect(after(polling, poll('good'), poll('failed'))).toMatchObject({ way: 'poll', failures: 1 });
  });
});
