/** The same components, with some of them replaced: how a libp2p service is given a narrower world than it asks for. */
export function override<T extends object>(components: T, replaced: Partial<T>): T {
  return new Proxy(components, {
    get: (target, key) =>
      Object.hasOwn(replaced, key) ? replaced[key as keyof T] : (Reflect.get(target, key) as unknown),
  })
}
