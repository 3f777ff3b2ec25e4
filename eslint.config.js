import { readdirSync } from 'node:fs'
import js from '@eslint/js'
import globals from 'globals'
import tseslint from 'typescript-eslint'

/**
 * The layers of src-main from the bottom up (docs/architecture.md). A file may import from its own layer and from
 * those before it; what comes later is out of bounds.
 */
const LAYERS = [
  ['config', 'logging', 'http-client'],
  ['p2p'],
  ['node-table'],
  ['demo-model'],
  ['services'],
  ['telemetry'],
  ['gateway'],
  ['doctor'],
  ['api'],
  ['cli', 'electron'],
]

const above = (level) => LAYERS.slice(level + 1).flat()

const layerRules = LAYERS.flatMap((names, level) =>
  names.map((name) => ({
    files: [`src-main/${name}/**/*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: [
                ...above(level).flatMap((folder) => [`../${folder}/*`, `../../${folder}/*`, `../../../${folder}/*`]),
                '**/src-renderer/**',
                '../compose.js',
                '../../compose.js',
              ],
              message: `${name} may not import from a layer above it (docs/architecture.md).`,
            },
            ...(name === 'electron'
              ? []
              : [{ group: ['electron', 'electron/*'], message: 'Only src-main/electron and main.ts know Electron.' }]),
          ],
        },
      ],
    },
  })),
)

/** The layers of src-renderer from the bottom up; a file may import from its own layer and from those before it. */
const RENDERER_LAYERS = ['strings', 'client', 'stores', 'ui', 'features', 'frame']
const PAGES = readdirSync(new URL('src-renderer/features', import.meta.url))
const NOT_IN_PAGES = ['node:*', 'electron', '**/src-main/**', 'koa', '@libp2p/*', 'libp2p']

const rendererRule = (files, patterns) => ({
  files,
  rules: { 'no-restricted-imports': ['error', { patterns: [{ group: NOT_IN_PAGES }, ...patterns] }] },
})

const rendererRules = [
  rendererRule(['src-renderer/**/*.{ts,tsx}'], []),
  ...RENDERER_LAYERS.slice(0, -1).map((name, level) =>
    rendererRule(
      [`src-renderer/${name}/**/*.{ts,tsx}`, `src-renderer/${name}.ts`],
      [
        {
          group: RENDERER_LAYERS.slice(level + 1).map((folder) => `**/${folder}/**`),
          message: `${name} may not import from a layer above it: ${RENDERER_LAYERS.join(' < ')}.`,
        },
      ],
    ),
  ),
  ...PAGES.map((page) =>
    rendererRule(
      [`src-renderer/features/${page}/**/*.{ts,tsx}`],
      [
        {
          group: ['**/frame/**', ...PAGES.filter((other) => other !== page).map((other) => `**/${other}/**`)],
          message: 'A page imports neither the frame nor another page: what they share lies in stores or ui.',
        },
      ],
    ),
  ),
]

export default tseslint.config(
  { ignores: ['out/**', 'dist/**', 'node_modules/**', 'test/bench/results/**'] },
  js.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.main.json', './tsconfig.renderer.json', './tsconfig.e2e.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': [
        'error',
        { checksVoidReturn: { arguments: false, attributes: false } },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
    },
  },
  {
    files: ['test/**/*.{ts,tsx}'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  { files: ['test/bench/**', 'src-main/cli/**'], rules: { 'no-console': 'off' } },
  { files: ['**/*.{js,mjs}'], languageOptions: { globals: globals.node } },
  ...layerRules,
  {
    files: ['src-shared/**/*.ts'],
    rules: {
      'no-restricted-imports': ['error', { patterns: ['node:*', 'electron', '**/src-main/**', '**/src-renderer/**'] }],
    },
  },
  ...rendererRules,
)
