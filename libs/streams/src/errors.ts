/**
 * What can go wrong between us and a stream. Callers tell them apart by class: only `OutcomeUnknown` leaves open whether a
 * message was stored; each of the others says that it was not.
 */
export class StreamsError extends Error {}

/** The filter's newest message is not the expected one: somebody else wrote first. Not stored. */
export class WrongLastSequence extends StreamsError {
  override readonly name = 'WrongLastSequence';
}

/** Sent, but no answer came. It may be stored, or may yet be stored as long as its expectation still holds. */
export class OutcomeUnknown extends StreamsError {
  override readonly name = 'OutcomeUnknown';
}

/** nats-server or its JetStream is away. Not stored. */
export class Unavailable extends StreamsError {
  override readonly name = 'Unavailable';
}

/** The server said no: a limit, a permission, a malformed subject. Not stored. */
export class PublishRefused extends StreamsError {
  override readonly name = 'PublishRefused';
}

/** Another stream or another JetStream domain answered than the one meant: the wiring is wrong. */
export class StreamMismatch extends StreamsError {
  override readonly name = 'StreamMismatch';
}

export class StreamMissing extends StreamsError {
  override readonly name = 'StreamMissing';
  constructor(readonly stream: string) {
    super(`stream ${stream} does not exist: start the installation once, or restore it from its archive`);
  }
}

/** A stream exists with a configuration that does not keep our promises. */
export class StreamNotAsDeclared extends StreamsError {
  override readonly name = 'StreamNotAsDeclared';
  constructor(
    readonly stream: string,
    readonly differences: readonly string[],
  ) {
    super(`stream ${stream} is not as declared: ${differences.join('; ')}`);
  }
}

/** The stream followed was deleted, created anew, or has lost messages that were already delivered. */
export class StreamReplaced extends StreamsError {
  override readonly name = 'StreamReplaced';
  constructor(
    readonly stream: string,
    message: string,
  ) {
    super(`stream ${stream} ${message}`);
  }
}

/** A message can no longer be delivered in order without a hole. */
export class DeliveryBroken extends StreamsError {
  override readonly name = 'DeliveryBroken';
}

export class ServerTooOld extends StreamsError {
  override readonly name = 'ServerTooOld';
  constructor(version: string, minimum: string) {
    super(
      `nats-server ${version} is too old: Headgate needs ${minimum} or later (older servers ignore settings it relies on)`,
    );
  }
}
