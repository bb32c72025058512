import type { RefusedMessage } from '@headgate/channel-stream';

export interface RefusedChannel {
  readonly root: string;
  readonly project: string;
  readonly channel: string;
  readonly refused: RefusedMessage;
}

/**
 * Channels whose source says what this gateway must not take: the last good state is served, and nothing newer will come until the
 * source is mended. A channel is off the list as soon as something of it is verified again. Handed in where others ask too.
 */
export class ChannelRefusals {
  private readonly refused = new Map<string, RefusedChannel>();

  /** A gap is not listed: it is asked for again, and shows as a missing beat if it stays. */
  note(channel: RefusedChannel): void {
    if (channel.refused.code !== 'gap') this.refused.set(keyOf(channel), channel);
  }

  clear(channel: Omit<RefusedChannel, 'refused'>): void {
    this.refused.delete(keyOf(channel));
  }

  /** One line per channel. */
  of(root: string): readonly string[] {
    return [...this.refused.values()]
      .filter((channel) => channel.root === root)
      .map(
        ({ project, channel, refused: { code, message } }) =>
          `${root} ${project}/${channel}: ${code}: ${message}`,
      );
  }
}

const keyOf = ({ root, project, channel }: Omit<RefusedChannel, 'refused'>): string =>
  `${root}/${project}/${channel}`;
