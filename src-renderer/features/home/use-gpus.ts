import { useEffect, useMemo } from 'react'
import { useStore } from 'zustand'
import type { GpuView } from '#shared/contract/node/node.js'
import { createCallStore } from '../../stores/call-store.js'
import { dataOf } from '../../stores/feed-store.js'
import { useClient } from '../../stores/hooks.js'

/** The node asks the driver no more often. */
const REFRESH_MS = 5_000
const NONE: readonly GpuView[] = []

/** The GPUs of this computer, asked for again while they are looked at; none where the machine does not tell. */
export function useGpus(): readonly GpuView[] {
  const client = useClient()
  const gpus = useMemo(() => createCallStore(client, 'node.gpus', {}), [client])
  useEffect(() => {
    void gpus.load()
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') void gpus.load()
    }, REFRESH_MS)
    return () => clearInterval(timer)
  }, [gpus])
  return dataOf(useStore(gpus.store)) ?? NONE
}
