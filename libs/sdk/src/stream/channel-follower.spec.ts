import fc from 'fast-check';
import { ChannelFollower, type FollowerOptions, type Reception } from './channel-follower.js';
import type { ConnectionEnd, ConnectionHandlers, ConnectionOptions } from './gateway-connection.js';
import type { PollAnswer, PollOptions } from './poll-state.js';

const EVENT = { event: 'state', data: '{}', id: '1.1' };

/** A follower whose clock, dice, connections and polls are the spec's. */
const follow = (random: () => number = () => 0.5, received: () => Reception = () => ({ ok: true })) => {
  let now = 1_700_000_000_000;
  const streams: { options: ConnectionOptions; handlers: ConnectionHandlers }[] = [];
  const polls: { options: PollOptions; answer: (answer: PollAnswer) => void }[] = [];
  const waits: number[] = [];
  const shown: string[] = [];
  const problems: string[] = [];
  let open = 0;
  let most = 0;
  let due: { at: number; run: () => void } | null = null;
  const enter = (): void => {
    open += 1;
    most = Math.max(most, open + (due === null ? 0 : 1));
  };
  const options: FollowerOptions = {
    url: new URL('http://gateway/flags/shop/stable/'),
    token: undefined,
    pollEveryMs: 10_000,
    now: () => now,
    random,
    lastEventId: () => '1.7',
    receive: received,
    onConnection: (connection) => shown.push(connection),
    onProblem: (code) => problems.push(code),
  };
  const follower = new ChannelFollower(options, {
    connect: (connectionOptions, handlers) => {
      enter();
      const end = (ending: ConnectionEnd): void => {
        open -= 1;
        handlers.onEnd(ending);
      };
      streams.push({ options: connectionOptions, handlers: { ...handlers, onEnd: end } });
      return () => end({ code: 'closed', message: '' });
    },
    poll: (pollOptions, onAnswer) => {
      enter();
      polls.push({
        options: pollOptions,
        answer: (answer) => {
          open -= 1;
          onAnswer(answer);
        },
      });
      return () => {
        open -= 1;
      };
    },
    runAfter: (waitMs, run) => {
      expect(due).toBeNull();
      waits.push(waitMs);
      due = { at: now + waitMs, run };
      return () => {
        due = null;
      };
    },
  });
  follower.start();
  const elapse = (ms: number): void => {
    now += ms;
  };
  /** Lets the time pass until the next attempt. */
  const next = (): void => {
    if (due === null) throw new Error('nothing is due');
    const { at, run } = due;
    due = null;
    now = at;
    run();
  };
  const end = (code: ConnectionEnd['code'], more: Partial<ConnectionEnd> = {}): void =>
    streams.at(-1)?.handlers.onEnd({ code, message: code, ...more });
  const flicker = (): void => {
    streams.at(-1)?.handlers.onOpen();
    end('ended');
  };
  const answer = (given: PollAnswer): void => polls.at(-1)?.answer(given);
  return {
    follower,
    streams,
    polls,
    waits,
    shown,
    problems,
    elapse,
    next,
    end,
    flicker,
    answer,
    now: () => now,
    most: () => most,
    isDue: () => due !== null,
  };
};

describe('ChannelFollower', () => {
  it('waits anywhere below a bound that doubles up to thirty seconds, and starts over after a connection that held', () => {
    const world = follow(() => 0.5);
    for (let i = 0; i < 9; i += 1) {
      world.end('unreachable');
      world.next();
    }
    expect(world.waits).toEqual([1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000, 15_000, 15_000]);
    world.streams.at(-1)?.handlers.onOpen();
    world.elapse(10_000);
    world.end('ended');
    expect(world.waits.at(-1)).toBe(1_000);
  });

  it('has one attempt or one wait at a time, whatever happens', () => {
    const happening = fc.constantFrom(
      'unreachable',
      'refused',
      'flicker',
      'mute',
      'not-a-stream',
      'held',
      'start',
    );
    const answered = fc.constantFrom<PollAnswer>(
      { kind: 'unchanged' },
      { kind: 'state', body: '{}', etag: '"1"' },
      { kind: 'failed', message: 'HTTP 500', status: 500 },
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(happening, answered), { maxLength: 60 }), (script) => {
        const world = follow();
        for (const [what, answer] of script) {
          if (what === 'start') world.follower.start();
          if (world.isDue()) world.next();
          const attempts = world.streams.length + world.polls.length;
          expect(world.waits.length).toBe(attempts - 1);
          const isPolling = isNewestPoll(world);
          if (isPolling) world.answer(answer);
          else if (what === 'flicker') world.flicker();
          else if (what === 'held') {
            world.streams.at(-1)?.handlers.onOpen();
            world.elapse(10_000);
            world.end('ended');
          } else if (what !== 'start') world.end(what as ConnectionEnd['code']);
        }
        expect(world.most()).toBe(1);
      }),
    );
  });

  it.each([429, 503])(
    'comes back after %i no earlier than it was asked to, in seconds or by a date',
    (status) => {
      const world = follow(() => 0.999);
      world.end('refused', { status, retryAfter: '7' });
      expect(world.waits[0]).toBeGreaterThanOrEqual(7_000);
      expect(world.waits[0]).toBeLessThan(9_000);
      world.next();
      // Dates of HTTP have whole seconds.
      const date = new Date(Math.floor(world.now() / 1_000) * 1_000 + 20_000).toUTCString();
      world.end('refused', { status, retryAfter: date });
      expect(world.waits[1]).toBeGreaterThanOrEqual(19_000);
      expect(world.waits[1]).toBeLessThan(24_000);
      expect(world.polls).toHaveLength(0);
    },
  );

  it('keeps to the delay that the stream asked for', () => {
    const world = follow(() => 0);
    world.streams[0]?.handlers.onRetry(3_000);
    world.end('ended');
    expect(world.waits).toEqual([3_000]);
  });

  it('spreads those that fell together', () => {
    let state = 1;
    const waits = Array.from({ length: 1_000 }, () => {
      const world = follow(() => {
        state = (state * 48_271) % 2_147_483_647;
        return state / 2_147_483_647;
      });
      world.streams[0]?.handlers.onOpen();
      world.elapse(60_000);
      world.end('ended');
      return world.waits[0]!;
    });
    const tenths = Array.from(
      { length: 10 },
      (_, i) => waits.filter((w) => Math.floor(w / 200) === i).length,
    );
    expect(Math.max(...tenths)).toBeLessThan(2 * 100);
    expect(Math.min(...tenths)).toBeGreaterThan(50);
  });

  it('says connected when something was taken, not when somebody answered', () => {
    const world = follow();
    world.streams[0]?.handlers.onOpen();
    expect(world.shown).toEqual(['connecting']);
    world.streams[0]?.handlers.onEvent(EVENT);
    world.streams[0]?.handlers.onEvent(EVENT);
    expect(world.shown).toEqual(['connecting', 'connected']);
  });

  it('asks for the whole state after a gap', () => {
    const world = follow(undefined, () => ({ ok: false, remedy: 'ask-anew', message: 'gap' }));
    expect(world.streams[0]?.options.lastEventId).toBe('1.7');
    expect(world.streams[0]?.handlers.onEvent(EVENT)).toBe('gap');
    world.end('distrusted');
    world.next();
    expect(world.streams[1]?.options.lastEventId).toBeNull();
  });

  describe('where no stream comes through', () => {
    it.each<[string, Partial<ConnectionEnd>]>([
      ['not-a-stream', { status: 200 }],
      ['refused', { status: 404 }],
      ['refused', { status: 406 }],
      ['refused', { status: 501 }],
    ])('polls after %s %j, with the ETag of what it took', (code, more) => {
      const world = follow(() => 0.25);
      world.end(code as ConnectionEnd['code'], more);
      world.next();
      expect(world.polls.map(({ options }) => options.etag)).toEqual([null]);
      world.answer({ kind: 'state', body: '{}', etag: '"1.7"' });
      expect(world.waits.at(-1)).toBe(7_500);
      world.next();
      world.answer({ kind: 'unchanged' });
      world.next();
      expect(world.polls.map(({ options }) => options.etag)).toEqual([null, '"1.7"', '"1.7"']);
      expect(world.shown).toEqual(['connecting', 'waiting', 'connecting', 'polling']);
      expect(world.streams).toHaveLength(1);
    });

    it('polls after three streams that died at once, and never speaks of a loss while it tries one again', () => {
      const world = follow();
      for (let i = 0; i < 3; i += 1) {
        expect(world.polls).toHaveLength(0);
        world.flicker();
        world.next();
      }
      for (let i = 0; world.streams.length < 4; i += 1) {
        if (i > 1_000) throw new Error('no stream was tried again');
        world.answer({ kind: 'unchanged' });
        world.next();
      }
      world.end('mute');
      world.next();
      world.answer({ kind: 'unchanged' });
      expect(world.shown.slice(world.shown.indexOf('polling'))).toEqual(['polling']);
      expect(world.streams).toHaveLength(4);
    });

    it('forgets the ETag of a state that it could not take, and goes back to streams when polls fail too', () => {
      let isOk = true;
      const world = follow(undefined, () =>
        isOk ? { ok: true } : { ok: false, remedy: 'distrust', message: 'forged' },
      );
      world.end('refused', { status: 404 });
      world.next();
      world.answer({ kind: 'state', body: '{}', etag: '"1"' });
      isOk = false;
      for (let i = 0; i < 3; i += 1) {
        world.next();
        world.answer({ kind: 'state', body: '{}', etag: '"2"' });
      }
      expect(world.polls.map(({ options }) => options.etag)).toEqual([null, '"1"', null, null]);
      world.next();
      expect(world.streams).toHaveLength(2);
      expect(world.problems).toEqual(['connection-refused', 'poll-failed', 'poll-failed', 'poll-failed']);
    });

    it('keeps to Retry-After when it polls', () => {
      const world = follow(() => 0);
      world.end('refused', { status: 404 });
      world.next();
      world.answer({ kind: 'failed', message: 'HTTP 429', status: 429, retryAfter: '9' });
      expect(world.waits.at(-1)).toBe(9_000);
    });
  });

  it('starts nothing after it was closed', () => {
    const world = follow();
    world.follower.close();
    world.follower.start();
    expect([world.streams.length, world.isDue()]).toEqual([1, false]);
    const waiting = follow();
    waiting.end('unreachable');
    waiting.follower.close();
    expect(waiting.isDue()).toBe(false);
  });
});

/** The attempt under way is a poll when one was started since the last stream ended. */
const isNewestPoll = ({ streams, polls, problems }: ReturnType<typeof follow>): boolean => {
  const endedStreams = problems.filter((code) => code.startsWith('connection-')).length;
  return polls.length > 0 && endedStreams === streams.length;
};
