import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { analysisConfig } from '@headgate/analysis';
import { collectorConfig } from '@headgate/collector';
import { controlConfig } from '@headgate/control';
import { isAtLeast, NATS_FLOOR, NATS_USERS } from '@headgate/embedded';
import { gatewayConfig } from '@headgate/gateway';
import { projectorConfig } from '@headgate/projector';
import { publisherConfig } from '@headgate/publisher';
import { rolloutsConfig } from '@headgate/rollouts';
import { loadConfig } from '@headgate/service-kit';
import { parse } from 'yaml';
import { CONTAINER_CONFIG, containerConfig } from '../nats/render.mjs';
import { prepareCompose } from './prepare.mjs';

interface Service {
  readonly image: string;
  readonly user: string;
  readonly command?: readonly string[];
  readonly restart: string;
  readonly privileged?: boolean;
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly secrets?: readonly (string | { readonly source: string; readonly target: string })[];
  readonly networks: readonly string[];
  readonly ports?: readonly string[];
  readonly healthcheck: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const compose = parse(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8'), { merge: true }) as Compose;
const services = Object.entries(compose.services);
const OUR_APPS = {
  control: controlConfig,
  projector: projectorConfig,
  publisher: publisherConfig,
  gateway: gatewayConfig,
  collector: collectorConfig,
  analysis: analysisConfig,
  rollouts: rolloutsConfig,
};

let folder: string;
beforeAll(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'hg-compose-')), 'compose');
  prepareCompose(folder);
});
afterAll(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

const filesBelow = (path: string): string[] =>
  readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => join(path, name));

/** A path of the compose file as compose itself would read it. */
const hostPath = (text: string): string =>
  text.replace(/^\$\{HEADGATE_COMPOSE_DIR:\?[^}]*\}/, folder).replace(/^\.\//, ROOT);

const secretsOf = (service: Service) =>
  (service.secrets ?? []).map((secret) =>
    typeof secret === 'string'
      ? { source: secret, target: `/run/secrets/${secret}` }
      : {
          ...secret,
          target: secret.target.startsWith('/') ? secret.target : `/run/secrets/${secret.target}`,
        },
  );

test('nats-server.conf is what the renderer of embedded mode gives', () => {
  // after a change of the renderer: npm run build && node infra/nats/render.mjs
  expect(readFileSync(CONTAINER_CONFIG, 'utf8')).toBe(containerConfig());
});

describe.each(services)('%s', (name, service) => {
  test('has a pinned image, a health check, no rights to spare, and no port beyond loopback', () => {
    expect(service.image).toMatch(/^(headgate:local|[a-z/]+:v?\d[\w.-]*)$/);
    expect(service.user).toMatch(/^\$\{HEADGATE_UID:\?.*\}:\$\{HEADGATE_GID:\?.*\}$/);
    expect(service.cap_drop).toEqual(['ALL']);
    expect(service.security_opt).toEqual(['no-new-privileges:true']);
    expect(service.privileged).toBeUndefined();
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    if (name === 'setup') return;
    expect(service.restart).toBe('unless-stopped');
    expect(service.healthcheck.test?.[0]).toBe('CMD');
    for (const word of service.healthcheck.test ?? []) expect(typeof word).toBe('string');
  });

  test('is given secrets as files, by no other way', () => {
    for (const [key, value] of Object.entries(service.environment ?? {})) {
      expect(typeof value).toBe('string');
      if (/PASSWORD|TOKEN|SECRET|DATABASE_URL|_ADMIN|_CONTROL/.test(key)) expect(key).toMatch(/_FILE$/);
      if (/^\/run\/secrets\//.test(value))
        expect(secretsOf(service).map(({ target }) => target)).toContain(value);
    }
    for (const { source } of secretsOf(service)) expect(Object.keys(compose.secrets)).toContain(source);
  });

  test('finds what it mounts and runs', () => {
    for (const volume of service.volumes ?? []) {
      const source = hostPath(volume.replace(/:\/[^:}]*(:ro)?$/, ''));
      expect([volume, existsSync(source)]).toEqual([volume, true]);
    }
    const [program, script] = service.command ?? [];
    if (program === 'node') {
      const source = script?.replace(/\/dist\/main\.js$/, '/src/main.ts') ?? '';
      expect([script, existsSync(join(ROOT, source))]).toEqual([script, true]);
    }
  });
});

test.each(Object.entries(OUR_APPS))(
  '%s starts with a configuration that it accepts, as its own user',
  (name, schema) => {
    const service = compose.services[name] as Service;
    const secrets = secretsOf(service);
    const fileOf = (path: string) => {
      const secret = secrets.find(({ target }) => target === path);
      return secret ? hostPath(compose.secrets[secret.source]?.file ?? '') : path;
    };
    const env = Object.fromEntries(
      Object.entries(service.environment ?? {}).map(([key, value]) => [
        key,
        key.endsWith('_FILE') ? fileOf(value) : value,
      ]),
    );
    if (name === 'gateway') {
      // what the setup service writes
      delete env.HEADGATE_GATEWAY_SOURCES_FILE;
      env.HEADGATE_GATEWAY_SOURCES = JSON.stringify([
        { root: 'own', stream: 'FLAGS', pin: `sha256:${'0'.repeat(64)}` },
      ]);
    }
    const { value } = loadConfig(schema, { env });
    expect(value).toMatchObject({
      natsUrl: 'nats://nats:4222',
      natsUser: name,
      natsPassword: readFileSync(join(folder, 'secrets', `nats-${name}`), 'utf8').trim(),
      httpHost: '0.0.0.0',
      httpPort: 8080,
    });
    expect(secrets.filter(({ source }) => source.startsWith('nats-')).map(({ source }) => source)).toEqual([
      `nats-${name}`,
    ]);
  },
);

test('nats-server and Postgres are new enough and out of reach', () => {
  const { nats, postgres } = compose.services;
  expect(isAtLeast(nats?.image.match(/:(\d+\.\d+\.\d+)/)?.[1] ?? '', NATS_FLOOR)).toBe(true);
  expect(Number(postgres?.image.match(/:(\d+)/)?.[1])).toBeGreaterThanOrEqual(18);
  for (const server of [nats, postgres]) {
    expect(server?.networks).toEqual(['inside']);
    expect(server?.ports).toBeUndefined();
  }
  expect(compose.networks.inside?.internal).toBe(true);
  expect(postgres?.environment?.POSTGRES_INITDB_ARGS).toContain(
    '--auth-host=scram-sha-256 --auth-local=scram-sha-256',
  );
});

test('Prometheus asks every service of ours', () => {
  const { scrape_configs } = parse(readFileSync(join(ROOT, 'infra/docker/prometheus.yml'), 'utf8')) as {
    readonly scrape_configs: readonly {
      readonly static_configs: readonly { readonly targets: readonly string[] }[];
    }[];
  };
  const targets = scrape_configs.flatMap((job) => job.static_configs.flatMap((group) => group.targets));
  expect([...targets].sort()).toEqual(
    Object.keys(OUR_APPS)
      .map((name) => `${name}:8080`)
      .sort(),
  );
});

test('preparation makes everything private, once, and different on every machine', () => {
  for (const path of [folder, ...filesBelow(folder)]) {
    expect([path, statSync(path).mode & 0o077]).toEqual([path, 0]);
  }
  const secrets = (at: string) =>
    Object.fromEntries(
      readdirSync(join(at, 'secrets')).map((name) => [name, readFileSync(join(at, 'secrets', name), 'utf8')]),
    );
  const before = secrets(folder);
  prepareCompose(folder);
  expect(secrets(folder)).toEqual(before);
  const elsewhere = join(folder, '..', 'elsewhere');
  prepareCompose(elsewhere);
  for (const [name, text] of Object.entries(secrets(elsewhere))) expect(text).not.toBe(before[name]);
  const passwords = Object.entries(before).filter(([name]) => !/conf|url/.test(name));
  expect(new Set(passwords.map(([, text]) => text)).size).toBe(passwords.length);
  for (const [, text] of passwords)
    expect(Buffer.from(text.trim().replace(/^hg_/, ''), 'base64url')).toHaveLength(32);
});

test('every user of nats-server has a password in the file that its configuration includes', () => {
  const lines = readFileSync(join(folder, 'secrets', 'nats-passwords.conf'), 'utf8')
    .trim()
    .split('\n');
  expect(lines).toEqual(
    NATS_USERS.map(
      (user) =>
        `HEADGATE_NATS_${user.toUpperCase()}: "${readFileSync(join(folder, 'secrets', `nats-${user}`), 'utf8').trim()}"`,
    ),
  );
});
