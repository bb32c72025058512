import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERRORS, problem } from '@headgate/contracts';
import { toProblem } from '@headgate/service-kit';
import { errorPage } from './error-page.js';
import { openApiDocument } from './openapi.js';
import { ROUTES, type RouteSpec } from './routes.js';

const page = (name: string): string => readFileSync(join('docs', 'reference', name), 'utf8');

interface Document {
  readonly paths: Record<
    string,
    Record<string, { operationId: string; responses: object; requestBody?: object }>
  >;
  readonly components: { readonly schemas: Record<string, object> };
}

describe('the reference pages', () => {
  // When one of these fails: npm run reference -w @headgate/control
  it('hold the API as it is', () => {
    expect(JSON.parse(page('openapi.json'))).toEqual(JSON.parse(JSON.stringify(openApiDocument())));
  });

  it('hold the errors as they are', () => {
    expect(page('errors.md')).toBe(errorPage());
  });
});

describe('the API description', () => {
  const document = openApiDocument() as unknown as Document;

  it('has every route once', () => {
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(
        ([method, { operationId }]) => `${operationId} ${method.toUpperCase()} ${path}`,
      ),
    );
    const served = Object.entries<RouteSpec>(ROUTES).map(
      ([name, { method, path }]) => `${name} ${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`,
    );
    expect(described.sort()).toEqual(served.sort());
  });

  it('refers to nothing that it does not have', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref]) => ref);
    expect(references.length).toBeGreaterThan(50);
    for (const ref of references) {
      expect(document.components.schemas).toHaveProperty([ref?.replace('#/components/schemas/', '') ?? '']);
    }
  });
});

describe('every error of the table', () => {
  it.each(Object.entries(ERRORS))('%s becomes a problem of its status', (code, { status, next }) => {
    const thrown = Object.assign(new Error('what and where'), { code });
    const failure = toProblem(thrown, 'abc');
    expect(failure.status).toBe(status);
    expect(problem.parse(failure.body).error).toMatchObject({ code, next, correlationId: 'abc' });
    expect(next).toMatch(/[.;]$/);
  });
});
