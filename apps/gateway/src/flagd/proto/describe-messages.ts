import { createFileRegistry, type DescMessage, fromJson, type JsonValue } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, file_google_protobuf_struct } from '@bufbuild/protobuf/wkt';

export type FieldType = 'string' | 'bool' | 'double' | 'int64' | 'Struct' | { readonly mapOf: string };

/** One field of a proto3 message. */
export interface Field {
  readonly number: number;
  readonly type: FieldType;
  /** `optional`: absent and empty are told apart. Any other text: the oneof that the field is an arm of. */
  readonly presence?: 'optional' | { readonly oneof: string };
}

export type Messages = Readonly<Record<string, Readonly<Record<string, Field>>>>;

/**
 * Descriptors of a package's messages from a table of their fields, as a `.proto` file would give them: nothing is generated
 * and no compiler is needed. Throws for a name that the table does not have.
 */
export const describeMessages = <T extends Messages>(
  packageName: string,
  messages: T,
): { readonly [Name in keyof T]: DescMessage } => {
  const file = fromJson(FileDescriptorProtoSchema, {
    name: `${packageName.replaceAll('.', '/')}.proto`,
    package: packageName,
    syntax: 'proto3',
    dependency: ['google/protobuf/struct.proto'],
    messageType: Object.entries(messages).map(([name, fields]) => message(packageName, name, fields)),
  });
  const registry = createFileRegistry(file, (name) =>
    name === 'google/protobuf/struct.proto' ? file_google_protobuf_struct : undefined,
  );
  const found = Object.keys(messages).map((name) => [name, registry.getMessage(`${packageName}.${name}`)]);
  return Object.fromEntries(found) as { [Name in keyof T]: DescMessage };
};

const message = (packageName: string, name: string, fields: Messages[string]): JsonValue => {
  const oneofs: string[] = [];
  const nested: JsonValue[] = [];
  const oneofIndex = (oneof: string): number => {
    if (!oneofs.includes(oneof)) oneofs.push(oneof);
    return oneofs.indexOf(oneof);
  };
  // Oneofs that a writer named come before those that only say "optional".
  for (const { presence } of Object.values(fields))
    if (typeof presence === 'object') oneofIndex(presence.oneof);
  const field = Object.entries(fields).map(([fieldName, { number, type, presence }]) => {
    const described = { name: fieldName, jsonName: camelCase(fieldName), number };
    if (typeof type === 'object') {
      const entry = `${pascalCase(fieldName)}Entry`;
      nested.push(mapEntry(entry, `.${packageName}.${type.mapOf}`));
      const typeName = `.${packageName}.${name}.${entry}`;
      return { ...described, label: 'LABEL_REPEATED', type: 'TYPE_MESSAGE', typeName };
    }
    const isMessage = type === 'Struct';
    return {
      ...described,
      label: 'LABEL_OPTIONAL',
      ...(isMessage
        ? { type: 'TYPE_MESSAGE', typeName: '.google.protobuf.Struct' }
        : { type: `TYPE_${type.toUpperCase()}` }),
      ...(presence === 'optional' ? { proto3Optional: true, oneofIndex: oneofIndex(`_${fieldName}`) } : {}),
      ...(typeof presence === 'object' ? { oneofIndex: oneofIndex(presence.oneof) } : {}),
    };
  });
  return { name, field, nestedType: nested, oneofDecl: oneofs.map((oneof) => ({ name: oneof })) };
};

const mapEntry = (name: string, typeName: string): JsonValue => ({
  name,
  options: { mapEntry: true },
  field: [
    { name: 'key', jsonName: 'key', number: 1, label: 'LABEL_OPTIONAL', type: 'TYPE_STRING' },
    { name: 'value', jsonName: 'value', number: 2, label: 'LABEL_OPTIONAL', type: 'TYPE_MESSAGE', typeName },
  ],
});

const camelCase = (name: string): string =>
  name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

const pascalCase = (name: string): string => {
  const camel = camelCase(name);
  return `${camel.charAt(0).toUpperCase()}${camel.slice(1)}`;
};
