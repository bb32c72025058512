import { describeMessages, type Field, type FieldType } from './describe-messages.js';

const field = (number: number, type: FieldType, presence?: Field['presence']): Field =>
  presence === undefined ? { number, type } : { number, type, presence };

/** flagd.sync.v1 (flagd-schemas, protobuf/flagd/sync/v1/sync.proto). */
export const SYNC = describeMessages('flagd.sync.v1', {
  SyncFlagsRequest: { provider_id: field(1, 'string'), selector: field(2, 'string') },
  SyncFlagsResponse: { flag_configuration: field(1, 'string'), sync_context: field(2, 'Struct', 'optional') },
  FetchAllFlagsRequest: { provider_id: field(1, 'string'), selector: field(2, 'string') },
  FetchAllFlagsResponse: { flag_configuration: field(1, 'string') },
});

const REQUEST = { flag_key: field(1, 'string'), context: field(2, 'Struct') };
const EVENTS = {
  EventStreamRequest: {},
  EventStreamResponse: { type: field(1, 'string'), data: field(2, 'Struct') },
};

const response = (type: FieldType, presence?: 'optional') => ({
  value: field(1, type, type === 'Struct' ? undefined : presence),
  reason: field(2, 'string'),
  variant: field(3, 'string', presence),
  metadata: field(4, 'Struct'),
});

const resolves = (presence?: 'optional') => ({
  ResolveBooleanRequest: REQUEST,
  ResolveBooleanResponse: response('bool', presence),
  ResolveStringRequest: REQUEST,
  ResolveStringResponse: response('string', presence),
  ResolveFloatRequest: REQUEST,
  ResolveFloatResponse: response('double', presence),
  ResolveIntRequest: REQUEST,
  ResolveIntResponse: response('int64', presence),
  ResolveObjectRequest: REQUEST,
  ResolveObjectResponse: response('Struct', presence),
});

/** flagd.evaluation.v1: a value that is absent cannot be told from an empty one. */
export const EVALUATION_V1 = describeMessages('flagd.evaluation.v1', {
  ...resolves(),
  ...EVENTS,
  ResolveAllRequest: { context: field(1, 'Struct') },
  ResolveAllResponse: { flags: field(1, { mapOf: 'AnyFlag' }), metadata: field(2, 'Struct') },
  AnyFlag: {
    reason: field(1, 'string'),
    variant: field(2, 'string'),
    bool_value: field(3, 'bool', { oneof: 'value' }),
    string_value: field(4, 'string', { oneof: 'value' }),
    double_value: field(5, 'double', { oneof: 'value' }),
    object_value: field(6, 'Struct', { oneof: 'value' }),
    metadata: field(7, 'Struct'),
  },
});

/** flagd.evaluation.v2: without a value the caller uses the default in its code. */
export const EVALUATION_V2 = describeMessages('flagd.evaluation.v2', { ...resolves('optional'), ...EVENTS });
