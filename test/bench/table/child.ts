import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A TypeScript file beside this one in a process of its own, where the sources' `.js` imports find their `.ts`. */
export interface Child {
  /** Sends a message and waits for the answer; one at a time. */
  ask<T>(message: object): Promise<T>
  stop(): Promise<void>
}

export function startChild(name: string): Child {
  const hooks = new URL('../../fixtures/typescript-hooks.mjs', import.meta.url).href
  const child = fork(fileURLToPath(new URL(`./${name}`, import.meta.url)), [], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
    execArgv: ['--no-warnings', '--expose-gc', '--import', hooks],
  })
  const exited = once(child, 'exit')
  return {
    async ask<T>(message: object) {
      const answer = once(child, 'message') as Promise<[T]>
      child.send(message)
      return (
        await Promise.race([
          answer,
          exited.then(([code, signal]) => Promise.reject(new Error(`${name} ended: ${code ?? signal}`))),
        ])
      )[0]
    },
    async stop() {
      if (child.exitCode !== null) return
      child.kill('SIGTERM')
      await exited
    },
  }
}
