import module from 'node:module'

const BINARY_TEST = '/node-llama-cpp/dist/bindings/utils/testBindingBinary.js'
const PASSED = 'export const testBindingBinary = () => Promise.resolve(true)\n'

/**
 * Before it loads a binary, the library tries it in a child that runs as Node (`testBindingBinary.js`, 3.21). An installed
 * app's binary is built to run nothing as Node: the child would be the app once more, and the test fails. This process is
 * one that may crash, so it can go without.
 */
export function skipBinaryTest(): void {
  // Node 22.15 and later have it, and so has every Electron that this program comes with.
  if (!('registerHooks' in module)) return
  module.registerHooks({
    load: (url, context, next) =>
      url.endsWith(BINARY_TEST) ? { format: 'module', source: PASSED, shortCircuit: true } : next(url, context),
  })
}
