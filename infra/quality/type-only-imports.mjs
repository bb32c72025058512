import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from '@swc/core';
import { isSpec } from './source-files.mjs';

/**
 * Libs that know the contracts as types only: what parses at run time is done at the edge, once. libs/trust is not among
 * them, because its readers are an edge: they take documents from servers that need not be trusted.
 */
const TYPES_ONLY = /^libs\/(domain|evaluation|judge)\/src\//;
const CONTRACTS = '@headgate/contracts';

/**
 * Imports and re-exports of the contracts that would exist at run time, in libs where only their types may be used.
 * (dependency-cruiser's swc parser does not tell the two apart.) Returns the files looked at and one line per offence.
 *
 * @param {string} root
 * @param {readonly string[]} files
 */
export function findValueImportsOfContracts(root, files) {
  const seen = files.filter((file) => TYPES_ONLY.test(file) && !isSpec(file));
  const offences = seen.flatMap((file) =>
    valueImports(readFileSync(join(root, file), 'utf8')).map(
      (names) =>
        `${file}: imports ${names} of ${CONTRACTS} as a value; write "import type", or parse at the edge`,
    ),
  );
  return { seen, offences };
}

/**
 * @param {string} source
 * @returns {string[]}
 */
export function valueImports(source) {
  const { body } = parseSync(source, { syntax: 'typescript', decorators: true, target: 'es2022' });
  return body.flatMap((item) => {
    if (item.type === 'ImportDeclaration' && item.source.value === CONTRACTS && !item.typeOnly) {
      const values = item.specifiers.filter((one) => one.type !== 'ImportSpecifier' || !one.isTypeOnly);
      if (item.specifiers.length > 0 && values.length === 0) return [];
      return [values.map(({ local }) => local.value).join(', ') || 'everything'];
    }
    const isExport = item.type === 'ExportNamedDeclaration' || item.type === 'ExportAllDeclaration';
    if (isExport && item.source?.value === CONTRACTS && !('typeOnly' in item && item.typeOnly))
      return ['re-exports'];
    return [];
  });
}
