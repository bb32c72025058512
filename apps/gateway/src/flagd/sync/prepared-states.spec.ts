import { fromBinary, type JsonObject, toJson } from '@bufbuild/protobuf';
import { messageOf } from '../grpc/grpc-frames.js';
import { SYNC } from '../proto/flagd-messages.js';
import { MAX_MESSAGE_BYTES, PreparedStates } from './prepared-states.js';

let json: Buffer;
const flags = { flagdJson: (): Buffer => json };
const read = (frame: Buffer): JsonObject =>
  toJson(SYNC.SyncFlagsResponse, fromBinary(SYNC.SyncFlagsResponse, messageOf(frame))) as JsonObject;

describe('prepared states', () => {
  it.each([0, 1, 127, 128, 16_383, 16_384, 3_000_000])('are what protobuf makes of %i bytes', (length) => {
    json = Buffer.alloc(length, 'x');
    const states = new PreparedStates(flags, { region: 'north', ring: 2 }, () => {});
    const expected = length === 0 ? {} : { flagConfiguration: json.toString() };
    expect(read(states.syncFrame())).toEqual({ ...expected, syncContext: { region: 'north', ring: 2 } });
    expect(read(states.fetchFrame())).toEqual(expected);
  });

  it('are the same bytes for everybody until the flags change', () => {
    json = Buffer.from('{"flags":{}}');
    const states = new PreparedStates(flags, null, () => {});
    const first = states.syncFrame();
    expect(states.syncFrame()).toBe(first);
    expect(states.fetchFrame()).toBe(first);
    json = Buffer.from('{"flags":{"a":{}}}');
    expect(states.syncFrame()).not.toBe(first);
    expect(read(states.syncFrame())).toEqual({ flagConfiguration: '{"flags":{"a":{}}}' });
  });

  it('do not leave over 4 MiB, which is said once for each such state', () => {
    const told: number[] = [];
    const states = new PreparedStates(flags, null, (bytes) => told.push(bytes));
    // One byte names the field and four its length.
    json = Buffer.alloc(MAX_MESSAGE_BYTES - 5, 'x');
    expect(messageOf(states.syncFrame())).toHaveLength(MAX_MESSAGE_BYTES);
    json = Buffer.alloc(MAX_MESSAGE_BYTES - 4, 'x');
    for (let i = 0; i < 3; i += 1)
      expect(() => states.syncFrame()).toThrow(/4194305 bytes, more than the 4194304/);
    expect(told).toEqual([MAX_MESSAGE_BYTES + 1]);
    json = Buffer.from('{}');
    expect(read(states.syncFrame())).toEqual({ flagConfiguration: '{}' });
  });
});
