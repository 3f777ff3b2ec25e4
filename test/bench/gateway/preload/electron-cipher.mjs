import { registerHooks } from 'node:module'

// @libp2p/noise asks `wherearewe` once whether it runs in Electron's main process, and takes its WASM cipher there at
// every size. Here it alone is told yes: everything else still sees Node.
registerHooks({
  resolve(specifier, context, nextResolve) {
    if (specifier !== 'wherearewe' || !context.parentURL?.includes('/@libp2p/noise/')) {
      return nextResolve(specifier, context)
    }
    return { url: 'data:text/javascript,export const isElectronMain = true', shortCircuit: true }
  },
})
