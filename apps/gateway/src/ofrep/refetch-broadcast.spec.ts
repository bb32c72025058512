import { openChannelReader } from '@headgate/trust';
import { SignedChannel } from '../../../../test/support/signed-channel.js';
import { until } from '../../../../test/support/until.js';
import { ChannelFlagSet } from '../flag-set/channel-flags.js';
import { RefetchBroadcast, type RefetchSocket } from './refetch-broadcast.js';

class RecordingSocket implements RefetchSocket {
  readonly writableLength = 0;
  destroyed = false;
  text = '';
  private onClose: () => void = () => {};

  write(bytes: Buffer): boolean {
    this.text += bytes.toString();
    return true;
  }
  destroy(): void {
    this.destroyed = true;
    this.onClose();
  }
  once(event: 'drain' | 'close', listener: () => void): void {
    if (event === 'close') this.onClose = listener;
  }
  get ids(): string[] {
    return [...this.text.matchAll(/id: (\S+)\ndata/g)].map(([, id]) => id ?? '');
  }
}

describe('RefetchBroadcast', () => {
  const channel = new SignedChannel();
  channel.commit(channel.document(1));
  let flags: ChannelFlagSet;
  let broadcast: RefetchBroadcast;

  beforeEach(() => {
    const { project, channel: name, pin } = channel;
    const reader = openChannelReader({ project, channel: name, pin, now: Date.now });
    reader.acceptState(channel.state());
    flags = new ChannelFlagSet({ project, channel: name, now: Date.now, onLeftOut: () => {} });
    flags.sync(reader.state!, reader.tip!.h);
    broadcast = new RefetchBroadcast({ root: 'own', flags, now: Date.now, random: () => 0, catchUpMs: 50 });
  });
  afterEach(() => {
    broadcast.close();
    flags.close();
  });
  const join = (lastEventId?: string) => {
    const socket = new RecordingSocket();
    return { socket, joined: broadcast.join(socket, lastEventId) };
  };

  it('lets a client go that knows of flags which do not come', async () => {
    const { socket, joined } = join('own:1.9');
    await joined;
    expect([socket.destroyed, socket.text, broadcast.clientCount]).toEqual([true, '', 0]);
  });

  it.each(['', 'x', '1', 'abc@5', 'own:1.2x', 'own:1.1', 'other:1.9', '1.9'])(
    'tells a client everything whose id says nothing: %j',
    async (id) => {
      const { socket, joined } = join(id);
      await joined;
      expect(socket.ids).toEqual(['own:1.2']);
    },
  );

  it('ends those who wait too when it ends, and forgets those who left', async () => {
    const [waiting, gone, following] = [join('own:1.9'), join(), join()];
    await following.joined;
    gone.socket.destroy();
    expect(broadcast.clientCount).toBe(1);
    broadcast.close();
    await waiting.joined;
    expect([waiting.socket.destroyed, following.socket.destroyed]).toEqual([true, true]);
    await until('all gone', () => broadcast.clientCount === 0);
  });
});
