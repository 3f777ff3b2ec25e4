import { syncBuiltinESMExports } from 'node:module'
import tls from 'node:tls'

// A node that can't make the TLS of peers speaks noise, over TCP too. Other TLS goes on.
const { createSecureContext } = tls
tls.createSecureContext = (options) => {
  if (options?.minVersion === 'TLSv1.3') throw new Error('this bench goes without it')
  return createSecureContext(options)
}
syncBuiltinESMExports()
