/** A value of nats-server's configuration language; `variable` is read from the server's environment. */
export type ConfValue =
  | string
  | number
  | boolean
  | Variable
  | readonly ConfValue[]
  | { readonly [key: string]: ConfValue | undefined };

interface Variable {
  readonly variable: string;
}

/** Text of a configuration file: one entry a line, in the order given, entries that are undefined left out. */
export function confText(entries: { readonly [key: string]: ConfValue | undefined }): string {
  return `${bodyLines(entries, '').join('\n')}\n`;
}

function bodyLines(entries: { readonly [key: string]: ConfValue | undefined }, indent: string): string[] {
  return Object.entries(entries)
    .filter((entry): entry is [string, ConfValue] => entry[1] !== undefined)
    .map(([key, value]) => `${indent}${key}: ${valueText(value, indent)}`);
}

function valueText(value: ConfValue, indent: string): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value !== 'object') return String(value);
  if (isList(value)) return listText(value, indent);
  if (isVariable(value)) return `$${value.variable}`;
  return `{\n${bodyLines(value, `${indent}  `).join('\n')}\n${indent}}`;
}

function listText(values: readonly ConfValue[], indent: string): string {
  if (values.length === 0) return '[]';
  const inner = `${indent}  `;
  return `[\n${values.map((value) => `${inner}${valueText(value, inner)}`).join('\n')}\n${indent}]`;
}

/** nats-server knows fewer escapes than JSON, so only printable text is let through. */
function quoted(text: string): string {
  if (!/^[\x20-\x7e]*$/.test(text)) {
    throw new TypeError(
      `nats-server configuration: ${JSON.stringify(text)} holds characters other than printable ASCII`,
    );
  }
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function isList(value: ConfValue): value is readonly ConfValue[] {
  return Array.isArray(value);
}

function isVariable(value: object): value is Variable {
  return 'variable' in value && typeof value.variable === 'string';
}
