import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'

// Electron's main process has no chacha20-poly1305 (https://github.com/electron/electron/issues/24024): the node takes its
// WASM cipher there at every size. Here it is told the same.
const { getCiphers } = crypto
crypto.getCiphers = () => getCiphers().filter((name) => name !== 'chacha20-poly1305')
syncBuiltinESMExports()
