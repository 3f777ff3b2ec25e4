import type { Connection } from '@libp2p/interface'

/** The same components, with some of them replaced: how a libp2p service is given a narrower world than it asks for. */
export function override<T extends object>(components: T, replaced: Partial<T>): T {
  return new Proxy(components, {
    get: (target, key) =>
      Object.hasOwn(replaced, key) ? replaced[key as keyof T] : (Reflect.get(target, key) as unknown),
  })
}

/** The connection with some of its methods replaced; the others run on the connection itself. */
export function interceptConnection(
  connection: Connection,
  replaced: Partial<Pick<Connection, 'close' | 'newStream'>>,
): Connection {
  return new Proxy(connection, {
    get(target, key) {
      if (Object.hasOwn(replaced, key)) return replaced[key as keyof typeof replaced]
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}
