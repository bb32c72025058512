import { OutcomeUnknown, type PublishOptions, type Streams, Unavailable } from '@headgate/streams';

/** What may happen to one publish. `late`: given up on by the sender, and stored by the server afterwards if it still fits. */
export type PublishFault = 'none' | 'lost-ack' | 'lost-message' | 'late' | 'away' | 'said-duplicate';

export interface Faults {
  /** Asked once per publish. */
  readonly nextPublish: () => PublishFault;
  /** Asked once per read: true fails it. */
  readonly nextReadFails: () => boolean;
  /** Only for a control: forget what the sender expected, as if the server did not check it. */
  readonly dropExpectations?: boolean;
}

export interface FaultyStreams {
  readonly streams: Streams;
  /** Lets every late message arrive now, in random order as given. */
  releaseLate(order?: (late: (() => Promise<unknown>)[]) => (() => Promise<unknown>)[]): Promise<void>;
}

/** Streams between which and the server the network does what networks do. */
export const faultyStreams = (inner: Streams, faults: Faults): FaultyStreams => {
  let late: (() => Promise<unknown>)[] = [];
  const publish = async (subject: string, data: Uint8Array, options: PublishOptions) => {
    const { expectLastSequence: _, ...unchecked } = options;
    const send = () => inner.publish(subject, data, faults.dropExpectations ? unchecked : options);
    switch (faults.nextPublish()) {
      case 'none':
        return send();
      case 'lost-ack':
        await send();
        throw new OutcomeUnknown(`injected: the ack for ${subject} was lost`);
      case 'lost-message':
        throw new OutcomeUnknown(`injected: ${subject} was lost`);
      case 'late':
        late.push(() => send().catch(() => {}));
        throw new OutcomeUnknown(`injected: ${subject} is late`);
      case 'away':
        throw new Unavailable('injected: away');
      case 'said-duplicate':
        return { ...(await send()), duplicate: true };
    }
  };
  const overrides: Partial<Record<keyof Streams, unknown>> = {
    publish,
    ...Object.fromEntries(
      (['last', 'get', 'info'] as const).map((name) => [
        name,
        async (...args: never[]) => {
          if (faults.nextReadFails()) throw new Unavailable('injected: away');
          return (inner[name] as (...all: never[]) => unknown)(...args);
        },
      ]),
    ),
  };
  const streams = new Proxy(inner, {
    get(target, name) {
      if (name in overrides) return overrides[name as keyof Streams];
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return {
    streams,
    releaseLate: async (order = (all) => all) => {
      const now = order(late);
      late = [];
      for (const send of now) await send();
    },
  };
};
