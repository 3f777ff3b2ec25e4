import { copyFileSync, cpSync, mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'electron-vite'
import type { Plugin } from 'vite'

const at = (path: string): string => resolve(import.meta.dirname, path)
/** A path below the folder of the built program; `OCF_BUILT_DIR` names another one. */
const built = (path: string): string => join(process.env['OCF_BUILT_DIR'] ?? at('out'), path)

/** The tray's pictures lie beside the program, in the package as in the checkout. */
const trayIcons = (): Plugin => ({
  name: 'copy-tray-icons',
  writeBundle() {
    cpSync(at('assets/tray'), built('tray'), { recursive: true })
  },
})

/** Copies Swagger UI for the gateway's /docs page; its licence goes with it. */
const swaggerUi = (): Plugin => ({
  name: 'copy-swagger-ui',
  writeBundle() {
    const from = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
    mkdirSync(built('docs'), { recursive: true })
    for (const file of ['swagger-ui-bundle.js', 'swagger-ui.css', 'LICENSE', 'NOTICE']) {
      copyFileSync(join(from, file), join(built('docs'), file))
    }
  },
})

/** Writes `licences.json` beside the page: what is installed with the program, from the lock file. */
const licences = (): Plugin => ({
  name: 'list-licences',
  generateBundle() {
    const lock = JSON.parse(readFileSync(at('package-lock.json'), 'utf8')) as {
      packages: Record<string, { version?: string; license?: string; dev?: boolean }>
    }
    const list = Object.entries(lock.packages)
      .filter(([path, { dev }]) => path !== '' && (dev !== true || BUNDLED.has(path.replace('node_modules/', ''))))
      .map(([path, { version = '', license = 'see its package' }]) => {
        return { name: path.replace(/^.*node_modules\//, ''), version, licence: license }
      })
    list.sort((a, b) => (a.name < b.name ? -1 : 1))
    this.emitFile({ type: 'asset', fileName: 'licences.json', source: JSON.stringify(list) })
  },
})

/** Packages that are only needed to build, and of which the built files contain a part. */
const BUNDLED = new Set([
  'react',
  'react-dom',
  'scheduler',
  'zustand',
  'uplot',
  '@tanstack/react-virtual',
  '@tanstack/virtual-core',
])

export default defineConfig({
  main: {
    plugins: [swaggerUi(), trayIcons()],
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
