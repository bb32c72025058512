import { STREAMS } from '@headgate/contracts';
import { declareInstallation, openMemoryStreams } from '@headgate/streams';
import { firstSequenceSince } from './first-sequence-since.js';

describe('the first sequence since a time', () => {
  it('is the first message at or after it, for every time', async () => {
    let now = 1_000;
    const streams = openMemoryStreams({ now: () => now });
    await declareInstallation(streams, { now });
    expect(await firstSequenceSince(streams, STREAMS.telemetry, 0)).toBe(1);
    const times = [1_010, 1_010, 1_020, 1_050, 1_050, 1_050, 1_090];
    for (const time of times) {
      now = time;
      await streams.publish('hg.telemetry.shop', Buffer.from('{}'), { expectStream: STREAMS.telemetry });
    }
    for (let time = 1_000; time < 1_100; time++) {
      const first = times.findIndex((at) => at >= time);
      expect(await firstSequenceSince(streams, STREAMS.telemetry, time)).toBe(first < 0 ? 8 : first + 1);
    }
  });
});
