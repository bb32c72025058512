import type { ChannelDirectory } from '../channels/channel-directory.js';
import type { ServedChannel } from '../channels/served-channel.js';
import { FlagdRefused } from './grpc/grpc-status.js';

/** What a selector looks channels up in. */
export type Channels = Pick<ChannelDirectory, 'find' | 'serving' | 'isComplete'>;

const ADVICE = 'flagSetId=<project>/<channel>';
const MAX_NAMED = 5;

/**
 * The channel of a flagd selector: `flagSetId=<project>/<channel>`, the same as `source=`, or bare, which flagd takes for a source.
 * Without one, the only channel there is. Throws `FlagdRefused`: UNAVAILABLE, which clients retry, while channels may still come.
 */
export const selectChannel = (channels: Channels, selector: string | undefined): ServedChannel => {
  const text = selector?.trim() ?? '';
  if (text === '') return onlyChannel(channels);
  const [, project, channel] =
    /^(?:flagSetId=|source=)?([a-z0-9_-]{1,64})\/([a-z0-9_-]{1,64})$/.exec(text) ?? [];
  if (project === undefined || channel === undefined)
    throw new FlagdRefused(
      'invalidArgument',
      `the selector ${JSON.stringify(text.slice(0, 100))} names no channel; pass ${ADVICE}`,
    );
  const found = channels.find(project, channel);
  if (found !== null) return found;
  throw channels.isComplete
    ? new FlagdRefused('notFound', `there is no channel ${project}/${channel} here`)
    : notYet();
};

const onlyChannel = (channels: Channels): ServedChannel => {
  const names = new Set(channels.serving().map(nameOf));
  if (!channels.isComplete && names.size === 0) throw notYet();
  const [only] = channels.serving();
  if (names.size === 1 && only !== undefined)
    return channels.find(only.address.project, only.address.channel) ?? only;
  const some = [...names].sort().slice(0, MAX_NAMED);
  const known = names.size === 0 ? '' : `, such as ${some.map((name) => `flagSetId=${name}`).join(' or ')}`;
  throw new FlagdRefused(
    'invalidArgument',
    `this gateway serves ${names.size} channels; say which by the selector ${ADVICE}${known}`,
  );
};

const nameOf = ({ address: { project, channel } }: ServedChannel): string => `${project}/${channel}`;

const notYet = (): FlagdRefused =>
  new FlagdRefused('unavailable', 'the channels of this gateway are not all known yet');
