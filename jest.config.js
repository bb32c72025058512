// Specs run from source through swc: TypeScript 7 has no compiler API for ts-jest (docs/adr/0004).
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/libs', '<rootDir>/apps', '<rootDir>/test', '<rootDir>/infra'],
  testMatch: ['**/*.spec.ts'],
  // two workers: specs start servers of their own, and more of them than cores only makes each other slow
  maxWorkers: 2,
  // above what a server needs to start on a busy machine; specs wait for conditions and seldom come near
  testTimeout: 30_000,
  reporters: ['default', '<rootDir>/infra/quality/not-run-reporter.mjs'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  modulePathIgnorePatterns: ['<rootDir>/.*/dist/'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^@headgate/sdk/openfeature$': '<rootDir>/libs/sdk/src/openfeature/index.ts',
    '^@headgate/([a-z-]+)$': ['<rootDir>/libs/$1/src/index.ts', '<rootDir>/apps/$1/src/index.ts'],
  },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
        },
        module: { type: 'es6' },
      },
    ],
  },
};
