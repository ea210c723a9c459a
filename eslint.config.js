// Lint of the whole tree: strict, typed rules everywhere, and what each layer must not reach for.
//
// The same layer table is checked a second time, over every import of the tree, by tests/layering.spec.ts; here the message
// appears while one types. Formatting is prettier's business alone.
import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import vue from 'eslint-plugin-vue';
import globals from 'globals';
import ts from 'typescript-eslint';

const specs = ['**/*.spec.ts', 'tests/**/*.ts', 'bench/**/*.ts'];

/** `no-restricted-imports` with one pattern per [regular expression, reason]. */
const banImports = (...bans) => ({
  '@typescript-eslint/no-restricted-imports': [
    'error',
    { patterns: bans.map(([regex, message]) => ({ regex, message })) },
  ],
});

const banGlobals = (message, names) => ({
  'no-restricted-globals': ['error', ...names.map((name) => ({ name, message }))],
});

const outOfCore = '(^|/)(main|renderer|preload|scripts|bench|tests)/';

export default defineConfig(
  globalIgnores([
    'out/**',
    'dist/**',
    'coverage/**',
    'node_modules/**',
    '.vitest/**',
    'demo-output/**',
    'tests/fixtures/**',
  ]),
  js.configs.recommended,
  ts.configs.strictTypeChecked,
  vue.configs['flat/essential'],
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    languageOptions: {
      parserOptions: {
        projectService: true,
        extraFileExtensions: ['.vue'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      eqeqeq: 'error',
      'no-empty': ['error', { allowEmptyCatch: false }],
      'prefer-const': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // With noUncheckedIndexedAccess off (typed-array columns), `array[i]` never looks undefined to the compiler though it may be.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // A hot state machine calls handlers whose result nobody needs; `() => undefined` everywhere would not make it clearer.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // Interfaces that a room offers to another may have implementations that do nothing.
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-extraneous-class': 'off',
    },
  },

  // ------------------------------------------------------------------------------------------------ layers
  {
    files: ['core/**/*.ts'],
    ignores: ['core/**/*.spec.ts'],
    rules: {
      ...banImports(
        ['^node:', 'core is pure: declare a port in core and implement it in main.'],
        ['^(?!zod$|node:)[a-z@]', 'core imports nothing but core and the schema library (zod).'],
        [outOfCore, 'core is the lowest layer.'],
        ['(^|/)contract/', 'core/contract names the rooms; no room imports it.'],
      ),
      ...banGlobals(
        'core has no clock but the simulated one and no world outside: take what you need through a port.',
        [
          'Date',
          'performance',
          'setTimeout',
          'setInterval',
          'setImmediate',
          'queueMicrotask',
          'console',
          'process',
          'Buffer',
          'crypto',
          'fetch',
          'window',
          'document',
          'navigator',
          'localStorage',
          'globalThis',
        ],
      ),
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Use a named random stream of the engine.' },
      ],
    },
  },
  {
    files: ['core/contract/**/*.ts'],
    ignores: ['core/**/*.spec.ts'],
    rules: {
      ...banImports(
        ['^node:', 'the contract is pure data.'],
        ['^(?!zod$|node:)[a-z@]', 'the contract imports nothing but core and the schema library (zod).'],
        [outOfCore, 'core is the lowest layer.'],
      ),
    },
  },
  {
    files: ['main/**/*.ts'],
    rules: {
      ...banImports(
        ['(^|/)(renderer|preload|tests|bench)/', 'main knows no view.'],
        ['^(vue|pinia|chart\\.js|@vue/.*)$', 'main knows no view.'],
      ),
    },
  },
  {
    files: ['preload/**/*.ts'],
    rules: {
      ...banImports(
        ['^(?!electron$)[a-z@]', 'preload bridges electron and core/contract, and decides nothing.'],
        ['^\\.(?!.*core/contract/|/)', 'preload bridges electron and core/contract, and decides nothing.'],
      ),
    },
  },
  {
    files: ['renderer/**/*.ts', 'renderer/**/*.vue'],
    ignores: ['renderer/**/*.spec.ts'],
    rules: {
      ...banImports(
        ['^(node:|electron$|better-sqlite3$|ws$)', 'the renderer runs in a browser: ask main through the contract.'],
        ['(^|/)(main|preload|tests|bench|scripts)/', 'ask main through the contract.'],
        [
          '(^|/)core/(?!contract/|units/|experiment/|metrics/|trace/(stages|schema)\\.ts$|workload/fio)',
          'the renderer sees only the plain-data rooms of core.',
        ],
        ['(^|/)core/experiment/(build|run)', 'stacks are built and run in the run worker only.'],
      ),
    },
  },

  // ------------------------------------------------------------------------------------------------ kinds of files
  {
    files: ['**/*.vue'],
    languageOptions: { parserOptions: { parser: ts.parser }, globals: globals.browser },
    rules: { 'no-undef': 'off', 'vue/multi-word-component-names': 'off' },
  },
  {
    files: specs,
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    extends: [ts.configs.disableTypeChecked],
    languageOptions: { globals: globals.node },
  },
);
