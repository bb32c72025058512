export type { ChannelNews, RefusedMessage } from './channel-news.js';
export { type ChannelStream, type ChannelStreamOptions, openChannelStream } from './channel-stream.js';
