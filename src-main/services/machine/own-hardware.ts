import { freemem, totalmem } from 'node:os'
import type { Hardware } from '#shared/records.js'

const MIB = 1024 * 1024

/** What this machine computes with, as far as the operating system tells without asking a driver. Memory in MiB. */
export function readHardware(): Hardware {
  const total = totalmem()
  return {
    gpus: [],
    host_memory: Math.round(total / MIB),
    host_memory_bandwidth: 0,
    host_memory_used: Math.round((total - freemem()) / MIB),
  }
}
