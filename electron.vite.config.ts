import { copyFileSync, cpSync, mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'electron-vite'
import type { Plugin } from 'vite'
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
    plugins: [swaggerUi(), icons(), packages()],
    build: {
      outDir: built('main'),
      externalizeDeps: false,
      rolldownOptions: {
        input: { main: at('src-main/main.ts'), headless: at('src-main/headless.ts') },
        external: NOT_BUNDLED,
        // depd, of Koa, makes functions with as many parameters as those it wraps.
        checks: { eval: false },
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
      rolldownOptions: { input: at('src-renderer/index.html') },
    },
  },
})
