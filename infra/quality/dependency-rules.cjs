// Which folder may import which (STYLE.md, "The shape of the house"). Each rule is seeded once in
// dependency-rules.spec.ts, which fails when a rule here has no seed there.
//
// A package imported by name resolves to its dist/, so a target is matched by its folder alone.

const lib = (/** @type {string[]} */ ...names) => `^libs/(${names.join('|')})/`;
const npm = (/** @type {string} */ pattern) => `(^|/)node_modules/${pattern}`;
/** Specs, and the fixtures beside them that only specs import. */
const SPEC = '\\.(spec|fixture)\\.ts$';
const PURE = ['domain', 'evaluation', 'judge', 'trust'];
const UPPER = ['service-kit', 'embedded', 'read-model', 'event-store', 'channel-stream', 'sdk'];

/**
 * A lib reaches only the floors below its own, and itself.
 *
 * @param {readonly string[]} names
 * @param {readonly string[]} below
 */
const floor = (names, below) =>
  names.map((name) => ({
    name: `floor-of-${name}`,
    comment: `libs/${name} may import ${below.length > 0 ? below.join(', ') : 'no other lib'}`,
    severity: 'error',
    from: { path: lib(name), pathNot: SPEC },
    to: { path: '^libs/', pathNot: lib(name, ...below) },
  }));

module.exports = {
  forbidden: [
    ...floor(['contracts'], []),
    ...floor(
      PURE.filter((name) => name !== 'domain'),
      ['contracts'],
    ),
    ...floor(['domain'], ['contracts', 'evaluation']),
    ...floor(['flag-file'], ['contracts', 'domain', 'evaluation']),
    ...floor(['streams'], ['contracts', ...PURE]),
    ...floor(UPPER, ['contracts', ...PURE, 'streams']),
    ...floor(['testing'], ['contracts', 'domain']),
    {
      name: 'contracts-need-only-zod',
      comment: 'libs/contracts is schemas and types: no input or output, no package but zod',
      severity: 'error',
      from: { path: lib('contracts'), pathNot: SPEC },
      to: { pathNot: ['^libs/', npm('zod/')] },
    },
    {
      name: 'pure-libs-touch-no-machine',
      comment:
        'domain, evaluation and judge are pure: no Node module (clock, ids and randomness are handed in)',
      severity: 'error',
      from: { path: lib('domain', 'evaluation', 'judge'), pathNot: SPEC },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'pure-libs-need-no-package',
      comment: 'domain, evaluation and judge have no npm dependency, so that they run anywhere',
      severity: 'error',
      from: { path: lib('domain', 'evaluation', 'judge'), pathNot: SPEC },
      to: { path: npm('') },
    },
    {
      name: 'flag-files-touch-no-machine',
      comment:
        'libs/flag-file turns texts into definitions and back: no Node module, whoever calls it reads the file',
      severity: 'error',
      from: { path: lib('flag-file'), pathNot: SPEC },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'trust-only-computes',
      comment: 'libs/trust is handed its keys: of Node it may use cryptography, compression and bytes',
      severity: 'error',
      from: { path: lib('trust'), pathNot: SPEC },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|zlib|buffer|util)$' },
    },
    {
      name: 'app-never-app',
      comment: 'an app never imports another; only apps/standalone composes them',
      severity: 'error',
      from: { path: '^apps/([^/]+)/', pathNot: '^apps/standalone/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'standalone-leaves-clients-out',
      comment:
        'apps/cli and apps/demo talk HTTP or spawn processes; they are no part of the composed process',
      severity: 'error',
      from: { path: '^apps/standalone/' },
      to: { path: '^apps/(cli|demo)/' },
    },
    {
      name: 'clients-talk-http',
      comment: 'apps/cli and apps/demo reach the log, the streams and the tables only through HTTP',
      severity: 'error',
      from: { path: '^apps/(cli|demo)/', pathNot: SPEC },
      to: { path: lib('streams', 'event-store', 'read-model') },
    },
    {
      name: 'lib-never-app',
      comment: 'a lib never imports an app',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^apps/' },
    },
    {
      name: 'nest-only-at-the-edge',
      comment: '@nestjs/* only in apps/* and libs/service-kit',
      severity: 'error',
      from: { path: '^libs/', pathNot: lib('service-kit') },
      to: { path: npm('@nestjs/') },
    },
    {
      name: 'postgres-only-in-read-model',
      comment: 'pg and kysely only in libs/read-model',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: lib('read-model') },
      to: { path: npm('(@types/)?(pg|pg-[^/]+|kysely)/') },
    },
    {
      name: 'nats-only-in-streams',
      comment: '@nats-io/* only in libs/streams',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: lib('streams') },
      to: { path: npm('(@nats-io/|nats/)') },
    },
    {
      name: 'other-packages-by-name',
      comment: 'another package is imported by its name, through its index, not by a path into its source',
      severity: 'error',
      from: { path: '^(apps|libs)/([^/]+)/' },
      to: { path: '^(apps|libs)/[^/]+/src/', pathNot: '^$1/$2/' },
    },
    {
      name: 'testing-only-in-specs',
      comment: 'libs/testing is for specs and test/',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: [SPEC, lib('testing')] },
      to: { path: lib('testing') },
    },
    {
      name: 'specs-are-not-imported',
      comment: 'nothing imports a spec, and only specs import their fixtures',
      severity: 'error',
      from: { pathNot: SPEC },
      to: { path: SPEC },
    },
    {
      name: 'product-without-its-tests',
      comment: 'apps and libs do not need test/ or infra/ to run',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: SPEC },
      to: { path: '^(test|infra)/' },
    },
    {
      name: 'bootstrap-on-built-ins',
      comment: 'infra/bootstrap runs before anything is installed: Node built-ins only',
      severity: 'error',
      from: { path: '^infra/bootstrap/', pathNot: SPEC },
      to: { pathNot: '^infra/bootstrap/', dependencyTypesNot: ['core'] },
    },
    {
      name: 'no-circle',
      comment: 'modules of one package must not import each other in a circle',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolvable',
      comment: 'an import leads to no file: a missing dependency in package.json, or tsc -b has not been run',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    // TypeScript 7 has no JavaScript API; without this the tool would see no module and pass
    parser: 'swc',
    doNotFollow: { path: ['(^|/)node_modules/', '/dist/'] },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['node', 'import', 'default'],
      extensions: ['.ts', '.mjs', '.js', '.cjs', '.json', '.node'],
    },
  },
};
