import type { JsonValue } from '@headgate/contracts';

/**
 * Bytes of a value as JSON in UTF-8, without writing it. Parts that stand in it more than once are measured once, so that a
 * small graph which would be a huge text is measured quickly.
 */
export const jsonBytes = (value: JsonValue | undefined, known = new Map<object, number>()): number => {
  if (value === null || value === undefined) return 4;
  if (typeof value === 'string') return textBytes(value);
  if (typeof value !== 'object') return String(value).length;
  const measured = known.get(value);
  if (measured !== undefined) return measured;
  let bytes = 2;
  if (Array.isArray(value)) for (const item of value) bytes += jsonBytes(item, known) + 1;
  else
    for (const [key, item] of Object.entries(value))
      if (item !== undefined) bytes += textBytes(key) + jsonBytes(item as JsonValue, known) + 2;
  known.set(value, bytes);
  return bytes;
};

const textBytes = (text: string): number => {
  let bytes = 2;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === 0x22 || unit === 0x5c) bytes += 2;
    else if (unit < 0x20) bytes += 6;
    else if (unit < 0x80) bytes += 1;
    else if (unit < 0x800 || (unit >= 0xd800 && unit < 0xe000)) bytes += 2;
    else bytes += 3;
  }
  return bytes;
};
