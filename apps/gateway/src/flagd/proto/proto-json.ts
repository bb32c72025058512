import {
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonObject,
  toBinary,
  toJson,
} from '@bufbuild/protobuf';
import { FlagdRefused } from '../grpc/grpc-status.js';

/** A request as proto-JSON. Throws `FlagdRefused` for bytes that are not such a message, or are nested too deep. */
export const decodeRequest = (description: DescMessage, bytes: Uint8Array): JsonObject =>
  read(() => toJson(description, fromBinary(description, bytes)));

/** The same from JSON, which is read as protobuf says: unknown fields are ignored. */
export const readRequest = (description: DescMessage, text: string): JsonObject =>
  read(() => toJson(description, fromJson(description, JSON.parse(text), { ignoreUnknownFields: true })));

const read = (parse: () => unknown): JsonObject => {
  try {
    return parse() as JsonObject;
  } catch (error) {
    throw new FlagdRefused('invalidArgument', `the request cannot be read: ${(error as Error).message}`);
  }
};

export const encodeAnswer = (description: DescMessage, answer: JsonObject): Uint8Array =>
  toBinary(description, fromJson(description, answer));
