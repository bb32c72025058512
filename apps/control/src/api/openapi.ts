import { ERRORS, problem } from '@headgate/contracts';
import { z } from 'zod';
import { ROUTES, type RouteSpec } from './routes.js';
import { NAMED_SCHEMAS } from './schemas.js';

type Json = Record<string, unknown>;

const ref = (name: string): string => `#/components/schemas/${name}`;

/** OpenAPI 3.1 of this API, made from the table of routes and the zod schemas that check the requests. Always the same bytes. */
export const openApiDocument = (): Json => {
  const bodies = z.registry<{ id?: string }>();
  const answers = z.registry<{ id?: string }>();
  for (const [id, schema] of Object.entries(NAMED_SCHEMAS)) {
    bodies.add(schema, { id });
    answers.add(schema, { id });
  }
  answers.add(problem, { id: 'Problem' });
  const routes = Object.entries<RouteSpec>(ROUTES);
  for (const [name, { body, answer }] of routes) {
    if (body && !bodies.has(body)) bodies.add(body, { id: `${capital(name)}Body` });
    if (answer !== 'event-stream' && !answers.has(answer))
      answers.add(answer, { id: `${capital(name)}Answer` });
  }
  const paths: Record<string, Json> = {};
  for (const [name, route] of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(name, route, bodies, answers) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Headgate control',
      version: '1',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description: 'Projects, channels, flags, rollouts and tokens of one installation.',
    },
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'hg_…' } },
      // Answers come second: where a schema is used on both sides, readers get the side they see more of.
      schemas: { ...schemasOf(bodies, 'input'), ...schemasOf(answers, 'output') },
    },
  };
};

type Names = z.core.$ZodRegistry<{ id?: string }>;

const operation = (name: string, route: RouteSpec, bodies: Names, answers: Names): Json => ({
  operationId: name,
  summary: route.summary,
  description: route.role === 'public' ? 'Needs no token.' : `Needs role ${route.role} or above.`,
  parameters: [
    ...[...route.path.matchAll(/:(\w+)/g)].map(([, param]) => ({
      name: param,
      in: 'path',
      required: true,
      schema: { type: 'string' },
    })),
    ...queryParameters(route.query),
    ...(route.method === 'GET'
      ? []
      : [
          {
            name: 'Idempotency-Key',
            in: 'header',
            required: false,
            schema: { type: 'string', format: 'uuid' },
            description: 'Id of the command: a repeat within 24 hours gets the first answer.',
          },
        ]),
  ],
  ...(route.body
    ? { requestBody: { required: true, content: jsonContent(nameIn(bodies, route.body)) } }
    : {}),
  responses: {
    [route.status]:
      route.answer === 'event-stream'
        ? {
            description: 'Server-sent events.',
            content: { 'text/event-stream': { schema: { type: 'string' } } },
          }
        : { description: 'Done.', content: jsonContent(nameIn(answers, route.answer)) },
    default: { description: `One of: ${Object.keys(ERRORS).join(', ')}.`, content: jsonContent('Problem') },
  },
});

const queryParameters = (query: RouteSpec['query']): Json[] => {
  if (!query) return [];
  const { properties = {} } = z.toJSONSchema(query, { io: 'input' });
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', required: false, schema }));
};

const nameIn = (names: Names, schema: z.ZodType): string => names.get(schema)?.id ?? 'JsonValue';
const jsonContent = (name: string): Json => ({ 'application/json': { schema: { $ref: ref(name) } } });
const capital = (name: string): string => `${name.charAt(0).toUpperCase()}${name.slice(1)}`;

const schemasOf = (names: Names, io: 'input' | 'output'): Json => {
  const { schemas } = z.toJSONSchema(names, { uri: ref, io, target: 'draft-2020-12' }) as unknown as {
    schemas: Record<string, Json>;
  };
  return Object.fromEntries(
    Object.entries(schemas).map(([name, { $schema: _schema, $id: _id, ...rest }]) => [name, rest]),
  );
};
