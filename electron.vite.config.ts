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
    plugins: [swaggerUi(), icons()],
    build: {
      outDir: built('main'),
      externalizeDeps: true,
      rolldownOptions: { input: { main: at('src-main/main.ts'), headless: at('src-main/headless.ts') } },
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
