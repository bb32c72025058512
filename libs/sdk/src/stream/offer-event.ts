import { GATEWAY_EVENTS } from '@headgate/contracts';
import type { Acceptance, ChannelReader } from '@headgate/trust';
import type { Reception } from './channel-follower.js';
import type { ServerSentEvent } from './sse-parser.js';

/** What the verifier makes of an event; null for one that it does not know: a newer gateway wrote it for newer readers. */
export const offerEvent = (reader: ChannelReader, { event, data }: ServerSentEvent): Acceptance | null => {
  switch (event) {
    case GATEWAY_EVENTS.trust:
      return reader.acceptTrust(data);
    case GATEWAY_EVENTS.state:
      return reader.acceptState(data);
    case GATEWAY_EVENTS.commit:
      return reader.acceptCommit(data);
    case GATEWAY_EVENTS.beat:
      return reader.acceptBeat(data);
    default:
      return null;
  }
};

/** What to do about a source that offered something refused. */
export const receptionOf = (code: Extract<Acceptance, { ok: false }>['code'], message: string): Reception => {
  switch (code) {
    case 'rolled-back':
      // A gateway that is merely late catches up on this same connection.
      return { ok: true };
    case 'gap':
    case 'no-trust':
    case 'wrong-epoch':
      return { ok: false, remedy: 'ask-anew', message };
    default:
      return { ok: false, remedy: 'distrust', message };
  }
};
