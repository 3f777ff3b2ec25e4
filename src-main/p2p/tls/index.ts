export { createTls } from './socket-tls.js'
