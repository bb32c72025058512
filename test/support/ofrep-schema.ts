import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { parse } from 'yaml';

const OPENAPI = fileURLToPath(new URL('../../../shared/conformance/ofrep/openapi.yaml', import.meta.url));

interface Operation {
  readonly responses: Readonly<Record<string, { content?: Readonly<Record<string, { schema: object }>> }>>;
}

export interface OfrepAnswer {
  readonly status: number;
  readonly contentType: string | null;
  readonly retryAfter: string | null;
  readonly body: string;
}

/** Checks answers against OFREP's openapi.yaml; null where the file is not found. */
export const openOfrepSchema = (): OfrepSchema | null => (existsSync(OPENAPI) ? new OfrepSchema() : null);

export class OfrepSchema {
  private readonly document = parse(readFileSync(OPENAPI, 'utf8')) as {
    paths: Record<string, { post: Operation }>;
    components: { schemas: Record<string, { allOf: { oneOf?: unknown; anyOf?: unknown }[] }> };
  };
  private readonly ajv = new Ajv2020({ strict: false, validateFormats: false });
  private readonly compiled = new Map<string, ValidateFunction>();
  /** Answers looked at. */
  count = 0;

  constructor() {
    // As published no value can be valid: each also matches `codeDefaultFlag`, which asks for nothing, and integers are floats too.
    for (const part of this.document.components.schemas.evaluationSuccess?.allOf ?? []) {
      if (part.oneOf === undefined) continue;
      part.anyOf = part.oneOf;
      delete part.oneOf;
    }
    this.ajv.addSchema({ ...this.document, $id: 'https://ofrep/openapi' });
  }

  /** What is wrong with an answer of `path`, as openapi.yaml writes it; empty when nothing is. */
  check(path: '/ofrep/v1/evaluate/flags' | '/ofrep/v1/evaluate/flags/{key}', answer: OfrepAnswer): string {
    this.count += 1;
    const response = this.document.paths[path]?.post.responses[answer.status];
    if (response === undefined) return `status ${answer.status} is not in openapi.yaml`;
    if (answer.status === 429 && answer.retryAfter === null) return '429 without Retry-After';
    if (answer.status === 304) return answer.body === '' ? '' : '304 with a body';
    if (response.content === undefined) return '';
    if (!answer.contentType?.startsWith('application/json')) return `content type ${answer.contentType}`;
    const validate = this.validator(path, answer.status);
    return validate(JSON.parse(answer.body)) ? '' : this.ajv.errorsText(validate.errors);
  }

  private validator(path: string, status: number): ValidateFunction {
    const pointer = [
      'paths',
      path,
      'post',
      'responses',
      String(status),
      'content',
      'application/json',
      'schema',
    ]
      .map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')))
      .join('/');
    const found = this.compiled.get(pointer);
    if (found) return found;
    const validate = this.ajv.compile({ $ref: `https://ofrep/openapi#/${pointer}` });
    this.compiled.set(pointer, validate);
    return validate;
  }
}
