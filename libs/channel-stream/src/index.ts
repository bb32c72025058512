export type { ChannelNews, RefusedMessage } from './channel-news.js';
export { type ChannelStream, type ChannelStreamOptions, openChannelStream } from './channel-stream.js';
export { type ChannelReading, type ReadChannelOptions, readChannel } from './read-channel.js';
