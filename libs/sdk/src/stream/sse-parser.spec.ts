import fc from 'fast-check';
import { EventTooLarge, type ServerSentEvent, SseParser } from './sse-parser.js';

const LIMIT = 10_000;

const parse = (...chunks: (string | Uint8Array)[]): ServerSentEvent[] => {
  const events: ServerSentEvent[] = [];
  const parser = new SseParser({ onEvent: (event) => events.push(event) }, LIMIT);
  for (const chunk of chunks) parser.push(Buffer.from(chunk));
  return events;
};

describe('SseParser', () => {
  it.each<[string, string, ServerSentEvent[]]>([
    [
      'an event with a name and an id',
      'id: 1.2\nevent: commit\ndata: {}\n\n',
      [{ event: 'commit', data: '{}', id: '1.2' }],
    ],
    ['several lines of data', 'data: a\ndata:b\n\n', [{ event: 'message', data: 'a\nb', id: '' }]],
    ['comments', ': hello\n\n:\n\ndata: a\n\n', [{ event: 'message', data: 'a', id: '' }]],
    [
      'every end of line',
      'data: a\r\ndata: b\rdata: c\n\r\n',
      [{ event: 'message', data: 'a\nb\nc', id: '' }],
    ],
    ['a byte order mark', '\ufeffdata: a\n\n', [{ event: 'message', data: 'a', id: '' }]],
    ['a line without a colon', 'data\n\n', [{ event: 'message', data: '', id: '' }]],
    ['an event without data: none', 'event: beat\n\n', []],
    [
      'an id that stays',
      'id: 7\ndata: a\n\ndata: b\n\n',
      [
        { event: 'message', data: 'a', id: '7' },
        { event: 'message', data: 'b', id: '7' },
      ],
    ],
    ['an event that was not finished: none', 'data: a\n', []],
  ])('reads %s', (_, text, events) => {
    expect(parse(text)).toEqual(events);
  });

  it('reads the same events however the bytes are cut', () => {
    const line = fc.oneof(
      fc.constantFrom('data: ä€😀', 'event: commit', 'id: 3.4', ': x', '', '', 'retry: 5', 'data'),
      fc.string({ unit: 'grapheme' }),
    );
    const ends = fc.constantFrom('\n', '\r', '\r\n');
    fc.assert(
      fc.property(fc.array(fc.tuple(line, ends)), fc.array(fc.nat(40)), (lines, cuts) => {
        const bytes = Buffer.from(lines.flat().join(''));
        const chunks: Buffer[] = [];
        let from = 0;
        for (const cut of cuts) {
          chunks.push(bytes.subarray(from, from + cut));
          from += cut;
        }
        chunks.push(bytes.subarray(from));
        expect(parse(...chunks)).toEqual(parse(bytes));
      }),
      { numRuns: 1_000 },
    );
  });

  it('takes any bytes without throwing anything but EventTooLarge', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 3_000 }), { maxLength: 8 }), (chunks) => {
        try {
          parse(...chunks);
        } catch (error) {
          expect(error).toBeInstanceOf(EventTooLarge);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('refuses an event over the limit, in one line or in many, and not several small ones', () => {
    expect(() => parse(`data: ${'x'.repeat(LIMIT)}`)).toThrow(EventTooLarge);
    expect(() => parse(...Array.from({ length: 200 }, () => `data: ${'x'.repeat(100)}\n`))).toThrow(
      EventTooLarge,
    );
    expect(parse(...Array.from({ length: 200 }, () => `data: ${'x'.repeat(100)}\n\n`))).toHaveLength(200);
  });

  it('passes on the delay that the server wishes for', () => {
    const delays: number[] = [];
    const parser = new SseParser({ onEvent: () => {}, onRetry: (delay) => delays.push(delay) }, LIMIT);
    parser.push(Buffer.from('retry: 250\nretry: soon\nretry: -1\n\n'));
    expect(delays).toEqual([250]);
  });
});
