import { StandardSchemaValidationPipe } from '@nestjs/common';
import { InvalidInput } from './input-errors.js';

interface Issue {
  readonly message: string;
  readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined;
}

const MAX_ISSUES = 20;

/** One line per fault: where, then what. Never the value itself, which may be a secret. */
export const issueLines = (issues: readonly Issue[]): readonly string[] => {
  const lines = issues.slice(0, MAX_ISSUES).map(({ path = [], message }) => {
    const where = path
      .map((part) => String(typeof part === 'object' ? part.key : part).slice(0, 100))
      .join('.');
    return where === '' ? message : `${where}: ${message}`;
  });
  return issues.length > MAX_ISSUES ? [...lines, `and ${issues.length - MAX_ISSUES} more`] : lines;
};

/** Checks every `@Body({schema})`, `@Param(…, {schema})`, `@Query({schema})`; what fails is `invalid-input`. */
export const validationPipe = (): StandardSchemaValidationPipe =>
  new StandardSchemaValidationPipe({
    exceptionFactory: (issues) => {
      const details = issueLines(issues);
      return new InvalidInput(`The input is not valid: ${details[0] ?? 'unknown fault'}`, details);
    },
  });
