import { copyFileSync, cpSync, mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'electron-vite'
import { build, type Plugin } from 'vite'
import { licencesText, licensedPackages } from './.ci/licences.ts'

const at = (path: string): string => resolve(import.meta.dirname, path)
/** A path below the folder of the built program; `OCF_BUILT_DIR` names another one. */
const built = (path: string): string => join(process.env['OCF_BUILT_DIR'] ?? at('out'), path)

/** The pictures of tray and window lie beside the program, in the package as in the checkout. */
const icons = (): Plugin => ({
  name: 'copy-icons',
  writeBundle() {
    cpSync(at('assets/tray'), built('tray'), { recursive: true })
    cpSync(at('assets/icons/256x256.png'), built('window/icon.png'))
  },
})

const SWAGGER_UI = ['swagger-ui-bundle.js', 'swagger-ui-bundle.js.LICENSE.txt', 'swagger-ui.css', 'LICENSE', 'NOTICE']
/** Copies Swagger UI for the gateway's /docs page; its licences go with it. */
const swaggerUi = (): Plugin => ({
  name: 'copy-swagger-ui',
  writeBundle() {
    const from = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
    mkdirSync(built('docs'), { recursive: true })
    for (const file of SWAGGER_UI) {
      copyFileSync(join(from, file), join(built('docs'), file))
    }
  },
})

/** Asked for as packages: the first loads its native from its own folder, the other is named and never loaded. */
const NOT_BUNDLED = ['classic-level', 'protobufjs/minimal']

/** As the source of an object. */
function nameAndVersion(packageJson: string): string {
  const { name, version } = JSON.parse(readFileSync(packageJson, 'utf8')) as Record<string, string>
  return JSON.stringify({ name, version })
}

/** What libraries look for beside their own file; bundled, they are elsewhere. */
const BESIDE_THEMSELVES: readonly { file: string; changed(code: string, path: string): string }[] = [
  {
    // The natives are packages of their own that it depends on, one for each platform.
    file: '@chainsafe/libp2p-quic/dist/src/napi.js',
    changed: (code) =>
      code
        .replaceAll(/\brequire\b/g, 'requireBeside')
        .replace('createRequire(import.meta.url)', `createRequire(import.meta.resolve('@chainsafe/libp2p-quic'))`),
  },
  {
    file: '@achingbrain/ssdp/dist/src/ssdp.js',
    changed: (code, path) =>
      code
        .replace('createRequire(import.meta.url)', 'undefined')
        .replace(`req('../../package.json')`, nameAndVersion(join(dirname(path), '../../package.json'))),
  },
]
interface MediaType {
  charset?: string
  extensions?: string[]
}

/**
 * Koa's packages bring three lists of all media types, and sort each at every start. It takes the charset of a type from
 * them, and what the short names in the program's own code stand for: the types that have one or the other are kept.
 */
const fewMediaTypes = (): Plugin => ({
  name: 'few-media-types',
  enforce: 'pre',
  transform: {
    filter: { id: /\/node_modules\/mime-db\/db\.json$/ },
    handler(code) {
      const all = Object.entries(JSON.parse(code) as Record<string, MediaType>)
      const few = all.filter(([name, { charset }]) => charset !== undefined || MEDIA_TYPES.has(name))
      if (few.length < MEDIA_TYPES.size) this.error('The list of media types has another form.')
      return { code: JSON.stringify(Object.fromEntries(few)), map: null }
    },
  },
})
const MEDIA_TYPES = new Set(['application/octet-stream', 'application/json', 'text/html', 'text/plain'])

/** Bundles the packages with the program. Fails where a library looks for files in a way that is not known here. */
const packages = (): Plugin => ({
  name: 'bundle-packages',
  enforce: 'pre',
  resolveId: {
    filter: { id: /^supports-color$/ },
    // It does without; what it would find here is a tool's.
    handler: (id, importer) => (importer?.includes('/node_modules/debug/') === true ? { id, external: true } : null),
  },
  transform: {
    filter: { id: /\/node_modules\//, code: /createRequire\(import\.meta\.url\)/ },
    handler(code, id) {
      const known = BESIDE_THEMSELVES.find(({ file }) => id.endsWith(`/node_modules/${file}`))
      const changed = known?.changed(code, id) ?? code
      if (changed.includes('createRequire(import.meta.url)')) this.error(`${id} loads something from its own folder.`)
      return { code: changed, map: null }
    },
  },
  generateBundle(_options, bundle) {
    const licensed = new Set(licensedPackages(import.meta.dirname).map(({ name }) => name))
    for (const chunk of Object.values(bundle)) {
      if (chunk.type === 'asset') continue
      for (const id of chunk.moduleIds) {
        const name = /^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(id)?.[1]
        if (name !== undefined && !licensed.has(name)) this.error(`The licence of ${name} is not listed.`)
      }
    }
  },
})

/**
 * In place of depd, by which Koa's packages warn those who write against them. It looks for its callers' lines at each
 * start, for which V8 makes a list of all lines of the program and keeps it: 2 MB.
 */
const NO_WARNINGS = `module.exports = () => Object.assign(() => undefined, { function: (fn) => fn, property: () => undefined })`
const noWarnings = (): Plugin => ({
  name: 'no-warnings-of-koa',
  enforce: 'pre',
  resolveId: { filter: { id: /^depd$/ }, handler: () => '\0depd' },
  load: { filter: { id: /^\0depd$/ }, handler: () => NO_WARNINGS },
})

const UNDICI = createRequire(import.meta.url).resolve('undici')
/** Loads undici, and HTTP/2 with it, when something of it is first used: in many a node's life that is never. */
const undiciWhenUsed = (): Plugin => ({
  name: 'undici-when-used',
  enforce: 'pre',
  resolveId: { filter: { id: /^undici$/ }, handler: () => '\0undici-when-used' },
  load: {
    filter: { id: /^\0undici-when-used$/ },
    handler: () =>
      ['Agent', 'EnvHttpProxyAgent', 'fetch', 'request']
        .map((name) => {
          const get = `() => require(${JSON.stringify(UNDICI)}).${name}`
          return `Object.defineProperty(exports, '${name}', { enumerable: true, get: ${get} })`
        })
        .join('\n'),
  },
})

/**
 * With a single character beyond ASCII Node makes a source of two bytes a character, and keeps it as long as the program
 * runs. Written as escapes they mean the same wherever a bundle has them: in strings, templates, patterns and comments.
 */
const oneByteSources = (): Plugin => ({
  name: 'one-byte-sources',
  generateBundle: {
    order: 'post',
    handler(_options, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type === 'asset') continue
        chunk.code = chunk.code.replaceAll(
          /[^\0-\x7f]/g,
          (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
        )
      }
    },
  },
})

const FUNCTION_HEAD =
  '(function (require, importMeta) {"use strict"; const exports = {}; ' +
  'const withDefault = (module) => Object.create(module, { default: { value: module } });'
/** Makes a file of CommonJS one function, which is given the `import.meta` of the file that calls it. */
const asFunction = (): Plugin => ({
  name: 'as-function',
  transform: { handler: (code) => ({ code: code.replaceAll('import.meta', 'importMeta'), map: null }) },
  generateBundle(_options, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type === 'asset') continue
      // The way of the bundler makes a getter of each member of a module: a twentieth of a start for Node's own.
      const code = chunk.code.replaceAll(/^([\w$]+) = __toESM(?:\$\d+)?\(\1, 1\);$/gm, '$1 = withDefault($1);')
      chunk.code = `${FUNCTION_HEAD}\n${code}\nreturn exports;})\n`
    }
  },
})

/**
 * Puts the built command line, with the node, into one file more: a function that `src-main/compose/compiled/whole-program.ts` runs.
 * docs/decisions/0056 has the reasons.
 */
const wholeProgram = (): Plugin => ({
  name: 'whole-program',
  async writeBundle({ dir = '' }, bundle) {
    const entry = Object.values(bundle).find(
      (chunk) => chunk.type === 'chunk' && chunk.facadeModuleId === at('src-main/command-line.ts'),
    )
    if (entry === undefined) return this.error('The command line is no file of the build.')
    await build({
      configFile: false,
      logLevel: 'warn',
      publicDir: false,
      plugins: [asFunction(), oneByteSources()],
      ssr: { noExternal: true },
      build: {
        ssr: join(dir, entry.fileName),
        outDir: dir,
        emptyOutDir: false,
        minify: false,
        target: 'esnext',
        chunkSizeWarningLimit: 10_000,
        rolldownOptions: {
          external: [...NOT_BUNDLED, 'supports-color'],
          preserveEntrySignatures: 'strict',
          output: {
            format: 'cjs',
            codeSplitting: false,
            entryFileNames: 'program.cjs',
            // Node keeps the text as long as the program runs; licences have a file of their own.
            comments: false,
          },
        },
      },
    })
  },
})

/** Writes `licences.json` and the texts beside the page: of what is installed with the program or bundled in it. */
const licences = (): Plugin => ({
  name: 'list-licences',
  generateBundle() {
    const packages = licensedPackages(import.meta.dirname)
    const list = packages.map(({ name, version, licence }) => ({ name, version, licence }))
    const texts = licencesText(packages, readFileSync(at('LICENSE'), 'utf8'))
    this.emitFile({ type: 'asset', fileName: 'licences.json', source: JSON.stringify(list) })
    this.emitFile({ type: 'asset', fileName: 'THIRD-PARTY-LICENSES.txt', source: texts })
  },
})

export default defineConfig({
  main: {
    plugins: [
      swaggerUi(),
      icons(),
      packages(),
      noWarnings(),
      undiciWhenUsed(),
      fewMediaTypes(),
      oneByteSources(),
      wholeProgram(),
    ],
    build: {
      outDir: built('main'),
      externalizeDeps: false,
      rolldownOptions: {
        input: {
          main: at('src-main/main.ts'),
          headless: at('src-main/headless.ts'),
          engine: at('src-main/engine/worker/main.ts'),
        },
        external: NOT_BUNDLED,
      },
      // All that a node needs at its start is one file.
      chunkSizeWarningLimit: 10_000,
    },
  },
  preload: {
    build: {
      outDir: built('preload'),
      externalizeDeps: false,
      rolldownOptions: {
        input: { preload: at('src-main/electron/preload.ts') },
        // A sandboxed preload is CommonJS only.
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: at('src-renderer'),
    base: './',
    plugins: [react(), licences()],
    build: {
      outDir: built('renderer'),
      minify: true,
      rolldownOptions: {
        input: at('src-renderer/index.html'),
        // Of the contract's files a page takes constants: schemas that nothing uses are left out.
        treeshake: {
          moduleSideEffects: [{ test: /[\\/]src-shared[\\/]/, sideEffects: false }],
          manualPureFunctions: ['z', 'defineCall', 'defineStateFeed', 'defineListFeed'],
        },
      },
    },
  },
})
